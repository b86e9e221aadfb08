/**
 * The store below real archive layers in proofs: one folder of objects for several installations. Listings may show each object as it was a while ago; a
 * write or delete may be held back, and then be stored with or without an answer, be refused, or be lost and land later, after its sender gave up.
 */
import { StoreError, createStore, entry, nameOf, parentOf } from "../../../../src/store/index.ts";
import type {
  Capabilities,
  DeleteCall,
  Entry,
  ListCall,
  Page,
  Provider,
  ProviderRead,
  ReadCall,
  StatCall,
  Store,
  StorePath,
  WriteCall,
} from "../../../../src/store/index.ts";

interface Life {
  readonly bytes: Uint8Array;
  readonly from: number;
  to: number;
}
export type Outcome = "ok" | "applied" | "refused" | "denied" | "lost";
/** A change that waits for what becomes of it. */
export interface Held {
  readonly client: Client;
  readonly kind: "put" | "delete";
  readonly path: StorePath;
  readonly bytes: Uint8Array | undefined;
  readonly since: number;
  readonly settle: (outcome: Outcome) => void;
}

export class Service {
  readonly now: () => number;
  readonly settleMs: number;
  /** Every object that ever was, by path, oldest first. */
  readonly #lives = new Map<string, Life>();
  /** Changes without an answer. */
  flight: Held[] = [];
  /** Given up by their sender, and perhaps still on their way. */
  lost: Held[] = [];
  /** How long ago the k-th object is seen by a listing, in milliseconds. */
  stale: readonly number[] = [0];
  /** The page of a listing that fails; counts from 1. */
  failingPage = 0;
  pageSize = 1000;
  /** A listing answers when this does. */
  gate: Promise<void> | undefined;
  /** Grows with everything that happens. */
  events = 0;
  readonly log: string[] = [];
  /** Told of a body when it was sent for the first time, and of each object that appears or goes. */
  onSent: (client: Client, name: string, bytes: Uint8Array) => void = () => {};
  onLanded: (name: string, bytes: Uint8Array) => void = () => {};
  onDeleted: (name: string) => void = () => {};
  /** Said by a strong store that lists late only here. */
  readonly capabilities: Partial<Capabilities>;

  constructor(now: () => number, settleMs: number, lateMs: number) {
    this.now = now;
    this.settleMs = settleMs;
    this.capabilities = {
      readRange: "native",
      readSuffix: "native",
      atomicWrites: "native",
      etag: false,
      listComplete: true,
      directories: "implied",
      modifiedPrecisionMs: 1,
      afterlifeMs: lateMs,
      concurrency: 8,
      consistency: settleMs === 0 ? { read: "strong", list: "strong", settleMs: 0 } : { read: "strong", list: "eventual", settleMs },
    };
  }

  client(name: string): Client {
    return new Client(this, name);
  }

  objects(): [path: string, bytes: Uint8Array][] {
    return [...this.#lives].flatMap(([path, { bytes, to }]) => (to === Infinity ? [[path, bytes] as [string, Uint8Array]] : []));
  }
  object(path: string): Uint8Array | undefined {
    const life = this.#lives.get(path);
    return life === undefined || life.to !== Infinity ? undefined : life.bytes;
  }

  put(path: string, bytes: Uint8Array): void {
    const before = this.#lives.get(path);
    if (before !== undefined && before.to === Infinity && Buffer.compare(before.bytes, bytes) === 0) return; // Sent again.
    this.#lives.delete(path);
    this.#lives.set(path, { bytes: Uint8Array.from(bytes), from: this.now(), to: Infinity });
    this.events++;
    this.onLanded(nameOf(path as StorePath), bytes);
  }
  remove(path: string): void {
    const life = this.#lives.get(path);
    if (life === undefined || life.to !== Infinity) return;
    life.to = this.now();
    this.events++;
    this.onDeleted(nameOf(path as StorePath));
  }

  /** What a listing shows at this moment. */
  listed(): string[] {
    let k = 0;
    return [...this.#lives].flatMap(([path, { from, to }]) => {
      const seen = this.now() - Math.min(this.stale[k++ % this.stale.length] ?? 0, Math.max(0, this.settleMs - 1));
      return from <= seen && seen < to ? [path] : [];
    });
  }
  sizeOf(path: string): number {
    return (this.#lives.get(path) as Life).bytes.length;
  }

  apply({ kind, path, bytes }: Held): void {
    if (kind === "put") this.put(path, bytes as Uint8Array);
    else this.remove(path);
  }

  /** What becomes of the k-th change in flight. */
  answer(k: number, outcome: Outcome): void {
    const held = this.flight[k % this.flight.length];
    if (held === undefined) return;
    this.flight = this.flight.filter((one) => one !== held);
    this.events++;
    if (outcome === "ok" || outcome === "applied") this.apply(held);
    if (outcome === "lost") this.lost.push(held);
    held.settle(outcome);
  }
  land(k: number): void {
    const held = this.lost[k % this.lost.length];
    if (held === undefined) return;
    this.lost = this.lost.filter((one) => one !== held);
    this.apply(held);
  }
  /** What was lost longer ago than this never lands. */
  forgetOlderThan(since: number): void {
    this.lost = this.lost.filter((held) => held.since > since);
  }
}

/** What one installation has of the service; cut off, it reaches nothing any more. */
export class Client implements Provider {
  readonly kind = "proof";
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  readonly service: Service;
  readonly name: string;
  /** Changes wait in `flight`. */
  hold = false;
  /** No request leaves. */
  down = false;
  requests: Record<string, number> = {};
  #cut = false;

