/** What every body of a caller goes through: its errors become `bad-body`, its length and hashes are checked before its last bytes are let go. */
import { abortable, isAsyncIterable, rawSource } from "./raw-source.ts";
import type { Raw, RawBody } from "./raw-source.ts";
import type { Hashes, HashName } from "./entry.ts";
import { StoreError, abortError, hasCode } from "./errors.ts";
import { hasher } from "./hash.ts";
import type { Hasher } from "./hash.ts";

/** Whatever the caller's body throws is `bad-body`, and the caller's own signal ends it. `ours`: what throws are StoreErrors, and they stay. */
export function guarded(start: () => RawBody | Raw, replayable: boolean, signal: AbortSignal | undefined, ours: boolean): Raw {
  let raw: Raw | undefined;
  const begin = (): Raw => {
    const begun = start();
    const plain = "pull" in begun && "close" in begun && !isAsyncIterable(begun) ? begun : rawSource(begun);
    return signal === undefined ? plain : abortable(plain, signal);
  };
  return {
    async pull() {
      try {
        raw ??= begin();
        const chunk: unknown = await raw.pull();
        if (chunk !== undefined && !(chunk instanceof Uint8Array)) throw new TypeError(`a body yields bytes (Uint8Array), not ${typeof chunk}`);
        return chunk;
      } catch (error) {
        // Whatever it says of it: a body that listens to the same signal has words of its own.
        if (signal?.aborted === true) throw abortError(signal, { applied: false });
        if (hasCode(error, "bad-body") || (ours && StoreError.is(error))) throw error;
        throw new StoreError("bad-body", "the body given to write failed", { cause: error });
      }
    },
    async close() {
      // A body that can be opened again holds nothing before it is opened; a stream of the caller's is ours to destroy.
      if (!replayable) raw ??= begin();
      await raw?.close().catch(() => {});
    },
  };
}

/**
 * Holds back the last chunk until the source has ended and length and hashes are right: whoever counts bytes instead of waiting for the
 * end must not get the last one of a wrong body.
 */
export function heldBack(raw: Raw, length: number | null, expect: Hashes | undefined): Raw {
  if (length === null && expect === undefined) return raw;
  const check = expect === undefined ? undefined : new HashCheck(expect);
  let held: Uint8Array | undefined;
  let count = 0;
  let ended = false;
  const next = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      const chunk = await raw.pull();
      if (chunk === undefined) {
        ended = true;
        if (length !== null && count !== length) throw new StoreError("bad-body", `the body ended after ${count} of ${length} bytes`);
        check?.verify();
        return undefined;
      }
      if (chunk.byteLength === 0) continue;
      count += chunk.byteLength;
      if (length !== null && count > length) throw new StoreError("bad-body", `the body is longer than ${length} bytes`);
      check?.update(chunk);
      return chunk;
    }
  };
  return {
    async pull() {
      if (ended) return undefined;
      // Only a chunk that may be the last is worth holding back: with a known length that is the one that reaches it.
      // It is copied, because the source may use its buffer again for what it is asked next.
      if (length !== null && check === undefined) {
        const chunk = await next();
        if (chunk === undefined || count < length) return chunk;
        const last = new Uint8Array(chunk);
        await next();
        return last;
      }
      held ??= await next();
      const out = held;
      if (out === undefined) return undefined;
      const kept = new Uint8Array(out);
      held = await next();
      return kept;
    },
    close: () => raw.close(),
  };
}

export class HashCheck {
  readonly #checks: readonly { readonly name: HashName; readonly expected: string; readonly hasher: Hasher }[];
  constructor(expect: Hashes) {
    this.#checks = (Object.entries(expect) as [HashName, string | undefined][]).flatMap(([name, expected]) =>
      expected === undefined ? [] : [{ name, expected, hasher: hasher(name) }],
    );
  }
  update(bytes: Uint8Array): void {
    for (const check of this.#checks) check.hasher.update(bytes);
  }
  verify(): void {
    for (const { name, expected, hasher: sum } of this.#checks) {
      const actual = sum.hex();
      if (actual !== expected) throw new StoreError("integrity", `the body hashes to another ${name} than expected`, { applied: false });
    }
  }
}
