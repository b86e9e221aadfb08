/** The Store that callers hold: checks path, options and body once, makes the call, and says errors in the words of the caller's call. */
import type { Backend } from "./backend.ts";
import { discardBody } from "./body.ts";
import type { Body } from "./body.ts";
import { calls } from "./calls.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Control } from "./control.ts";
import type { Entry } from "./entry.ts";
import { StoreError, abortError } from "./errors.ts";
import type { ErrorContext } from "./errors.ts";
import type { ErrorDetails } from "./errors.ts";
import { answered, refuse } from "./guard.ts";
import { closed } from "./life.ts";
import type { Life } from "./life.ts";
import { PagedListing } from "./listing.ts";
import type { Call, Calls, Operation, Page } from "./operations.ts";
import type {
  Account,
  CallOptions,
  CopyOptions,
  DeleteOptions,
  ListOptions,
  Listing,
  MkdirOptions,
  ReadOptions,
  ReadResult,
  Space,
  StatOptions,
  WriteOptions,
} from "./options.ts";
import { isInside, parsePath, rebase } from "./path.ts";
import type { StorePath } from "./path.ts";
import { ReadBody } from "./read-body.ts";
import type { OwnedSource } from "./source.ts";
import type { Made, Store } from "./store.ts";

export interface FrontParts {
  readonly name: string;
  readonly kind: string;
  readonly control: Control;
  readonly backend: Backend;
  readonly inner: readonly Store[];
  readonly layers: Readonly<Record<string, Control>>;
  readonly life: Life;
  readonly text: () => string;
  readonly identities: () => readonly string[];
}

export class Front implements Omit<Store, Made | "open"> {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly inner: readonly Store[];
  readonly layers: Readonly<Record<string, Control>>;
  readonly #parts: FrontParts;
  readonly #backend: Backend;
  readonly #life: Life;
  /** Set when a layer owns this store. */
  #owned = false;

  constructor(parts: FrontParts) {
    this.name = parts.name;
    this.capabilities = parts.backend.capabilities;
    this.inner = parts.inner;
    this.layers = parts.layers;
    this.#parts = parts;
    this.#backend = parts.backend;
    this.#life = parts.life;
  }

  /** What the makers of layers need of a store; undefined for what is no store of this copy of the package. */
  static partsOf(store: Store): FrontParts | undefined {
    const given: unknown = store;
    return typeof given === "object" && given !== null && #parts in given ? given.#parts : undefined;
  }

