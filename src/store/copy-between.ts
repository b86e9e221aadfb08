/** A file or a tree from one store to another, streaming. */
import type { Entry, Hashes, HashName } from "./entry.ts";
import { StoreError, hasCode } from "./errors.ts";
import { hasher } from "./hash.ts";
import type { CallOptions, WriteOptions } from "./options.ts";
import { isInside, parsePath, rebase } from "./path.ts";
import type { StorePath } from "./path.ts";
import type { Store } from "./store.ts";
import { forEach } from "./tree.ts";

export interface CopyBetweenOptions extends CallOptions {
  /** Hash while streaming and compare with what the target has: its own hash, else by reading it back. Default false. */
  readonly verify?: boolean | undefined;
  readonly ifAbsent?: boolean | undefined;
  /** Properties that the target cannot keep are left out instead of refused. Default true. */
  readonly lenient?: boolean | undefined;
  /** Files at once, for trees. Default: the `concurrency` of the target, at most 1,000, with at most that of the source being read at once. */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((progress: { readonly files: number; readonly bytes: number; readonly path: string }) => void) | undefined;
}

/**
 * A file or a tree from one store to another, streaming. Directories are made, empty ones included where both stores have them; what is at the target and not in
 * the source stays. The first failure ends it: what was copied by then is there, whole files each.
 */
export async function copyBetween(
  from: Store,
  fromPath: string,
  to: Store,
  toPath: string,
  options: CopyBetweenOptions = {},
): Promise<{ readonly files: number; readonly bytes: number }> {
  const { signal } = options;
  const source = parsePath(fromPath);
  const target = parsePath(toPath);
  if (from === to && isInside(target, source))
    throw new StoreError("invalid-path", "a tree cannot be copied into itself", { store: to.name, operation: "copy", path: source, to: target });
  const top = await from.stat(source, { signal });
  let files = 0;
  let bytes = 0;
  const one = async (entry: Entry): Promise<void> => {
    const path = rebase(entry.path, source, target);
    bytes += await copyOne(from, entry, to, path, options);
    files++;
    options.onProgress?.({ files, bytes, path });
  };
  if (top.kind === "file") {
    await one(top);
    return { files, bytes };
  }
  const width = Math.min(1000, options.concurrency ?? to.capabilities.concurrency);
  const reading = permits(from.capabilities.concurrency);
  if (to.capabilities.mkdir !== false && target !== "/") await to.mkdir(target, { existOk: true, signal });
  for await (const page of from.list(source, { recursive: true, signal }).pages()) {
    if (to.capabilities.mkdir !== false)
      for (const directory of page) if (directory.kind === "directory") await to.mkdir(rebase(directory.path, source, target), { existOk: true, signal });
    const wanted = page.filter((entry) => entry.kind === "file");
    await forEach(wanted, width, (entry) => reading(() => one(entry)));
  }
  return { files, bytes };
}

async function copyOne(from: Store, listed: Entry, to: Store, path: StorePath, options: CopyBetweenOptions): Promise<number> {
  const { signal, verify = false } = options;
  const lacksFacts = !listed.complete && (to.capabilities.writeMetadata !== false || to.capabilities.writeContentType !== false);
  const entry = lacksFacts ? await from.stat(listed.path, { signal }) : listed;
  await using body = await from.read(listed.path, { signal });
  const names: HashName[] = to.capabilities.hashes.length > 0 ? [to.capabilities.hashes[0] as HashName] : ["sha256"];
  const sums = verify ? names.map((name) => ({ name, sum: hasher(name) })) : [];
  let bytes = 0;
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      for (const { sum } of sums) sum.update(chunk);
      yield chunk;
    }
  }
  let written: Entry;
  try {
    written = await to.write(path, watched(), { ...propertiesFor(to, entry, options), size: body.length ?? undefined, ifAbsent: options.ifAbsent, signal });
  } catch (error) {
    // The source failed, not the caller's body: its own error says more.
    throw hasCode(error, "bad-body") && StoreError.is(error.cause) ? error.cause : error;
  }
  if (verify) await checkHashes(to, path, written, Object.fromEntries(sums.map(({ name, sum }) => [name, sum.hex()])), signal);
  return bytes;
}

function propertiesFor(to: Store, entry: Entry, { lenient = true }: CopyBetweenOptions): WriteOptions {
  const { writeModified, writeContentType, writeMetadata, maxMetadataBytes } = to.capabilities;
  const metadata = entry.metadata !== null && Object.keys(entry.metadata).length > 0 ? entry.metadata : undefined;
  const metadataBytes =
    metadata === undefined ? 0 : Object.entries(metadata).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return {
    modifiedMs: !lenient || writeModified !== false ? (entry.modifiedMs ?? undefined) : undefined,
    contentType: !lenient || writeContentType !== false ? (entry.contentType ?? undefined) : undefined,
    metadata: !lenient || (writeMetadata !== false && metadataBytes <= maxMetadataBytes) ? metadata : undefined,
  };
}

async function checkHashes(to: Store, path: StorePath, written: Entry, sums: Hashes, signal: AbortSignal | undefined): Promise<void> {
  for (const [name, expected] of Object.entries(sums) as [HashName, string][]) {
    const known = written.hashes[name] ?? (to.capabilities.hashes.includes(name) ? (await to.stat(path, { signal, fresh: true })).hashes[name] : undefined);
    const actual = known ?? (await hashOf(to, path, name, signal));
    if (actual !== expected)
      throw new StoreError("integrity", `the copy hashes to another ${name} than the source`, { store: to.name, operation: "write", path, applied: true });
  }
}

async function hashOf(store: Store, path: StorePath, name: HashName, signal: AbortSignal | undefined): Promise<string> {
  const sum = hasher(name);
  await using body = await store.read(path, { signal, fresh: true });
  for await (const chunk of body) sum.update(chunk);
  return sum.hex();
}

/** At most `width` at once; the others wait in line. */
function permits(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = Math.max(1, width);
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
