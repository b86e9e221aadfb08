/** Files out of the pool: from the cache, else from one host after the other until one gives the right bytes. */
import { rm } from "node:fs/promises";
import { copyOut } from "../local-files/index.ts";
import { StoreError } from "../store/index.ts";
import type { Core } from "./core.ts";
import { hashOfBytes } from "./disk.ts";
import { PoolError } from "./errors.ts";
import type { SourceFailure } from "./errors.ts";
import { ofOneHost } from "./failures.ts";
import { discard, keep, removeQuietly, soundName } from "./keep.ts";
import { addMeter, fileOf, isPath, sourcesOf } from "./rows.ts";
import type { CopyRow, FileRow } from "./rows.ts";
import { DEAD, STORED } from "./schema.ts";

export interface Cached extends Disposable {
  readonly file: FileRow;
  /** In the cache. Stays there until this is disposed; afterwards until room is needed. */
  readonly path: string;
}

/** @throws PoolError `unknown-hash`, `not-uploaded`, `no-room`, `sources-failed`, `damaged` */
export async function cache(core: Core, hash: string, signal: AbortSignal | undefined): Promise<Cached> {
  return await core.turns.take(hash, signal, async () => {
    const file = await fileOf(core.db, hash);
    if (file === undefined || file.marked_ms !== null) throw new PoolError("unknown-hash", "the pool has no such file", { hash });
    const pin = await core.pin(file.id);
    try {
      const path = (await fromCache(core, file, signal)) ?? (await fromHosts(core, file, signal));
      await core.db.run("update cached set used_ms = ? where node = ? and file = ?", core.now(), core.node, file.id);
      return { file, path, [Symbol.dispose]: () => pin[Symbol.dispose]() };
    } catch (error) {
      pin[Symbol.dispose]();
      throw error;
    }
  });
}

async function fromCache(core: Core, file: FileRow, signal: AbortSignal | undefined): Promise<string | undefined> {
  const here = await soundName(core, file, signal);
  if (here === undefined) return undefined;
  if (here.sound) return core.disk.file(here.name);
  // Without another copy the damaged one stays: somebody may still save something of it.
  const sources = (await sourcesOf(core.db, file.id)).filter((copy) => readable(core, copy));
  if (sources.length === 0) throw new PoolError("damaged", "the cached bytes are not those of this hash, and there is no other copy", { hash: file.hash });
  await discard(core, file.id);
  return undefined;
}

function readable(core: Core, { host, url }: CopyRow): boolean {
  return isPath(url) ? core.settings.hosts.has(host) : core.settings.openLink !== undefined;
}

async function fromHosts(core: Core, file: FileRow, signal: AbortSignal | undefined): Promise<string> {
  const { hash, size } = file;
  const sources = await readableSources(core, file);
  using room = await core.room.reserve(size, hash).catch((error: unknown) => {
    throw PoolError.is(error) && error.code === "too-large"
      ? new PoolError("no-room", "the file is larger than 90 % of the cache", { hash, cause: error })
      : error;
  });
  return await fromSources(core, file, sources, signal, async (incoming) => {
    const kept = await keep(core, incoming, { hash, size }, file.name, false, room);
    const name = kept === undefined ? undefined : await nameOfKept(core, kept);
    if (name === undefined) throw new PoolError("unknown-hash", "the file was removed while it was fetched", { hash });
    return core.disk.file(name);
  });
}

interface Sources {
  readonly copies: readonly CopyRow[];
  /** What keeps others from being asked. */
  readonly failures: SourceFailure[];
}

/** @throws PoolError `not-uploaded` */
export async function readableSources(core: Core, file: FileRow): Promise<Sources> {
  const all = await sourcesOf(core.db, file.id);
  if (all.length === 0) throw new PoolError("not-uploaded", "no host has this file yet", { hash: file.hash });
  const copies = all.filter((copy) => readable(core, copy));
  const failures = all
    .filter((copy) => !readable(core, copy))
    .map(({ host }) => ({ host, error: new StoreError("config", "this pool has no such host and no reader of its links") }));
  const order = await core.hosts.order([...new Set(copies.map(({ host }) => host))], core.now());
  // Those taken for dead last, not never.
  return { copies: copies.sort((a, b) => a.state - b.state || order.indexOf(a.host) - order.indexOf(b.host)), failures };
}

