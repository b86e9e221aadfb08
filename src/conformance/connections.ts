/**
 * Opens and closes the stores of one check: the subject's store with the layers of the stack on top, as many connections as the check asks for.
 */
import { stack } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import type { Site } from "./place.ts";
import type { Recorder } from "./recorder.ts";
import type { SecondChannel, Subject } from "./subject.ts";

/** How long closing may take before the check fails with it. */
const closeMs = 15_000;
/** And how long after its signal fired. */
const graceMs = 5000;
/** The number of the connection that cleans up; no check asks for so many. */
const cleaner = 9999;

/** The subject or the machine failed, not the store: reported as `infra-error`. */
export class HarnessError extends Error {
  override readonly name = "HarnessError";
}

export interface Connections {
  /** The store of connection 0. */
  open(connection: number): Promise<Store>;
  /** One for cleaning up: neither written down nor held back by a budget, for what is not cleaned up stays at the service. */
  cleaner(): Promise<Store>;
  next(): Promise<Store>;
  reopen(connection: number): Promise<Store>;
  /** The subject without the layers of the stack, at the same place. */
  bare(): Promise<Store>;
  raw(): Promise<SecondChannel>;
  /** Closes everything that is open, last opened first. Gives what went wrong. */
  close(): Promise<readonly string[]>;
}

export interface ConnectionOptions {
  readonly subject: Subject;
  readonly stack: string | null;
  readonly site: Site;
  readonly recorder: Recorder;
  /** Runs the subject's own code so that what it starts (an emulator) is not taken for a leak of the check. */
  outside<T>(action: () => T): T;
  /** A store whose calls cannot be counted must not be used. */
  readonly mustCount: boolean;
}

export function connections(options: ConnectionOptions): Connections {
  const { subject, site, recorder } = options;
  const open = new Map<number, Store>();
  const channels: SecondChannel[] = [];
  let last = 0;

  async function make(connection: number, layered: boolean): Promise<Store> {
    const place = await site.place(connection);
    let store: Store;
    try {
      store = await options.outside(() => subject.open(place));
    } catch (error) {
      throw new HarnessError(`the subject could not open a store: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    if (site.routedUndeclared) throw new HarnessError("the subject uses place.route or place.fetch: say `wire: true` in the subject");
    if (layered && options.stack !== null) {
      const layers = subject.stacks?.[options.stack];
      if (layers === undefined) throw new HarnessError(`the subject has no stack "${options.stack}"`);
      store = stack(store, ...layers(place));
    }
    open.set(connection, store);
    if (!recorder.watch(store, connection) && options.mustCount) throw new HarnessError("calls of this store cannot be counted, so no budget can be kept");
    return store;
  }

  return {
    open: (connection) => make(connection, true),
    async cleaner() {
      const store = await subject.open(await site.place(cleaner));
      open.set(cleaner, store);
      return store;
    },
    next: () => make((last += 1), true),
    bare: () => make((last += 1), false),
    async reopen(connection) {
      const store = open.get(connection);
      open.delete(connection);
      await store?.close();
      return await make(connection, true);
    },
    async raw() {
      const openRaw = subject.raw?.bind(subject);
      if (openRaw === undefined) throw new HarnessError("the subject offers no second channel");
      let channel: SecondChannel;
      try {
        const place = await site.place(0);
        channel = await options.outside(() => openRaw(place));
      } catch (error) {
        throw new HarnessError(`the subject could not open its second channel: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
      channels.push(channel);
      return channel;
    },
    async close() {
      const problems: string[] = [];
      for (const [connection, store] of [...open].reverse()) {
        open.delete(connection);
        const problem = await ended(store);
        if (problem !== undefined) problems.push(`closing connection ${connection} of ${describe(store)}: ${problem}`);
      }
      for (const channel of channels.splice(0).reverse()) {
        try {
          await channel[Symbol.asyncDispose]();
        } catch (error) {
          problems.push(`closing the second channel: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      return problems;
    },
  };
}

/** Closes with a limit: first a polite signal, then the connection is given up. */
async function ended(store: Store): Promise<string | undefined> {
  const stop = new AbortController();
  const polite = setTimeout(() => stop.abort(new Error("the suite waited long enough")), closeMs);
  const over = Promise.withResolvers<string>();
  const final = setTimeout(() => over.resolve(`it does not end, not even ${graceMs} ms after its signal fired`), closeMs + graceMs);
  try {
    const closing = store.close({ signal: stop.signal }).then(
      () => (stop.signal.aborted ? `it did not end within ${closeMs} ms` : undefined),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    return await Promise.race([closing, over.promise]);
  } catch (error) {
    return `it threw instead of rejecting: ${String(error)}`;
  } finally {
    clearTimeout(polite);
    clearTimeout(final);
  }
}

function describe(store: Store): string {
  try {
    return String(store);
  } catch {
    return "the store";
  }
}
