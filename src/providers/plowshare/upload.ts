/** Copies of one file to several hosts: those that failed least first, side by side, the next in line for each that fails. */
import { copyFile, link } from "node:fs/promises";
import { join } from "node:path";
import { abortError, undone } from "../../store/index.ts";
import type { StoreError } from "../../store/index.ts";
import { mostHopeful, translate } from "./errors.ts";
import type { HostLink } from "./links.ts";
import type { Session } from "./session.ts";
import { freshName } from "./spooled.ts";
import type { Spooled } from "./spooled.ts";

export interface Placing {
  readonly file: Spooled;
  /** Copies wanted. */
  readonly copies: number;
  /** Hosts that have one already. */
  readonly except?: readonly string[] | undefined;
  readonly signal: AbortSignal | undefined;
}
export interface Placed {
  /** Ids of links, held until a content takes them. */
  readonly held: readonly number[];
  /** Why there are not more. */
  readonly errors: readonly StoreError[];
}

/** As many copies as could be made; the caller decides whether they are enough. Whatever is thrown, no copy stays that nobody knows of. */
export async function place(session: Session, { file, copies, except = [], signal }: Placing): Promise<Placed> {
  const { settings, library } = session;
  const free = settings.hosts.filter((host) => !except.includes(host));
  const line = library.hosts.order(free, session.now(), settings.random, file.size);
  const held: number[] = [];
  const errors: StoreError[] = [];
  // No new upload starts once enough have succeeded or are under way.
  const worker = async (): Promise<void> => {
    for (let host = line.shift(); host !== undefined; host = line.shift()) {
      if (signal?.aborted === true) return;
      try {
        held.push(await one(session, host, file, signal));
        return;
      } catch (error) {
        const known = translate(error);
        if (known === undefined) throw error;
        errors.push(known);
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: copies }, worker));
  const defect = results.find((result) => result.status === "rejected");
  if (defect !== undefined || signal?.aborted === true) {
    library.contents.letGo(held, session.now());
    throw defect?.reason ?? abortError(signal as AbortSignal, { applied: false });
  }
  return { held, errors };
}

/** @throws StoreError why the upload failed, never with anything left behind that the index does not know */
async function one(session: Session, host: string, file: Spooled, signal: AbortSignal | undefined): Promise<number> {
  return session.atHost(host, signal, async () => {
    const { contents, deletions } = session.library;
    // Held until the end, so that none of them is deleted again while the next upload may be given it.
    const doubtful: number[] = [];
    try {
      for (;;) {
        using watch = deletions.watch();
        const { id, link } = await persistent(session, host, file, signal);
        if (!(await watch.meets([link]))) return id;
        doubtful.push(id);
      }
    } finally {
      contents.letGo(doubtful, session.now());
    }
  });
}

interface Landed {
  readonly id: number;
  readonly link: HostLink;
}

/** Tries again here and not by plowup's -r, which would say nothing of what an attempt before the last has left at the host. */
async function persistent(session: Session, host: string, file: Spooled, signal: AbortSignal | undefined): Promise<Landed> {
  for (let left = session.settings.retries; ; left--) {
    const result = await attempt(session, host, file, signal);
    if ("id" in result) return result;
    if (left === 0 || !result.again || signal?.aborted === true) throw result.failure;
  }
}

/** One command, and the link that came of it, held; or why there is none. The name is its own: what of an earlier attempt may be at the host has another. */
async function attempt(
  session: Session,
  host: string,
  file: Spooled,
  signal: AbortSignal | undefined,
): Promise<Landed | { readonly failure: StoreError; readonly again: boolean }> {
  const { contents, hosts } = session.library;
  const name = `${freshName(session.settings.random)}.bin`;
  await using spot = await session.commands.surroundings.place();
  const [from, to] = [join(file.directory, file.name), join(spot.directory, name)];
  await link(from, to).catch(() => copyFile(from, to));
  const flight = contents.startFlight(host, name, file.size, session.now());
  let upload;
  try {
    upload = await session.commands.upload(host, name, { place: spot, bytes: file.size, signal }, { retries: 0 });
  } catch (error) {
    // It was never started.
    contents.landed(flight, [], session.now());
    throw error;
  }
  const { links, failure, mayHaveLanded, code } = upload;
  if (mayHaveLanded) contents.lost(flight, session.now());
  const held = mayHaveLanded ? [] : contents.landed(flight, links, session.now());
  if (failure === undefined) {
    hosts.uploaded(host, file.size);
    return { id: held[0] as number, link: links[0] as HostLink };
  }
  contents.letGo(held, session.now());
  hosts.failed(host, failure, session.now(), file.size);
  // What plowup itself would try again: the page was not understood, or the network failed.
  return { failure, again: code === 1 || code === 3 };
}

/** Fewer copies than were asked for. */
export function tooFew({ held, errors }: Placed, wanted: number): StoreError {
  const cause = mostHopeful(errors);
  if (held.length === 0) return undone(cause);
  return cause.with({
    reason: `only ${held.length} of ${wanted} copies could be made; the last obstacle: ${cause.reason}`,
    applied: false,
    cause: cause.cause,
  });
}