  /** A store can be wrapped once. */
  static own(store: Store): boolean {
    const given: unknown = store;
    if (typeof given !== "object" || given === null || !(#parts in given) || given.#owned) return false;
    given.#owned = true;
    return true;
  }

  /** After all nobody wraps it: what was to do so could not be built. */
  static disown(store: Store): void {
    const given: unknown = store;
    if (typeof given === "object" && given !== null && #parts in given) given.#owned = false;
  }

  async stat(path: string, options?: StatOptions): Promise<Entry> {
    return this.#run(calls.stat(this.#path(path, "stat", options), options), (call) => this.#backend.stat(call));
  }

  async read(path: string, options?: ReadOptions): Promise<ReadResult> {
    const call = calls.read(this.#path(path, "read", options), options);
    const reply = await this.#run(call, (one) => this.#backend.read(one));
    if (this.#life.ended && !reply.body.inMemory) {
      await reply.body.close();
      throw this.#explain(new StoreError("closed", "the store is closed"), call);
    }
    return new ReadBody(reply, { bodies: this.#life.bodies, explain: (error) => this.#explain(error, call) });
  }

  async write(path: string, body: Body, options?: WriteOptions): Promise<Entry> {
    // The body is ours from here on, whatever else is wrong; all of this happens in one turn, before a stream can say that it failed.
    let call: Calls["write"];
    try {
      call = calls.write(this.#path(path, "write", options), body, options);
    } catch (error) {
      await discardBody(body);
      throw error instanceof TypeError ? error : this.#explain(error, { operation: "write", path } as Call);
    }
    try {
      return await this.#run(call, (one) => this.#backend.write(one));
    } finally {
      if (!call.body.inMemory) await (call.body as Partial<OwnedSource>).discard?.();
    }
  }

  list(dir: string, options?: ListOptions): Listing {
    return new PagedListing(async (cursor) => {
      const path = this.#path(dir, "list", options);
      // Those two are for layers, which ask for pages themselves.
      for (const key of ["cursor", "ifNoneMatch"]) if (options !== undefined && key in options) throw new TypeError(`list has no option "${key}"`);
      const call = calls.list(path, options);
      return this.#run(cursor === undefined ? call : { ...call, cursor }, (one): Promise<Page> => this.#backend.list(one));
    });
  }

  async delete(path: string, options?: DeleteOptions): Promise<void> {
    return this.#run(calls.delete(this.#path(path, "delete", options), options), (call) => this.#backend.delete(call));
  }

  async mkdir(path: string, options?: MkdirOptions): Promise<Entry> {
    return this.#run(calls.mkdir(this.#path(path, "mkdir", options), options), (call) => answered(call, this.#backend) ?? this.#backend.mkdir(call));
  }

  async copy(from: string, to: string, options?: CopyOptions): Promise<Entry> {
    return this.#run(calls.copy(...this.#paths(from, to, "copy", options), options), (call) => answered(call, this.#backend) ?? this.#backend.copy(call));
  }

  async move(from: string, to: string, options?: CopyOptions): Promise<Entry> {
    return this.#run(calls.move(...this.#paths(from, to, "move", options), options), (call) => answered(call, this.#backend) ?? this.#backend.move(call));
  }

  async space(options?: CallOptions): Promise<Space> {
    return this.#run(calls.space(options), (call) => this.#backend.space(call));
  }

  async account(options?: CallOptions): Promise<Account> {
    return this.#run(calls.account(options), (call) => this.#backend.account(call));
  }

  async open(options?: CallOptions): Promise<this> {
    await this.#lifecycle("open", options, (signal) => this.#life.open(signal));
    return this;
  }

  async reconnect(options?: CallOptions): Promise<void> {
    await this.#lifecycle("reconnect", options, (signal) => this.#life.reconnect(signal));
  }

  async close(options?: CallOptions): Promise<void> {
    await this.#lifecycle("close", options, (signal) => this.#life.close(signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  toString(): string {
    return this.#parts.text();
  }

  async #lifecycle(
    operation: "open" | "reconnect" | "close",
    options: CallOptions | undefined,
    work: (signal: AbortSignal | undefined) => Promise<void>,
  ): Promise<void> {
    const { signal } = calls.space(options);
    try {
      await work(signal);
    } catch (error) {
      throw StoreError.is(error) ? error.with({ store: error.store ?? this.name, operation, path: undefined, to: undefined, cause: error.cause }) : error;
    }
  }

  /** One call: closed, aborted and undeclared are refused in this order, before anything is asked of anybody. */
  async #run<C extends Call, R>(call: C, work: (call: C) => Promise<R>): Promise<R> {
    try {
      const wait = this.#life.enter(call.signal);
      if (wait !== undefined) await wait;
      try {
        if (call.signal?.aborted === true) throw abortError(call.signal, { applied: false });
        refuse(call, this.capabilities);
        return await work(call);
      } finally {
        this.#life.leave();
      }
    } catch (error) {
      throw this.#explain(error, call);
    }
  }

  /** Refusals come in one order on every store: closed, aborted, path, then the rest. */
  #path(path: string, operation: Operation, options: CallOptions | undefined): StorePath {
    const context = (): ErrorContext => ({ store: this.name, operation, path: path as StorePath });
    if (this.#life.ended) throw closed().with({ ...context(), cause: undefined });
    if (options?.signal instanceof AbortSignal && options.signal.aborted) throw abortError(options.signal, { ...context(), applied: false });
    try {
      return parsePath(path);
    } catch (error) {
      throw StoreError.is(error) ? error.with({ ...context(), cause: error.cause }) : error;
    }
  }

  /** Whichever of the two is wrong, the error names both, as the caller gave them. */
  #paths(from: string, to: string, operation: "copy" | "move", options: CallOptions | undefined): readonly [StorePath, StorePath] {
    try {
      return [this.#path(from, operation, options), this.#path(to, operation, options)];
    } catch (error) {
      throw StoreError.is(error) ? error.with({ path: from as StorePath, to: to as StorePath, cause: error.cause }) : error;
    }
  }

  /** The caller's operation and paths; the store where the error was born. */
  #explain(error: unknown, call: Call): unknown {
    if (!StoreError.is(error)) return new StoreError("unknown", "something failed that nobody expected", { ...this.#context(call), cause: error });
    const to = "to" in call ? call.to : undefined;
    if (error.operation === call.operation && error.path === call.path && error.to === (to ?? null) && error.store !== null) return error;
    const step = error.operation === null ? undefined : { applied: error.applied };
    return error.with({ ...this.#context(call), store: error.store ?? this.name, cause: error.cause, ...step, ...retold(error, call) });
  }

  #context(call: Call): { readonly store: string; readonly operation: Operation; readonly path: StorePath; readonly to: StorePath | undefined } {
    return { store: this.name, operation: call.operation, path: call.path, to: "to" in call ? call.to : undefined };
  }
}

/** What an error tells beside its paths, in the caller's paths as well: below a prefix or an archive the same things have other names. */
function retold(error: StoreError, call: Call): ErrorDetails {
  const to = "to" in call ? call.to : undefined;
  const place = (path: StorePath): StorePath => {
    if (error.to !== null && to !== undefined && isInside(path, error.to)) return rebase(path, error.to, to);
    if (error.path !== null && isInside(path, error.path)) return rebase(path, error.path, call.path);
    if (isInside(path, call.path) || (to !== undefined && isInside(path, to))) return path;
    return error.code === "already-exists" ? (to ?? call.path) : call.path;
  };
  const { entry, partial } = error;
  return {
    ...(entry === null ? undefined : { entry: { ...entry, path: place(entry.path) } }),
    ...(partial === null ? undefined : { partial: { done: partial.done, at: place(partial.at) } }),
  };
}
