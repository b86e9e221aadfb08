/** The folder of archives in the inner store. Names of archives stay below here: no error that leaves carries one. */
import { StoreError, bytesFrom, calls, continued, hasCode, join, nameOf } from "../../store/index.ts";
import type { Backend, ByteStream, Source, StorePath } from "../../store/index.ts";
import type { StepHook } from "./steps.ts";

/** Tries at one place of an object of which each finds it changed. */
const MOST_ROUNDS = 3;

export interface Listed {
  readonly object: string;
  /** Null: the service does not say. */
  readonly size: number | null;
}

export class Remote {
  readonly #inner: Backend;
  readonly #folder: StorePath;
  readonly #step: StepHook;

  constructor(inner: Backend, folder: StorePath, step: StepHook) {
    this.#inner = inner;
    this.#folder = folder;
    this.#step = step;
  }

  /** False: a failed write may leave a part of an object. */
  get atomic(): boolean {
    return this.#inner.capabilities.atomicWrites === "native";
  }
  /** Parts of objects cost no more than they have bytes. */
  get hasRanges(): boolean {
    return this.#inner.capabilities.readRange === "native";
  }

  /** Every file of the folder, page by page; no folder is an empty one. Asked of the service, whatever caches lie between. */
  async *list(signal: AbortSignal | undefined): AsyncGenerator<readonly Listed[], void, undefined> {
    let cursor: unknown;
    do {
      let page;
      try {
        page = await this.#inner.list(calls.list(this.#folder, { fresh: true, cursor, signal }));
      } catch (error) {
        if (cursor === undefined && hasCode(error, "not-found")) return;
        throw bare(error);
      }
      yield page.entries.flatMap((one) => (one.kind === "file" ? [{ object: nameOf(one.path), size: one.size }] : []));
      this.#step("listed page");
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** Size of an object; undefined where there is none. */
  async sizeOf(object: string, signal?: AbortSignal): Promise<number | null | undefined> {
    try {
      return (await this.#inner.stat(calls.stat(join(this.#folder, object), { fresh: true, signal }))).size;
    } catch (error) {
      if (hasCode(error, "not-found")) return undefined;
      throw bare(error);
    }
  }

  /** Exactly this part of an object, in memory. Where the service has no ranges, the whole is read for it. */
  async readPart(object: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const body = await this.openPart(object, offset, length, signal);
    try {
      return await body.all();
    } finally {
      await body.close();
    }
  }

  /**
   * The same as a stream. An object never changes under its name: one that changed while it was read is the same bytes, sent once more after a lost answer,
   * and the rest is asked for anew.
   */
  async openPart(object: string, offset: number, length: number, signal: AbortSignal | undefined): Promise<ByteStream> {
    let at = 0;
    let rounds = 0;
    const open = (got: number): Promise<ByteStream> => this.#open(object, offset + got, length - got, signal).catch((error: unknown) => again(error, got));
    const again = (error: unknown, got: number): Promise<ByteStream> => {
      if (got > at) rounds = 0;
      at = got;
      if (!hasCode(error, "conflict") || ++rounds >= MOST_ROUNDS) throw partError(error);
      return open(got);
    };
    const first = await open(0);
    return first.inMemory && first.length === length ? first : continued({ length, first, again });
  }

  async #open(object: string, offset: number, length: number, signal: AbortSignal | undefined): Promise<ByteStream> {
    const whole = this.#inner.capabilities.readRange === false;
    const { body } = await this.#inner.read(calls.read(join(this.#folder, object), { range: whole ? undefined : { offset, length }, signal }));
    if (!whole) return body;
    try {
      return bytesFrom((await body.all()).subarray(offset, offset + length));
    } finally {
      await body.close();
    }
  }

  async write(object: string, body: Source | Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#inner.write(calls.write(join(this.#folder, object), body, { signal }));
    } catch (error) {
      throw bare(error);
    }
  }

  /** Success where nothing is there. */
  async delete(object: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#inner.delete(calls.delete(join(this.#folder, object), { signal }));
    } catch (error) {
      if (!hasCode(error, "not-found")) throw bare(error);
    }
  }
}

/** The same error without operation, path and entry: those are of an archive, and no caller's. */
export function bare(error: unknown): unknown {
  if (!StoreError.is(error)) return error;
  const { code, reason, cause, transient, retryAfterMs, applied, attempts, status, store } = error;
  return new StoreError(code, reason, {
    cause,
    transient,
    retryAfterMs: retryAfterMs ?? undefined,
    applied,
    attempts,
    status: status ?? undefined,
    store: store ?? undefined,
  });
}

function partError(error: unknown): unknown {
  // It does not reach so far: it is not the object that was listed.
  return hasCode(error, "bad-range") ? new StoreError("not-found", "an archive is shorter than it was") : bare(error);
}