  constructor(service: Service, name: string) {
    this.service = service;
    this.name = name;
    this.capabilities = service.capabilities;
  }

  store(): Store {
    return createStore(this);
  }
  /** The process is dead: nothing of it leaves any more; what is in flight lands or does not. */
  cut(): void {
    this.#cut = true;
    const mine = this.service.flight.filter((held) => held.client === this);
    this.service.flight = this.service.flight.filter((held) => held.client !== this);
    this.service.lost.push(...mine);
  }

  #enter(what: string): void {
    this.service.events++;
    this.requests[what] = (this.requests[what] ?? 0) + 1;
    if (this.#cut || this.down) throw new StoreError("unavailable", "no way to the service", { applied: false });
  }

  async stat({ path }: StatCall): Promise<Entry> {
    this.#enter("stat");
    const bytes = this.service.object(path);
    if (bytes !== undefined) return entry({ path, kind: "file", size: bytes.length, modifiedMs: 0 });
    if (path === "/" || this.service.objects().some(([other]) => other.startsWith(`${path}/`))) return entry({ path, kind: "directory" });
    throw new StoreError("not-found", "nothing is there");
  }

  async list({ path, cursor }: ListCall): Promise<Page> {
    this.#enter("list");
    const { service } = this;
    const [page, names] = (cursor ?? [1, undefined]) as [number, readonly string[] | undefined];
    if (page === service.failingPage) throw new StoreError("unavailable", "a page of a listing failed", { applied: false });
    // One look for the whole of it, so that a program says how late it is.
    const left =
      names ??
      service
        .listed()
        .filter((other) => parentOf(other as StorePath) === path)
        .sort();
    await service.gate;
    const now = left.slice(0, service.pageSize);
    const rest = left.slice(service.pageSize);
    const entries = now.map((other) => entry({ path: other as StorePath, kind: "file", size: service.sizeOf(other), modifiedMs: 0 }));
    return { entries, cursor: rest.length > 0 ? [page + 1, rest] : undefined };
  }

  async read({ path, range }: ReadCall): Promise<ProviderRead> {
    this.#enter("read");
    const bytes = this.service.object(path);
    const found = await this.#entryOf(path);
    if (bytes === undefined) throw new StoreError("is-a-directory", "a directory has no bytes");
    if (range === undefined) return { entry: found, body: bytes.slice(), handedOver: true };
    if (range.offset > 0 && range.offset >= bytes.length) throw new StoreError("bad-range", "the range starts past the end", { entry: found });
    const offset = range.offset < 0 ? Math.max(0, bytes.length + range.offset) : range.offset;
    return { entry: found, offset, body: bytes.slice(offset, range.length === undefined ? bytes.length : offset + range.length), handedOver: true };
  }
  async #entryOf(path: StorePath): Promise<Entry> {
    const bytes = this.service.object(path);
    if (bytes !== undefined) return entry({ path, kind: "file", size: bytes.length, modifiedMs: 0 });
    if (this.service.objects().some(([other]) => other.startsWith(`${path}/`))) return entry({ path, kind: "directory" });
    throw new StoreError("not-found", "nothing is there");
  }

  async write({ path, body, signal }: WriteCall): Promise<Entry> {
    this.#enter("write");
    const bytes = await body.open().all();
    if (signal?.aborted === true) throw new StoreError("aborted", "the caller gave up", { applied: false });
    if (this.#cut) throw new StoreError("unavailable", "no way to the service", { applied: false });
    this.service.onSent(this, nameOf(path), bytes);
    await this.#change("put", path, bytes, signal);
    return entry({ path, kind: "file", size: bytes.length, modifiedMs: 0 });
  }

  async delete({ path }: DeleteCall): Promise<void> {
    this.#enter("delete");
    await this.#change("delete", path, undefined, undefined);
  }

  #change(kind: Held["kind"], path: StorePath, bytes: Uint8Array | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { service } = this;
    return new Promise((done, fail) => {
      const held: Held = {
        client: this,
        kind,
        path,
        bytes: bytes === undefined ? undefined : Uint8Array.from(bytes),
        since: service.now(),
        settle: (outcome) => {
          service.events++;
          if (outcome === "ok") done();
          else if (outcome === "refused") fail(new StoreError("unavailable", "the service did not take it", { applied: false }));
          else if (outcome === "denied") fail(new StoreError("permission-denied", "the service refused", { applied: false }));
          else fail(new StoreError("unavailable", "the answer was lost", { applied: "unknown" }));
        },
      };
      if (!this.hold) {
        service.apply(held);
        return done();
      }
      service.flight.push(held);
      service.events++;
      signal?.addEventListener(
        "abort",
        () => {
          if (!service.flight.includes(held)) return;
          service.flight = service.flight.filter((one) => one !== held);
          service.lost.push(held);
          fail(new StoreError("aborted", "the caller gave up", { applied: "unknown", cause: signal.reason }));
        },
        { once: true },
      );
    });
  }
}
