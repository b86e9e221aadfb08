/** The Backend over a Provider: completes what is missing, verifies lengths and conditions, translates errors once. */
import type { Backend } from "./backend.ts";
import { watchSource } from "./map-source.ts";
import type { Source } from "./source.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Entry } from "./entry.ts";
import { StoreError, abortError, hasCode } from "./errors.ts";
import type { ErrorContext, ErrorDetails } from "./errors.ts";
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
import { emptyReply, replyOf } from "./read-reply.ts";
import { spool } from "./spool.ts";
import { calls } from "./calls.ts";
import { copyByHand, moveByHand } from "./tree-copy.ts";
import { deleteTree, listTree } from "./tree.ts";

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
    const { readRange, readSuffix, readIfMatch, readIfNoneMatch } = this.capabilities;
    const { range } = call;
    const suffix = range !== undefined && range.offset < 0;
    // A last part of a file that only knows ranges from the start: the size is asked for first, and asked again if the file changed in between.
    if (suffix && readSuffix !== "native" && readRange === "native") return this.#readSuffix(call, -range.offset);
    const asked: ReadCall = {
      ...call,
      range: (suffix ? readSuffix : readRange) === "native" ? range : undefined,
      ifMatch: readIfMatch === "native" ? call.ifMatch : undefined,
      ifNoneMatch: readIfNoneMatch === "native" ? call.ifNoneMatch : undefined,
    };
    return this.#reply(call, await this.#provider.read(asked));
  }

  async #readSuffix(call: ReadCall, bytes: number): Promise<ReadReply> {
    for (let tries = 0; tries < 3; tries++) {
      const { size } = await this.#provider.stat(calls.stat(call.path, { signal: call.signal, fresh: call.fresh }));
      const reply = await this.#read({ ...call, range: size === null || size <= bytes ? undefined : { offset: size - bytes } });
      if (reply.entry.size === size || size === null) return reply;
      await reply.body.close();
    }
    throw new StoreError("conflict", "the file changed while it was read");
  }

  #reply(call: ReadCall, came: ProviderRead): Promise<ReadReply> {
    return replyOf(call, came, (error) => this.#translated(error, call));
  }

  async write(call: WriteCall): Promise<Entry> {
    // What is in memory cannot fail on the way, so nobody needs to watch it.
    if (call.body.inMemory) {
      try {
        return this.#checked(call.body.size, await this.#provider.write(call));
      } catch (error) {
        throw this.#translated(error, call);
      }
    }
    let failure: { readonly error: unknown } | undefined;
    let held: (Source & Partial<AsyncDisposable>) | undefined;
    try {
      held = await this.#sized(call);
      const limit = this.#limit(call, held.size);
      const body = watchSource(held, () => ({
        ...(limit === undefined ? undefined : { chunk: limit() }),
        end: ({ error }) => {
          if (error !== undefined) failure = { error };
        },
      }));
      return this.#checked(held.size, await this.#provider.write({ ...call, body }));
    } catch (error) {
      // What the body failed of comes before whatever the service or its SDK made of it.
      throw this.#translated(failure === undefined ? error : failure.error, call, failure === undefined ? undefined : { applied: this.#appliedOf(error) });
    } finally {
      await held?.[Symbol.asyncDispose]?.();
    }
  }

  /** After a failed body nothing is stored, unless the provider knows better. */
  #appliedOf(error: unknown): ErrorDetails["applied"] {
    return StoreError.is(error) && error.applied !== false ? error.applied : false;
  }

  /** The body with its size known, where the service has to know it beforehand. */
  async #sized({ body, ifAbsent, ifMatch, signal }: WriteCall): Promise<Source & Partial<AsyncDisposable>> {
    const { writeUnknownSize, maxConditionalBytes } = this.capabilities;
    const conditional = ifAbsent || ifMatch !== undefined;
    if (body.size !== null || (writeUnknownSize === "native" && !(conditional && maxConditionalBytes !== Infinity))) return body;
    const spooled = await spool(body, { signal });
    const { size } = spooled;
    const most = conditional ? Math.min(maxConditionalBytes, this.capabilities.maxFileBytes) : this.capabilities.maxFileBytes;
    if (size === null || size <= most) return spooled;
    await spooled[Symbol.asyncDispose]();
    throw new StoreError("too-large", `the body has ${size} bytes; at most ${most} are taken`, { applied: false });
  }

  /** For bodies of unknown size: a counter that stops them at what the service takes. */
  #limit(call: WriteCall, size: number | null): (() => (bytes: Uint8Array) => void) | undefined {
    const most = Math.min(this.capabilities.maxUnknownBytes, this.capabilities.maxFileBytes);
    if (size !== null || most === Infinity) return undefined;
    return () => {
      let count = 0;
      return (bytes) => {
        count += bytes.byteLength;
        if (count > most) throw new StoreError("too-large", `a body of unknown size has at most ${most} bytes here`, { applied: false });
      };
    };
  }

  #checked(size: number | null, entry: Entry): Entry {
    if (size !== null && entry.size !== null && entry.size !== size)
      throw new StoreError("integrity", `the service stored ${entry.size} of ${size} bytes`, { applied: true, entry });
    return entry;
  }

  async list(call: ListCall): Promise<Page> {
    try {
      if (call.recursive && this.capabilities.listRecursive !== "native") return await listTree(call, (one) => this.list(one));
      return await this.#provider.list(call);
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
    return (await this.#provider.stat(calls.stat(call.path, { signal: call.signal, detail: "basic" }))).kind === "directory";
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
    const known = StoreError.is(error) ? error : this.#provider.translate?.(error, call);
    const { signal } = call;
    // A signal that fired explains what ended without an answer. An answer that came before it stands.
    if (
      signal?.aborted === true &&
      (known === undefined || known.code === "aborted" || known.code === "timeout" || known.code === "unavailable" || known.code === "unknown")
    )
      return abortError(signal, { ...context, ...toldOf(known), ...facts });
    if (known === undefined) return new StoreError("unknown", "something failed that nobody expected", { ...context, cause: error, ...facts });
    if (known.store !== null && known.operation === call.operation && known.path === call.path) return known;
    // What an inner step of this call knew of its own effect still holds; without a step the default of the whole call does.
    const step = known.operation === null ? undefined : { applied: known.applied };
    return known.with({ ...context, store: known.store ?? this.#store, cause: known.cause, ...step, ...facts });
  }
}

/** What an error says of the change itself: "false" only where it was said, not where it is merely the default of an error without a call. */
function toldOf(known: StoreError | undefined): ErrorDetails | undefined {
  if (known === undefined || (known.applied === false && known.operation === null)) return undefined;
  return { applied: known.applied, partial: known.partial ?? undefined };
}
