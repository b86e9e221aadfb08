/**
 * A directory of a store as a store of its own: `prefix("/tenants/7")`. Nothing outside of it can be named, and no answer or error tells where it lies.
 *
 *   const tenant = stack(s3({ bucket: "app" }), prefix("/tenants/7"));
 *   await tenant.write("/photo.jpg", bytes);           // /tenants/7/photo.jpg of the bucket
 *
 * Its root is always there, as every root is: the directory is made by the first change that needs it.
 */
import { StoreError, entry, hasCode, isInside, kindOf, layer, parsePath, rebase, root } from "../store/index.ts";
import type {
  Account,
  AccountCall,
  Backend,
  Capabilities,
  Control,
  CopyCall,
  DeleteCall,
  Entry,
  Kind,
  Layer,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  ReadCall,
  ReadReply,
  Space,
  SpaceCall,
  StatCall,
  StorePath,
  WriteCall,
} from "../store/index.ts";

/** @throws StoreError `invalid-path` */
export function prefix(directory: string): Layer<"prefix"> {
  const base = parsePath(directory);
  return layer("prefix", (inner) => ({ backend: new PrefixBackend(inner, base), describe: () => `directory=${base}`, identity: () => `prefix:${base}` }));
}

export const Prefix: Kind<Control> = kindOf("prefix");

class PrefixBackend implements Backend {
  readonly capabilities: Capabilities;
  readonly #inner: Backend;
  readonly #directory: StorePath;

  constructor(inner: Backend, directory: StorePath) {
    this.#inner = inner;
    this.#directory = directory;
    const { capabilities } = inner;
    const used = directory === root ? 0 : Buffer.byteLength(directory);
    if (used > capabilities.maxPathBytes) throw new StoreError("config", "the directory of this prefix has a longer path than the store takes");
    // Files of the prefix's root are not in the root of the store.
    this.capabilities = Object.freeze({
      ...capabilities,
      maxPathBytes: capabilities.maxPathBytes - used,
      filesAtRoot: capabilities.filesAtRoot || directory !== root,
    });
  }

  #down(path: StorePath): StorePath {
    return rebase(path, root, this.#directory);
  }

  #path(path: StorePath): StorePath {
    if (!isInside(path, this.#directory)) throw new StoreError("unknown", "the store answered with a path outside of the prefix");
    return rebase(path, this.#directory, root);
  }

  #up(found: Entry): Entry {
    return { ...found, path: this.#path(found.path) };
  }

  /** What an error says of entries and of how far it came is in our paths too; its own path the front puts right. */
  #error(error: unknown): unknown {
    if (!StoreError.is(error) || (error.entry === null && error.partial === null)) return error;
    const { cause, entry: found, partial } = error;
    return error.with({
      cause,
      entry: found === null ? undefined : this.#up(found),
      partial: partial === null ? undefined : { ...partial, at: this.#path(partial.at) },
    });
  }

  async stat(call: StatCall): Promise<Entry> {
    try {
      return this.#root(call.path, this.#up(await this.#inner.stat({ ...call, path: this.#down(call.path) })));
    } catch (error) {
      if (call.path === root && hasCode(error, "not-found")) return entry({ path: root, kind: "directory" });
      throw this.#error(error);
    }
  }

  /** The root of a store is a directory, or there is no store. */
  #root(path: StorePath, found: Entry): Entry {
    if (path === root && found.kind !== "directory") throw notADirectory();
    return found;
  }

  async read(call: ReadCall): Promise<ReadReply> {
    try {
      const reply = await this.#inner.read({ ...call, path: this.#down(call.path) });
      return { ...reply, entry: this.#up(reply.entry) };
    } catch (error) {
      throw this.#error(error);
    }
  }

  async write(call: WriteCall): Promise<Entry> {
    try {
      return this.#up(await this.#inner.write({ ...call, path: this.#down(call.path) }));
    } catch (error) {
      throw this.#error(error);
    }
  }

  async list(call: ListCall): Promise<Page> {
    try {
      const page = await this.#inner.list({ ...call, path: this.#down(call.path) });
      return { ...page, entries: page.entries.map((found) => this.#up(found)) };
    } catch (error) {
      if (call.path === root && call.cursor === undefined && hasCode(error, "not-found")) return { entries: [] };
      if (call.path === root && hasCode(error, "not-a-directory")) throw notADirectory();
      throw this.#error(error);
    }
  }

  async delete(call: DeleteCall): Promise<void> {
    try {
      await this.#inner.delete({ ...call, path: this.#down(call.path) });
    } catch (error) {
      throw this.#error(error);
    }
  }

  async mkdir(call: MkdirCall): Promise<Entry> {
    try {
      if (call.path === root && !call.existOk) throw new StoreError("already-exists", "the root is always there", { applied: false });
      return this.#up(await this.#inner.mkdir({ ...call, path: this.#down(call.path) }));
    } catch (error) {
      throw this.#error(error);
    }
  }

  async copy(call: CopyCall): Promise<Entry> {
    try {
      return this.#up(await this.#inner.copy({ ...call, path: this.#down(call.path), to: this.#down(call.to) }));
    } catch (error) {
      throw this.#error(error);
    }
  }

  async move(call: MoveCall): Promise<Entry> {
    try {
      return this.#up(await this.#inner.move({ ...call, path: this.#down(call.path), to: this.#down(call.to) }));
    } catch (error) {
      throw this.#error(error);
    }
  }

  space(call: SpaceCall): Promise<Space> {
    return this.#inner.space(call);
  }

  account(call: AccountCall): Promise<Account> {
    return this.#inner.account(call);
  }
}

function notADirectory(): StoreError {
  return new StoreError("config", "the directory of this prefix is a file", { applied: false });
}