/** `use` has a whole file of the right hash in `incoming`; what it leaves there goes. @throws PoolError `sources-failed` */
export async function fromSources<T>(
  core: Core,
  file: FileRow,
  { copies, failures }: Sources,
  signal: AbortSignal | undefined,
  use: (incoming: string) => Promise<T>,
): Promise<T> {
  for (const copy of copies) {
    const incoming = core.disk.incoming();
    try {
      const error = await fetchCopy(core, file, copy, incoming, signal).then(
        () => undefined,
        (thrown: unknown) => ofOneHost(thrown, signal),
      );
      if (error === undefined) return await use(incoming);
      failures.push({ host: copy.host, error });
    } finally {
      await removeQuietly(incoming);
    }
  }
  throw new PoolError("sources-failed", `none of ${failures.length} sources gave the file`, { hash: file.hash, causes: failures });
}

async function nameOfKept(core: Core, id: number): Promise<string | undefined> {
  return (await core.db.query<{ readonly name: string }>("select name from cached where node = ? and file = ?", core.node, id))[0]?.name;
}

/** Into `path`, whole and of the right hash, or not at all; null: only looked at. What it says of the copy and its host is written down. */
export async function fetchCopy(core: Core, file: FileRow, copy: CopyRow, path: string | null, signal: AbortSignal | undefined): Promise<void> {
  let moved = 0;
  try {
    const chunks = await bytesOf(core, copy, signal);
    const count = (bytes: number): void => {
      moved += bytes;
      if (moved > file.size) throw new StoreError("integrity", "the host gives more bytes than the file has", { store: copy.host });
    };
    const written = await (path === null ? hashOfBytes(chunks, signal, count) : core.disk.write(path, chunks, signal, count));
    if (written.hash !== file.hash) {
      if (path !== null) await rm(path, { force: true });
      throw new StoreError("integrity", "the host gives other bytes than those of this hash", { store: copy.host });
    }
    await core.db.run("update copy set state = ?, checked_ms = ? where id = ?", STORED, core.now(), copy.id);
    await core.hosts.downloaded(copy.host);
  } catch (error) {
    if (StoreError.is(error) && error.store !== null) {
      if (["not-found", "integrity", "is-a-directory", "not-a-directory"].includes(error.code))
        await core.db.run("update copy set state = ? where id = ?", DEAD, copy.id);
      if (signal?.aborted !== true) await core.hosts.failed(copy.host, error, core.now());
    }
    throw error;
  } finally {
    await addMeter(core.db, core.now(), 0, moved);
  }
}

async function bytesOf(core: Core, { host, url }: CopyRow, signal: AbortSignal | undefined): Promise<AsyncIterable<Uint8Array>> {
  const { hosts, openLink } = core.settings;
  if (!isPath(url) && openLink !== undefined) return translated(host, await openLinkOf(openLink, host, url, signal));
  const store = hosts.get(host);
  if (store === undefined) throw new StoreError("config", "this pool has no such host");
  return await store.read(url, { signal });
}

async function openLinkOf(
  open: NonNullable<Core["settings"]["openLink"]>,
  host: string,
  url: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    return await open(host, url, { signal });
  } catch (error) {
    throw asStoreError(host, error);
  }
}

async function* translated(host: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw asStoreError(host, error);
  }
}

/** A reader of links is somebody else's code. */
function asStoreError(store: string, error: unknown): StoreError {
  return StoreError.is(error)
    ? error.store === null
      ? error.with({ store, cause: error.cause })
      : error
    : new StoreError("unavailable", "the reader of links failed", { cause: error, store });
}

/** A copy of the file at `target`: whole, flushed and of the right hash, or nothing new there. What goes wrong with the target is told by Node's own error. */
export async function download(core: Core, hash: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  using cached = await cache(core, hash, signal);
  const damaged = (): PoolError => new PoolError("damaged", "the cached bytes changed while they were read", { hash });
  await copyOut(cached.path, target, hash, damaged, signal);
}
