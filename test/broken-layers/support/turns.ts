/** Small helpers of proofs. No vitest in here. */
import { byteStream, layer, uniform } from "../../../src/store/index.ts";
import type { Call, Clock, Layer } from "../../../src/store/index.ts";

/** Lets everything that is ready run, without moving any clock. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((done) => setImmediate(done));
}

/** What a promise has come to by now. */
export async function now<T>(work: Promise<T>): Promise<T | "still running"> {
  await turns();
  return Promise.race([work, new Promise<"still running">((done) => setImmediate(() => done("still running")))]);
}

/** Bodies as a service gives them: not in memory, and in chunks of so many bytes. */
export function streaming(chunkBytes = 1 << 16): Layer<"streaming"> {
  return layer("streaming", (inner) => ({
    backend: uniform(inner, {
      around: (call, next) => next(call),
      async read(call, next) {
        const { body, ...rest } = await next(call);
        const whole = await body.all();
        let at = 0;
        const pull = (): Uint8Array | undefined => {
          const chunk = whole.subarray(at, at + chunkBytes);
          at += chunk.byteLength;
          return chunk.byteLength === 0 ? undefined : chunk;
        };
        return { ...rest, body: byteStream({ length: whole.byteLength, pull }) };
      },
    }),
  }));
}

/** Remembers the calls that came down. */
export function recording(): { readonly calls: Call[]; readonly layer: Layer<"recording"> } {
  const calls: Call[] = [];
  return {
    calls,
    layer: layer("recording", (inner) => ({
      backend: uniform(inner, {
        around(call, next) {
          calls.push(call);
          return next(call);
        },
      }),
    })),
  };
}

/** The same clock, and how many sleep on it. */
export function counted<C extends Clock>(clock: C): C & { readonly sleeping: () => number } {
  let sleeping = 0;
  return {
    ...clock,
    sleeping: () => sleeping,
    async sleep(ms: number, signal?: AbortSignal, options?: { readonly background?: boolean | undefined }) {
      sleeping++;
      try {
        await clock.sleep(ms, signal, options);
      } finally {
        sleeping--;
      }
    },
  };
}

/** Whatever still waits when a proof ends, one that failed too: let go before the store closes, or closing would wait for it. Declare it after the store. */
export function lettingGo(go: () => Promise<unknown>): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await go();
    },
  };
}
