/** The ten operations over archives. */
import { createHash } from "node:crypto";
import { StoreError, spool } from "../../store/index.ts";
import type {
  Account,
  AccountCall,
  Backend,
  Capabilities,
  CopyCall,
  DeleteCall,
  Entry,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  ReadCall,
  ReadReply,
  Source,
  Space,
  SpaceCall,
  StatCall,
  StorePath,
  WriteCall,
} from "../../store/index.ts";
import { nowOf } from "./core.ts";
import type { Extra } from "./format/records.ts";
import { MAX_TYPE_BYTES } from "./format/lines.ts";
import { listPage } from "./lists.ts";
import type { Opened } from "./opened.ts";
import { aborted } from "./semaphore.ts";

export class ArchiveBackend implements Backend {
  readonly capabilities: Capabilities;
  readonly #inner: Backend;
  readonly #opened: () => Opened;

  constructor(inner: Backend, capabilities: Capabilities, opened: () => Opened) {
    this.#inner = inner;
    this.capabilities = capabilities;
    this.#opened = opened;
  }

  /** A view that is young enough to answer from. */
  async #current({ path, fresh, signal }: { readonly path: StorePath; readonly fresh: boolean; readonly signal: AbortSignal | undefined }): Promise<Opened> {
    const opened = this.#opened();
    if (fresh) {
      await opened.groups.known(path, signal);
      await opened.refresher.fresh(signal);
    } else await opened.refresher.ifDue(signal);
    return opened;
  }

  async stat(call: StatCall): Promise<Entry> {
    return (await this.#current(call)).core.index.view.stat(call.path);
  }

  async read(call: ReadCall): Promise<ReadReply> {
    return (await this.#current(call)).reads.read(call);
  }

  async list(call: ListCall): Promise<Page> {
    // One view for all pages is not promised; a refresh between them would only make the listing slower.
    const opened = call.cursor === undefined ? await this.#current(call) : this.#opened();
    return listPage(opened.core.index, call);
  }

  async write(call: WriteCall): Promise<Entry> {
    const opened = this.#opened();
    const { smallBytes } = opened.core.settings;
    const extra = extraOf(call);
    const { size } = call.body;
    if (size !== null && size > smallBytes) return this.#writeLarge(opened, call, call.body, size, extra);
    const release = await opened.admit(size ?? smallBytes, call.signal);
    let spooled: (Source & AsyncDisposable) | undefined;
    try {
      // Complete before it joins anything: one that fails is nobody else's trouble.
      spooled = size === null ? await spool(call.body, { memoryBytes: smallBytes, signal: call.signal }) : undefined;
      const body = spooled ?? call.body;
      if (body.size !== null && body.size > smallBytes) {
        release();
        return await this.#writeLarge(opened, call, body, body.size, extra);
      }
      return await this.#writeSmall(opened, call, body, extra);
    } finally {
      release();
      await spooled?.[Symbol.asyncDispose]();
    }
  }

  async #writeSmall({ core, groups }: Opened, call: WriteCall, body: Source, extra: Extra | undefined): Promise<Entry> {
    const stream = body.open();
    let bytes: Uint8Array;
    try {
      // A copy: after an abort the caller has its own again, while the archive may still be sent.
      bytes = new Uint8Array(await stream.all());
    } finally {
      await stream.close();
    }
    if (call.signal?.aborted === true) throw aborted(call.signal);
    const sha256 = createHash("sha256").update(bytes).digest("base64url");
    const nowMs = nowOf(core);
    const made = await groups.submit(
      { type: "write", path: call.path, body: { bytes, sha256 }, modifiedMs: call.modifiedMs ?? nowMs, extra, nowMs },
      call.signal,
    );
    return made as Entry;
  }

  #writeLarge({ core, solos }: Opened, { path, signal, modifiedMs }: WriteCall, body: Source, size: number, extra: Extra | undefined): Promise<Entry> {
    return solos.write({ path, body, size, modifiedMs: modifiedMs ?? nowOf(core), extra, signal });
  }

  async delete({ path, recursive, signal }: DeleteCall): Promise<void> {
    const { groups } = await this.#current({ path, fresh: false, signal });
    await groups.submit({ type: "delete", path, recursive }, signal);
  }

  async mkdir({ path, existOk, signal }: MkdirCall): Promise<Entry> {
    const { core, groups } = await this.#current({ path, fresh: false, signal });
    return (await groups.submit({ type: "mkdir", path, existOk, nowMs: nowOf(core) }, signal)) as Entry;
  }

  async copy({ path, to, signal }: CopyCall): Promise<Entry> {
    const { core, groups } = await this.#current({ path, fresh: false, signal });
    return (await groups.submit({ type: "copy", path, to, nowMs: nowOf(core) }, signal)) as Entry;
  }

  async move({ path, to, signal }: MoveCall): Promise<Entry> {
    const { core, groups } = await this.#current({ path, fresh: false, signal });
    return (await groups.submit({ type: "move", path, to, nowMs: nowOf(core) }, signal)) as Entry;
  }

  space(call: SpaceCall): Promise<Space> {
    return this.#inner.space(call);
  }

  account(call: AccountCall): Promise<Account> {
    return this.#inner.account(call);
  }
}

function extraOf({ contentType, metadata }: WriteCall): Extra | undefined {
  if (contentType !== undefined && Buffer.byteLength(contentType) > MAX_TYPE_BYTES)
    throw new StoreError("too-large", `a content type has at most ${MAX_TYPE_BYTES} bytes`, { applied: false });
  const meta = metadata === undefined || Object.keys(metadata).length === 0 ? undefined : metadata;
  return contentType === undefined && meta === undefined ? undefined : { type: contentType, meta };
}
