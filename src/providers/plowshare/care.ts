/** Looking after what is stored: which links still live, and new copies from living ones for those that do not. */
import { abortError, hasCode } from "../../store/index.ts";
import type { ErrorCode, StoreError } from "../../store/index.ts";
import type { Content, LinkRow } from "./contents.ts";
import { fetchContent, fetchFrom } from "./download.ts";
import { mostHopeful, translate } from "./errors.ts";
import type { Session } from "./session.ts";
import { transaction } from "./sqlite.ts";
import { place } from "./upload.ts";

export interface VerifyReport {
  /** Links that were asked about. */
  readonly links: number;
  readonly alive: number;
  /** Dead now, whether or not it was known. */
  readonly dead: number;
  /** Gave other bytes than the file's; they count as dead from now on. Only with `deep`, or where the size cannot be right. */
  readonly damaged: number;
  /** Nothing could be learnt: the host or its module failed. They count as before. */
  readonly unknown: number;
  /** Paths of files of which no living copy is known. */
  readonly lost: readonly string[];
}
export interface RepairReport {
  /** Contents that had fewer copies than wanted. */
  readonly short: number;
  readonly repaired: number;
  /** Copies made. */
  readonly copies: number;
  /** What could not be brought to the wanted number, and why; by path. */
  readonly failed: readonly { readonly path: string; readonly code: StoreError["code"]; readonly reason: string }[];
}

const AT_ONCE = 100;
/** These end the whole walk. */
const NOT_OF_ONE_LINK: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["aborted", "closed", "config"]);

export async function verify(session: Session, deep: boolean, signal: AbortSignal | undefined): Promise<VerifyReport> {
  const counts = { links: 0, alive: 0, dead: 0, damaged: 0, unknown: 0 };
  await eachContent(session, signal, async (content) => {
    const links = session.library.contents.links(content.id);
    await inParallel(links, links.length, async (link) => {
      counts.links += 1;
      const found = await (deep ? download(session, link, content, signal) : probe(session, link, content, signal));
      counts[found] += 1;
    });
  });
  return { ...counts, lost: lostPaths(session) };
}

type Found = "alive" | "dead" | "damaged" | "unknown";

async function probe(session: Session, link: LinkRow, content: Content, signal: AbortSignal | undefined): Promise<Found> {
  const { library, commands } = session;
  try {
    using _use = library.use(link.url);
    const { status, size } = await session.atHost(link.host, signal, async () => {
      await using spot = await commands.surroundings.place();
      return await commands.probe(link.url, { place: spot, signal });
    });
    // Sizes are rounded by many hosts, so only one that cannot be this file's says something, and then the bytes decide.
    if (size !== null && (size > content.size * 1.1 + 2048 || size < content.size * 0.9 - 2048)) return await download(session, link, content, signal);
    if (status !== 0) return "unknown";
    library.contents.alive(link.id, session.now());
    return "alive";
  } catch (error) {
    return settled(session, link, error);
  }
}

async function download(session: Session, link: LinkRow, content: Content, signal: AbortSignal | undefined): Promise<Found> {
  try {
    await using _fetched = await fetchFrom(session, link, content, signal);
    return "alive";
  } catch (error) {
    if (hasCode(error, "integrity")) {
      // As good as dead, and no more: what a host gives once it may give otherwise the next time, and this may be the last copy.
      session.library.contents.dead(link.id, session.now());
      return "damaged";
    }
    return settled(session, link, error, true);
  }
}

function settled({ library, settings }: Session, link: LinkRow, error: unknown, counted = false): Found {
  const known = translate(error);
  if (known === undefined || NOT_OF_ONE_LINK.has(known.code)) throw error;
  if (known.code === "corrupt") {
    library.contents.dead(link.id, settings.clock.now());
    return "dead";
  }
  if (!counted && known.code !== "unsupported") library.hosts.failed(link.host, known, settings.clock.now());
  return "unknown";
}

