/**
 * Writes down and counts what a check asks of a store, without standing in between: the ten operations of the store object itself are shadowed, so
 * the check holds the very store that `open` gave, with its brand, its layers and its private members.
 *
 *   const recorder = createRecorder({ wire });
 *   recorder.watch(store, 0);
 *   ...
 *   recorder.lines;      // "0  write "/a.bin", 70000 bytes -> file of 70000 bytes (3 ms)"
 */
import { types } from "node:util";
import type { Listing, ReadResult, Store } from "../store/index.ts";
import { show } from "./show.ts";
import type { Wire } from "./wire/wire.ts";

/** Called before each call that reaches the store; rejects to stop it (request budgets), waits to slow it down (rates). */
export type Gate = () => void | Promise<void>;

export interface Recorder {
  readonly calls: number;
  readonly lines: readonly string[];
  /** False where the object lets nothing be shadowed: then there is no transcript, and no budget can be kept. */
  watch(store: Store, connection: number): boolean;
}

const kept = 400;
const promised = ["stat", "read", "write", "delete", "mkdir", "copy", "move", "space", "account", "open", "reconnect", "close"] as const;
const lifecycle = new Set<string>(["open", "reconnect", "close"]);

export function createRecorder(options: { readonly wire?: Wire | undefined; readonly gate?: Gate | undefined }): Recorder {
  const { wire, gate } = options;
  const lines: string[] = [];
  let calls = 0;
  let dropped = 0;
  let seen = 0;

  const say = (line: string): void => {
    lines.push(line);
    if (lines.length > kept) {
      lines.splice(0, lines.length - kept);
      dropped += 1;
    }
  };
  const exchanges = (): void => {
    if (wire === undefined) return;
    // After a `clear` of the check the list starts again.
    if (wire.exchanges.length < seen) seen = 0;
    for (const exchange of wire.exchanges.slice(seen)) {
      say(
        `     ${exchange.method} ${exchange.target} -> ${exchange.status ?? "no answer"}, ${exchange.bytesUp} bytes up, ${exchange.bytesDown} down${exchange.fault === null ? "" : `, fault: ${exchange.fault}`}`,
      );
    }
    seen = wire.exchanges.length;
  };
  const done = (head: string, started: number, result: string): void => {
    say(`${head} -> ${result} (${Math.round(performance.now() - started)} ms)`);
    exchanges();
  };

  function shadow(store: Store, name: (typeof promised)[number], connection: number): void {
    const original = store[name] as (...args: unknown[]) => Promise<unknown>;
    const replacement = function (...args: unknown[]): Promise<unknown> {
      const counts = !lifecycle.has(name);
      const head = `${connection}  ${name}${said(args)}`;
      const started = performance.now();
      if (counts) calls += 1;
      // Without a gate the call is made in this very turn, as it would be without a recorder: the order of calls made at once must not change.
      const pending = counts && gate !== undefined ? Promise.resolve(gate()).then(() => original.apply(store, args)) : original.apply(store, args);
      pending.then(
        (value) => done(head, started, result(value)),
        (error: unknown) => done(head, started, show(error)),
      );
      return pending;
    };
    Object.defineProperty(store, name, { value: replacement, configurable: true, writable: true, enumerable: false });
  }

  function shadowList(store: Store, connection: number): void {
    const original = store.list;
    const replacement = (...args: Parameters<Store["list"]>): Listing => {
      const head = `${connection}  list${said(args)}`;
      const listing = original.apply(store, args);
      const counted = async (): Promise<void> => {
        calls += 1;
        await gate?.();
      };
      return {
        async *[Symbol.asyncIterator]() {
          yield* watched(listing, 1, () => 1);
        },
        async *pages() {
          yield* watched(listing.pages(), 1, (page) => page.length);
        },
        async toArray() {
          const started = performance.now();
          try {
            await counted();
            const entries = await listing.toArray();
            done(head, started, `${entries.length} entries`);
            return entries;
          } catch (error) {
            done(head, started, show(error));
            throw error;
          }
        },
      };
      async function* watched<T>(source: AsyncIterable<T>, _step: number, size: (item: T) => number): AsyncGenerator<T, void, undefined> {
        const started = performance.now();
        let entries = 0;
        let outcome = "left early";
        try {
          await counted();
          for await (const item of source) {
            entries += size(item);
            yield item;
          }
          outcome = "all";
        } catch (error) {
          outcome = show(error);
          throw error;
        } finally {
          done(head, started, `${entries} entries, ${outcome}`);
        }
      }
    };
    Object.defineProperty(store, "list", { value: replacement, configurable: true, writable: true, enumerable: false });
  }

  return {
    get calls() {
      return calls;
    },
    get lines() {
      exchanges();
      return dropped === 0 ? lines : [`(${dropped} earlier lines left out)`, ...lines];
    },
    watch(store, connection) {
      // What is defined on a proxy lands on its target, where its own members would meet it again.
      if (!Object.isExtensible(store) || types.isProxy(store)) return false;
      for (const name of promised) shadow(store, name, connection);
      shadowList(store, connection);
      return true;
    },
  };
}

function said(args: readonly unknown[]): string {
  const shown = args.filter((one) => one !== undefined).map(argument);
  return shown.length === 0 ? "" : ` ${shown.join(", ")}`;
}

function argument(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "string") return value.length > 120 ? `${JSON.stringify(value.slice(0, 120))}… (${value.length} characters)` : JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Blob) return `Blob of ${value.size} bytes`;
  if (Symbol.asyncIterator in value) return "a stream";
  if ("open" in value && typeof value.open === "function") return "a reopenable body";
  const members = Object.entries(value).map(([key, member]) => `${key}: ${key === "signal" ? "…" : show(member)}`);
  return `{ ${members.join(", ")} }`;
}

function result(value: unknown): string {
  if (value === undefined) return "done";
  if (typeof value !== "object" || value === null) return show(value);
  if ("entry" in value && "offset" in value) {
    const read = value as ReadResult;
    return `bytes from ${read.offset}, length ${read.length ?? "unknown"}, of ${entryText(read.entry)}`;
  }
  if ("kind" in value && "path" in value) return entryText(value);
  if ("layers" in value) return "done";
  return show(value);
}

function entryText(entry: object): string {
  const { kind, size, etag } = entry as { readonly kind?: unknown; readonly size?: unknown; readonly etag?: unknown };
  return kind === "directory" ? "directory" : `file of ${String(size)} bytes${typeof etag === "string" ? `, etag ${etag}` : ""}`;
}
