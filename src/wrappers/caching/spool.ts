/** The body of a write, brought to this disk: small ones into memory for the database, the rest into a content file that is written once. */
import { mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StoreError, hasher } from "../../store/index.ts";
import type { ByteStream, HashName, Hasher, Hashes, Source } from "../../store/index.ts";
import { blockOf, crcOf } from "./content.ts";
import { diskError, freeBytes } from "./disk.ts";
import { codeOf } from "./error-code.ts";
import { checkAbort } from "./gave-up.ts";
import type { Rules } from "./rules.ts";
import type { StepName } from "./steps.ts";

export interface Spooled {
  readonly id: number;
  readonly size: number;
  readonly crc: number;
  readonly hashes: Hashes;
  /** Null: it is a file. */
  readonly data: Uint8Array | null;
  /** To be flushed before a row names the file. */
  readonly directories: readonly string[];
}

/** The free space is looked at again after so many bytes. */
const LOOK_EVERY_BYTES = 16 << 20;
/** A body of unknown size asks for room in pieces of this. */
const ROOM_STEP_BYTES = 1 << 20;

export interface SpoolOptions {
  readonly contentDirectory: string;
  readonly rules: Rules;
  readonly step: (name: StepName) => void;
  readonly inlineBytes: number;
  readonly flush: boolean;
  readonly hashes: readonly HashName[];
  readonly minFreeBytes: number;
  readonly maxBytes: number;
  readonly newId: () => number;
  /** Block directories whose own name is flushed already. */
  readonly durableBlocks: ReadonlySet<string>;
  /** Asks for the free space now and then: for small bodies each time would cost more than the write. */
  readonly sampled: (look: () => Promise<void>) => Promise<void>;
  /** Waits until so many more bytes may come. */
  readonly room: (bytes: number, signal: AbortSignal | undefined) => Promise<void>;
}

export async function spoolBody(body: Source, signal: AbortSignal | undefined, options: SpoolOptions): Promise<Spooled> {
  const { size } = body;
  if (size !== null) await options.room(size, signal);
  await using stream = body.open();
  const digest = new Digest(options.hashes);
  if (size !== null && size <= options.inlineBytes) {
    await options.sampled(() => needSpace(options, size));
    const data = await stream.all();
    checkAbort(signal);
    digest.add(data);
    return { id: options.newId(), data, directories: [], ...digest.end() };
  }
  if (size === null) {
    const held = await upTo(stream, options.inlineBytes, signal);
    if (held.ended) {
      await options.room(held.bytes.byteLength, signal);
      digest.add(held.bytes);
      return { id: options.newId(), data: held.bytes, directories: [], ...digest.end() };
    }
    // Awaited here: the stream is closed when this function is left.
    return await toFile(held.bytes, stream, null, digest, signal, options);
  }
  return await toFile(undefined, stream, size, digest, signal, options);
}

/** The beginning of a stream, at least until it has more than `limit` bytes. */
async function upTo(stream: ByteStream, limit: number, signal: AbortSignal | undefined): Promise<{ readonly bytes: Uint8Array; readonly ended: boolean }> {
  const chunks: Uint8Array[] = [];
  let held = 0;
  for (let chunk = await stream.pull(); ; chunk = await stream.pull()) {
    checkAbort(signal);
    if (chunk === undefined) return { bytes: Buffer.concat(chunks), ended: true };
    chunks.push(new Uint8Array(chunk));
    held += chunk.byteLength;
    if (held > limit) return { bytes: Buffer.concat(chunks), ended: false };
  }
}

async function toFile(
  first: Uint8Array | undefined,
  stream: ByteStream,
  size: number | null,
  digest: Digest,
  signal: AbortSignal | undefined,
  options: SpoolOptions,
): Promise<Spooled> {
  const { step, rules } = options;
  await needSpace(options, size ?? 0);
  const id = options.newId();
  const block = join(options.contentDirectory, blockOf(id));
  const path = join(block, String(id % 2 ** 32));
  const directories = [block];
  let made = false;
  try {
    const file = await create(path).catch(async (error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
      await mkdir(block, { recursive: true, mode: 0o700 });
      return create(path);
    });
    made = true;
    try {
      step("write.spool.created");
      let roomed = size === null ? 0 : Infinity;
      let looked = 0;
      let half = size === null ? Infinity : size / 2;
      for (let chunk = first ?? (await stream.pull()); chunk !== undefined; chunk = await stream.pull()) {
        checkAbort(signal);
        digest.add(chunk);
        if (digest.size > options.maxBytes) throw new StoreError("too-large", `a file has at most ${options.maxBytes} bytes`, { applied: false });
        for (; roomed < digest.size; roomed += ROOM_STEP_BYTES) await options.room(ROOM_STEP_BYTES, signal);
        if (digest.size - looked >= LOOK_EVERY_BYTES) {
          looked = digest.size;
          await needSpace(options, 0);
        }
        // Not write(), which may take a part only.
        await file.appendFile(chunk);
        if (digest.size >= half) {
          half = Infinity;
          step("write.spool.half");
        }
      }
      step("write.spool.written");
      if (options.flush && rules.flushesFiles) await file.datasync();
      step("write.spool.synced");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (made) await unlink(path).catch(() => {});
    throw StoreError.is(error) || isNotOurs(error) ? error : diskError(error);
  }
  if (!options.durableBlocks.has(block)) directories.push(dirname(block));
  return { id, data: null, directories, ...digest.end() };
}

function create(path: string): ReturnType<typeof open> {
  return open(path, "wx", 0o600);
}

/** An error of the caller's body is passed on as it is; those of the disk have a system call. */
function isNotOurs(error: unknown): boolean {
  return (error as { readonly syscall?: unknown }).syscall === undefined;
}

async function needSpace({ contentDirectory, minFreeBytes }: SpoolOptions, bytes: number): Promise<void> {
  const free = await freeBytes(contentDirectory).catch((error: unknown) => {
    throw diskError(error);
  });
  if (free - bytes < minFreeBytes) throw new StoreError("no-space", "the disk of the cache directory is nearly full", { applied: false });
}

/** Length, CRC and hashes on the way. */
class Digest {
  size = 0;
  #crc = 0;
  readonly #hashers: readonly (readonly [HashName, Hasher])[];

  constructor(names: readonly HashName[]) {
    this.#hashers = names.map((name) => [name, hasher(name)] as const);
  }

  add(bytes: Uint8Array): void {
    this.size += bytes.byteLength;
    this.#crc = crcOf(bytes, this.#crc);
    for (const [, one] of this.#hashers) one.update(bytes);
  }

  end(): { readonly size: number; readonly crc: number; readonly hashes: Hashes } {
    return { size: this.size, crc: this.#crc, hashes: Object.fromEntries(this.#hashers.map(([name, one]) => [name, one.hex()])) };
  }
}
