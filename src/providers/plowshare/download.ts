/** The bytes of a content from whichever host still has them. Nothing of them is given to anybody before size and hash are right. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { StoreError, abortError } from "../../store/index.ts";
import type { ErrorCode } from "../../store/index.ts";
import type { Content, LinkRow } from "./contents.ts";
import { mostHopeful, translate } from "./errors.ts";
import type { Session } from "./session.ts";
import type { Place } from "./surroundings.ts";

export interface Fetched extends AsyncDisposable {
  /** A file with exactly these bytes, until this is disposed. */
  readonly file: string;
  readonly directory: string;
  readonly name: string;
  readonly host: string;
}

export interface FetchedFirst extends Fetched {
  /** Hosts that were asked before and failed. */
  readonly failed: readonly { readonly host: string; readonly code: ErrorCode }[];
}

/** @throws StoreError `corrupt` where every host has lost it, `integrity` where what they gave is not it, else the failure that leaves most hope */
export async function fetchContent(session: Session, content: Content, signal: AbortSignal | undefined): Promise<FetchedFirst> {
  const errors: StoreError[] = [];
  const failed: { host: string; code: ErrorCode }[] = [];
  for (const link of inOrder(session, session.library.contents.links(content.id))) {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    try {
      return { ...(await fetchFrom(session, link, content, signal)), failed };
    } catch (error) {
      const known = translate(error);
      if (known === undefined || known.code === "aborted" || known.code === "closed") throw error;
      errors.push(known);
      failed.push({ host: link.host, code: known.code });
    }
  }
  if (signal?.aborted === true) throw abortError(signal, { applied: false });
  throw mostHopeful(errors);
}

/** Hosts that failed least first, links that are known as dead last: a host that says so may be wrong. */
function inOrder({ library, settings }: Session, links: readonly LinkRow[]): LinkRow[] {
  const order = library.hosts.order([...new Set(links.map(({ host }) => host))], settings.clock.now(), settings.random);
  return [...links].sort((a, b) => Number(a.dead !== null) - Number(b.dead !== null) || order.indexOf(a.host) - order.indexOf(b.host));
}

/** One try at one host. */
export async function fetchFrom(session: Session, link: LinkRow, content: Content, signal: AbortSignal | undefined): Promise<Fetched> {
  const { library } = session;
  using _use = library.use(link.url);
  return await session.atHost(link.host, signal, async () => {
    const place = await session.commands.surroundings.place();
    try {
      await session.commands.download(link.url, { place, bytes: content.size, signal, tooMuch: () => beyond(place.directory, content.size) });
      const name = await verified(place, content);
      library.hosts.downloaded(link.host);
      library.contents.alive(link.id, session.now());
      return {
        file: join(place.directory, name),
        directory: place.directory,
        name,
        host: link.host,
        [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
      };
    } catch (error) {
      await place[Symbol.asyncDispose]();
      const known = translate(error);
      if (known !== undefined) {
        library.hosts.failed(link.host, known, session.now());
        if (known.code === "corrupt") library.contents.dead(link.id, session.now());
      }
      throw error;
    }
  });
}

/** The name of the one file in the directory that is what it should be. What the command printed does not count. */
async function verified({ directory }: Place, { size, sha256 }: Content): Promise<string> {
  const names = await readdir(directory);
  let found = "the command ended well and left no file";
  for (const name of names) {
    const path = join(directory, name);
    const stat = await lstat(path);
    if (!stat.isFile()) continue;
    if (stat.size !== size) found = `the host gave ${stat.size} bytes instead of ${size}`;
    else if ((await hashOf(path)) === sha256) return name;
    else found = "the host gave other bytes than were stored";
  }
  throw damaged(found);
}

/** Not transient: another try at the same host most often gives the same. */
function damaged(reason: string): StoreError {
  return new StoreError("integrity", reason, { applied: false });
}

export async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** More on the disk than the file can need: a host that sends without an end must not fill it. */
const SLACK = 1 << 20;
async function beyond(directory: string, size: number): Promise<boolean> {
  let bytes = 0;
  for (const name of await readdir(directory)) {
    const stat = await lstat(join(directory, name)).catch(() => undefined);
    bytes += stat?.size ?? 0;
  }
  return bytes > size + SLACK;
}
