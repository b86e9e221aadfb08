/** A store in memory that takes its time and fails on request, for proofs of layers above it. No vitest in here. */
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError, byteStream, layer, stack, uniform } from "../../../src/store/index.ts";
import type { Clock, ErrorCode, ErrorDetails, Operation, Store } from "../../../src/store/index.ts";

export interface Service {
  readonly store: Store;
  /** Before each operation, and again in the middle of each body. */
  delayMs: number;
  /** Calls of these fail before anything happens. */
  readonly failing: Map<Operation, StoreError>;
  /** Bodies of reads break in the middle with this. */
  breaking: StoreError | undefined;
}

export function failure(code: ErrorCode, reason = "made up", details: ErrorDetails = {}): StoreError {
  return new StoreError(code, reason, details);
}

/** Bodies of reads come in two halves, with the delay between them. A signal ends every wait. */
export function service(clock: Clock): Service {
  const wait = async (signal: AbortSignal | undefined): Promise<void> => {
    if (it.delayMs > 0) await clock.sleep(it.delayMs, signal);
  };
  const it: Service = {
    store: stack(
      memory(),
      layer("service", (inner) => ({
        backend: uniform(inner, {
          async around(call, next) {
            const error = it.failing.get(call.operation);
            if (error !== undefined) throw error;
            if (call.operation !== "read") await wait(call.signal).catch((reason: unknown) => stopped(call.signal, reason));
            const reply = await next(call);
            return reply;
          },
          async read(call, next) {
            const error = it.failing.get("read");
            if (error !== undefined) throw error;
            await wait(call.signal).catch((reason: unknown) => stopped(call.signal, reason));
            const { body, ...reply } = await next(call);
            const whole = await body.all();
            const half = Math.ceil(whole.byteLength / 2);
            let part = 0;
            return {
              ...reply,
              body: byteStream({
                length: whole.byteLength,
                async pull() {
                  part++;
                  if (part === 1 && half > 0) return whole.subarray(0, half);
                  if (part === 2) {
                    if (it.breaking !== undefined) throw it.breaking;
                    await wait(call.signal).catch((reason: unknown) => stopped(call.signal, reason));
                    if (half < whole.byteLength) return whole.subarray(half);
                  }
                  return undefined;
                },
              }),
            };
          },
        }),
      })),
    ),
    delayMs: 0,
    failing: new Map(),
    breaking: undefined,
  };
  return it;
}

function stopped(signal: AbortSignal | undefined, reason: unknown): never {
  if (signal?.aborted !== true) throw reason;
  throw new StoreError((reason as { name?: string }).name === "TimeoutError" ? "timeout" : "aborted", "stopped", { cause: reason, applied: false });
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (error: unknown) => (StoreError.is(error) ? error.code : String(error)),
  );
}
