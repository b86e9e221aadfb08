/**
 * A store that nobody can change through this: every change is refused with `unsupported`, and the capabilities say so beforehand.
 *
 *   const archive = stack(local({ directory: "/srv/archive" }), readOnly());
 */
import { StoreError, kindOf, layer } from "../store/index.ts";
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
  WriteCall,
} from "../store/index.ts";

export function readOnly(): Layer<"readOnly"> {
  return layer("readOnly", (inner) => ({ backend: new ReadOnlyBackend(inner) }));
}

export const ReadOnly: Kind<Control> = kindOf("readOnly");

class ReadOnlyBackend implements Backend {
  readonly capabilities: Capabilities;
  readonly #inner: Backend;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.capabilities = Object.freeze({
      ...inner.capabilities,
      write: false,
      writeIfAbsent: false,
      writeIfMatch: false,
      writeUnknownSize: false,
      writeModified: false,
      writeContentType: false,
      writeMetadata: false,
      writeExpect: [],
      delete: false,
      deleteRecursive: false,
      deleteIfMatch: false,
      mkdir: false,
      exclusiveMkdir: false,
      copy: false,
      copyTree: false,
      copyIfAbsent: false,
      move: false,
      moveTree: false,
      moveIfAbsent: false,
    } satisfies Capabilities);
  }

  stat(call: StatCall): Promise<Entry> {
    return this.#inner.stat(call);
  }
  read(call: ReadCall): Promise<ReadReply> {
    return this.#inner.read(call);
  }
  list(call: ListCall): Promise<Page> {
    return this.#inner.list(call);
  }
  space(call: SpaceCall): Promise<Space> {
    return this.#inner.space(call);
  }
  account(call: AccountCall): Promise<Account> {
    return this.#inner.account(call);
  }

  // The capabilities refuse these before they come here; a second lock costs nothing.
  async write(_call: WriteCall): Promise<Entry> {
    throw refused();
  }
  async delete(_call: DeleteCall): Promise<void> {
    throw refused();
  }
  async mkdir(_call: MkdirCall): Promise<Entry> {
    throw refused();
  }
  async copy(_call: CopyCall): Promise<Entry> {
    throw refused();
  }
  async move(_call: MoveCall): Promise<Entry> {
    throw refused();
  }
}

function refused(): StoreError {
  return new StoreError("unsupported", "this store is read-only", { applied: false });
}
