/** A layer that does what a test says to single calls, and counts them. */
import { StoreError, layer, uniform } from "../../src/store/index.ts";
import type { Call, ErrorCode, ErrorDetails, Layer, Operation, ReadReply, Store } from "../../src/store/index.ts";

export interface Script {
  /** Every call that came down. */
  readonly calls: Call[];
  /** Throws, waits, or does nothing. */
  before: ((call: Call, count: number) => void | Promise<void>) | undefined;
  /** After the call below succeeded: the answer may be lost. */
  after: ((call: Call, count: number) => void | Promise<void>) | undefined;
  /** Changes the reply of a read. */
  body: ((reply: ReadReply, count: number) => ReadReply) | undefined;
  count(operation: Operation): number;
}

export function scripted(): Script & { readonly layer: Layer<"scripted"> } {
  const script: Script = {
    calls: [],
    before: undefined,
    after: undefined,
    body: undefined,
    count: (operation) => script.calls.filter((call) => call.operation === operation).length,
  };
  return Object.assign(script, {
    layer: layer("scripted", (inner) => ({
      backend: uniform(inner, {
        async around(call, next) {
          const count = script.calls.push(call);
          await script.before?.(call, count);
          const reply = await next(call);
          await script.after?.(call, count);
          return reply;
        },
        async read(call, next) {
          const count = script.calls.push(call);
          await script.before?.(call, count);
          const reply = await next(call);
          return script.body?.(reply, count) ?? reply;
        },
      }),
    })),
  });
}

export function failure(code: ErrorCode, details: ErrorDetails = {}): StoreError {
  return new StoreError(code, "made up", details);
}

export async function code(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (error: unknown) => (StoreError.is(error) ? error.code : String(error)),
  );
}

export async function paths(store: Store, dir = "/", recursive = false): Promise<string[]> {
  return (await store.list(dir, { recursive }).toArray()).map(({ path }) => path as string).sort();
}
