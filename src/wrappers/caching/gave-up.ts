/** What the caller's signal becomes. */
import { StoreError } from "../../store/index.ts";

export function gaveUp(signal: AbortSignal): StoreError {
  const { reason } = signal as { readonly reason: unknown };
  const late = typeof reason === "object" && reason !== null && (reason as { readonly name?: unknown }).name === "TimeoutError";
  return new StoreError(late ? "timeout" : "aborted", "the caller gave up while the call waited", { applied: false, cause: reason });
}

export function checkAbort(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw gaveUp(signal);
}

/** What `work` gives, unless the caller leaves before; the work goes on for others. */
export function orGone<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((done, fail) => {
    const leave = (): void => fail(gaveUp(signal));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", leave));
  });
}
