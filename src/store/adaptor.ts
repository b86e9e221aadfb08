/** The Backend over a Provider: completes what is missing, verifies lengths and conditions, translates errors once. */
import type { Backend } from "./backend.ts";
import type { ByteRange } from "./body.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Entry } from "./entry.ts";
import { StoreError, abortError, hasCode, saidApplied } from "./errors.ts";
import type { ErrorCode, ErrorContext, ErrorDetails } from "./errors.ts";
import type {
  AccountCall,
  Call,
  CopyCall,
  DeleteCall,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  ReadCall,
  ReadReply,
  SpaceCall,
  StatCall,
  WriteCall,
} from "./operations.ts";
import type { Account, Space } from "./options.ts";
import type { Provider, ProviderRead } from "./provider.ts";
import { copyChunks } from "./map-source.ts";
import { emptyReply, replyFromMemory, replyOf } from "./read-reply.ts";
import { calls } from "./calls.ts";
import { copyByHand } from "./tree-copy.ts";
import { moveByHand } from "./tree-move.ts";
import { deleteTree, listTree } from "./tree.ts";
import { watchedWrite, writtenFromMemory } from "./watched-write.ts";

export class Adaptor implements Backend {
  readonly capabilities: Capabilities;
  readonly #provider: Provider;
  readonly #store: string;

  constructor(provider: Provider, capabilities: Capabilities, store: string) {
    this.#provider = provider;
    this.capabilities = capabilities;
    this.#store = store;
  }

