/** A catalogue over another one, as a process that dies leaves it. */
import type { Catalogue, Transaction } from "../../src/catalogue/index.ts";

const never = new Promise<never>(() => {});

/** Stops for ever at its n-th step: before the step, or after it. Nothing that runs beside it gets further than its own next step. */
export function stopping(
  inner: Catalogue,
  at: number,
  after: boolean,
): { readonly catalogue: Catalogue; readonly stopped: Promise<void>; steps(): number; isStopped(): boolean } {
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let steps = 0;
  let over = false;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (over) return await never;
    const mine = ++steps === at;
    const stop = (): Promise<never> => {
      over = true;
      resolve();
      return never;
    };
    if (mine && !after) return await stop();
    const result = await work();
    if (over) return await never;
    return mine ? await stop() : result;
  };
  // A transaction that was under way when the process died is rolled back.
  const cut = Symbol("cut");
  const inside = (tx: Transaction): Transaction => {
    const one = async <T>(work: () => Promise<T>): Promise<T> => {
      if (over) throw cut;
      return await work();
    };
    return {
      query: (sql, ...values) => one(() => tx.query(sql, ...values)),
      run: (sql, ...values) => one(() => tx.run(sql, ...values)),
      lock: (key) => one(() => tx.lock(key)),
      free: (key) => one(() => tx.free(key)),
    };
  };
  const catalogue: Catalogue = {
    kind: inner.kind,
    migrate: (component, migrations) => inner.migrate(component, migrations),
    query: (sql, ...values) => step(() => inner.query(sql, ...values)),
    run: (sql, ...values) => step(() => inner.run(sql, ...values)),
    transaction: (work) => step(() => inner.transaction((tx) => work(inside(tx))).catch((error: unknown) => (error === cut ? never : Promise.reject(error)))),
    hold: (key) => step(() => inner.hold(key)),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
  return { catalogue, stopped, steps: () => steps, isStopped: () => over };
}