export async function repair(session: Session, signal: AbortSignal | undefined): Promise<RepairReport> {
  const { copies } = session.settings;
  const counts = { short: 0, repaired: 0, copies: 0 };
  const failed: { path: string; code: StoreError["code"]; reason: string }[] = [];
  await eachContent(session, signal, async (content) => {
    const links = session.library.contents.links(content.id);
    const living = new Set(links.filter(({ dead }) => dead === null).map(({ host }) => host));
    if (living.size >= copies) return;
    counts.short += 1;
    try {
      const made = await renew(session, content, [...living], signal);
      counts.copies += made;
      counts.repaired += 1;
    } catch (error) {
      const known = translate(error);
      if (known === undefined || NOT_OF_ONE_LINK.has(known.code)) throw error;
      for (const path of pathsOf(session, content.id)) failed.push({ path, code: known.code, reason: known.reason });
    }
  });
  // Several are under way at once, so they end in any order.
  return { ...counts, failed: failed.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** Copies from a living one to hosts that have none; then the dead links go to the removals. Gives how many were made. */
async function renew(session: Session, content: Content, living: readonly string[], signal: AbortSignal | undefined): Promise<number> {
  const { contents, db } = session.library;
  const wanted = session.settings.copies;
  await using fetched = await fetchContent(session, content, signal);
  // A link that was taken for dead and gave the file lives.
  const hosts = new Set([...living, fetched.host]);
  let made = 0;
  if (hosts.size < wanted) {
    const file = { directory: fetched.directory, name: fetched.name, size: content.size, sha256: content.sha256 };
    const { held, errors } = await place(session, { file, copies: wanted - hosts.size, except: [...hosts], signal });
    try {
      made = transaction(db, () => {
        // Deleted or overwritten meanwhile: nobody needs the copies.
        if (contents.get(content.id) === undefined) return 0;
        contents.attach(content.id, held, session.now());
        return held.length;
      });
    } finally {
      // Those that were attached are no removals any more.
      contents.letGo(held, session.now());
    }
    if (contents.get(content.id) !== undefined && hosts.size + made < wanted) throw mostHopeful(errors);
  }
  // A host that was wrong about it still has it.
  for (const link of contents.links(content.id)) if (link.dead !== null) contents.reject(link.id, session.now());
  return made;
}

async function eachContent(session: Session, signal: AbortSignal | undefined, work: (content: Content) => Promise<void>): Promise<void> {
  const { contents } = session.library;
  for (let page = contents.after(0, AT_ONCE); page.length > 0; page = contents.after((page.at(-1) as Content).id, AT_ONCE))
    await inParallel(page, session.settings.maxProcesses, async (content) => {
      if (signal?.aborted === true) throw abortError(signal, { applied: false });
      await work(content);
    });
}

/** All of them, also after one failed; then the first failure. */
async function inParallel<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const line = [...items];
  const worker = async (): Promise<void> => {
    for (let next = line.shift(); next !== undefined; next = line.shift()) await work(next);
  };
  const failed = (await Promise.allSettled(Array.from({ length: most }, worker))).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Paths of files without a living copy. */
export function lostPaths(session: Session): string[] {
  const rows = session.library.db
    .prepare("select id from content where not exists (select 1 from link where link.content = content.id and dead is null) order by id")
    .all() as { readonly id: number }[];
  return rows.flatMap(({ id }) => pathsOf(session, id)).sort();
}

function pathsOf({ library }: Session, content: number): string[] {
  const up = library.db.prepare("select parent, name from node where id = ?");
  return (library.db.prepare("select id from node where content = ? order by id").all(content) as { readonly id: number }[]).map(({ id }) => {
    const names: string[] = [];
    for (let at = id; at !== 1;) {
      const { parent, name } = up.get(at) as { readonly parent: number; readonly name: string };
      names.push(name);
      at = parent;
    }
    return `/${names.reverse().join("/")}`;
  });
}