  async stat(call: StatCall): Promise<Entry> {
    try {
      return await this.#provider.stat(call);
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async read(call: ReadCall): Promise<ReadReply> {
    try {
      if (call.range?.length === 0) return emptyReply(call, await this.#provider.stat(calls.stat(call.path, { signal: call.signal, fresh: call.fresh })));
      return await this.#read(call);
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async #read(call: ReadCall): Promise<ReadReply> {
    const { readRange, readSuffix } = this.capabilities;
    const { range } = call;
    const suffix = range !== undefined && range.offset < 0;
    // A last part of a file that only knows ranges from the start: the size is asked for first, and asked again if the file changed in between.
    if (suffix && readSuffix !== "native" && readRange === "native") return this.#readSuffix(call, -range.offset);
    return this.#reply(call, await this.#provider.read(this.#asked(call, (suffix ? readSuffix : readRange) === "native" ? range : undefined)));
  }

  /** The call with those conditions alone that the service itself keeps; the others are compared with the reply. */
  #asked(call: ReadCall, range: ByteRange | undefined): ReadCall {
    const { readIfMatch, readIfNoneMatch } = this.capabilities;
    const ifMatch = readIfMatch === "native" ? call.ifMatch : undefined;
    const ifNoneMatch = readIfNoneMatch === "native" ? call.ifNoneMatch : undefined;
    return range === call.range && ifMatch === call.ifMatch && ifNoneMatch === call.ifNoneMatch ? call : { ...call, range, ifMatch, ifNoneMatch };
  }

  async #readSuffix(call: ReadCall, bytes: number): Promise<ReadReply> {
    for (let tries = 0; tries < 3; tries++) {
      const { size } = await this.#provider.stat(calls.stat(call.path, { signal: call.signal, fresh: true }));
      // Of a file without a known size the whole is asked for: its answer may tell the size, and then it is cut.
      if (size === null) return this.#reply(call, await this.#provider.read(this.#asked(call, undefined)));
      try {
        const reply = await this.#read({ ...call, range: size <= bytes ? undefined : { offset: size - bytes } });
        if (reply.entry.size === size) return reply;
        await reply.body.close();
      } catch (error) {
        // It is shorter by now than where its last part began.
        if (!hasCode(this.#translated(error, call), "bad-range")) throw error;
      }
    }
    throw new StoreError("conflict", "the file changed while it was read");
  }

  #reply(call: ReadCall, came: ProviderRead): ReadReply | Promise<ReadReply> {
    return came.body instanceof Uint8Array ? replyFromMemory(call, came, came.body) : replyOf(call, came, (error) => this.#translated(error, call));
  }

  async write(call: WriteCall): Promise<Entry> {
    const provider = this.#provider;
    if (!call.body.inMemory)
      return watchedWrite(
        call,
        this.capabilities,
        (one) => provider.write(provider.keepsChunks === false ? one : { ...one, body: copyChunks(one.body) }),
        (error, facts) => this.#translated(error, call, facts),
      );
    try {
      return writtenFromMemory(call, await provider.write(call));
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async list(call: ListCall): Promise<Page> {
    try {
      if (call.recursive && this.capabilities.listRecursive !== "native") return await listTree(call, (one) => this.list(one));
      const page = await this.#provider.list(call);
      // The same cursor is the same page: without this a service that forgets where it was is read for ever.
      if (call.cursor !== undefined && page.cursor === call.cursor)
        throw new StoreError("unavailable", "the listing does not go on: the service gave the same page again");
      return page;
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async delete(call: DeleteCall): Promise<void> {
    try {
      if (call.recursive && this.capabilities.deleteRecursive !== "native") await deleteTree(call, this);
      else await this.#provider.delete(call);
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async mkdir(call: MkdirCall): Promise<Entry> {
    try {
      return await this.#method("mkdir")(call);
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async copy(call: CopyCall): Promise<Entry> {
    try {
      if (this.capabilities.copy !== "native") return await copyByHand(call, this, undefined);
      try {
        return await this.#nativeCopy(call);
      } catch (error) {
        if (this.capabilities.copyTree !== "emulated" || !(await this.#isTree(error, call))) throw error;
        return await copyByHand(call, this, (one) => this.#nativeCopy(one));
      }
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async #nativeCopy(call: CopyCall): Promise<Entry> {
    try {
      return await this.#method("copy")(call);
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async move(call: MoveCall): Promise<Entry> {
    try {
      if (this.capabilities.move !== "native") return await moveByHand(call, this);
      try {
        return await this.#method("move")(call);
      } catch (error) {
        const known = this.#translated(error, call);
        if (this.capabilities.moveTree !== "emulated" || !(await this.#isTree(known, call))) throw known;
        return await moveByHand(call, this);
      }
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  /** `is-a-directory` may speak of the source, which is then walked, or of the target. */
  async #isTree(error: unknown, call: CopyCall | MoveCall): Promise<boolean> {
    if (!hasCode(error, "is-a-directory")) return false;
    return (await this.stat(calls.stat(call.path, { signal: call.signal, detail: "basic" }))).kind === "directory";
  }

  async space(call: SpaceCall): Promise<Space> {
    try {
      return await this.#method("space")(call);
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  async account(call: AccountCall): Promise<Account> {
    try {
      return await this.#method("account")(call);
    } catch (error) {
      throw this.#translated(error, call);
    }
  }

  #method<M extends "mkdir" | "copy" | "move" | "space" | "account">(name: M): NonNullable<Provider[M]> {
    const method = this.#provider[name];
    if (method === undefined) throw new StoreError("unsupported", `this store does not support ${name}`, { applied: false });
    return method.bind(this.#provider) as NonNullable<Provider[M]>;
  }

  /** Everything thrown becomes one StoreError that names this store and the call; the work of a helper keeps the context it has. */
  #translated(error: unknown, call: Call, facts?: ErrorDetails): StoreError {
    const context: ErrorContext = { store: this.#store, operation: call.operation, path: call.path, to: "to" in call ? call.to : undefined };
    const known = StoreError.is(error) ? error : this.#understood(error, call);
    const { signal } = call;
    // A signal that fired explains what ended without an answer. An answer that came before it stands.
    if (signal?.aborted === true && (known === undefined || WITHOUT_ANSWER.has(known.code)))
      return abortError(signal, {
        ...context,
        ...(known === undefined ? undefined : { applied: saidApplied(known), partial: known.partial ?? undefined }),
        ...facts,
      });
    if (known === undefined) return new StoreError("unknown", "something failed that nobody expected", { ...context, cause: error, ...facts });
    if (known.store !== null && known.operation === call.operation && known.path === call.path) return known;
    // What an inner step of this call knew of its own effect still holds; without a step the default of the whole call does.
    const step = known.operation === null ? undefined : { applied: known.applied };
    return known.with({ ...context, store: known.store ?? this.#store, cause: known.cause, ...step, ...facts });
  }

  /** A translation that fails itself must not hide what it was to explain. */
  #understood(error: unknown, call: Call): StoreError | undefined {
    try {
      const known: unknown = this.#provider.translate?.(error, call);
      return StoreError.is(known) ? known : undefined;
    } catch {
      return undefined;
    }
  }
}

const WITHOUT_ANSWER: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["aborted", "timeout", "unavailable", "unknown"]);
