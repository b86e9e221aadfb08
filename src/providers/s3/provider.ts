/** The provider: opens the parts, gives each verb to its file, and says what the service can. */
import {
  StoreError,
  undone,
  type Account,
  type AccountCall,
  type Call,
  type Capabilities,
  type CopyCall,
  type DeleteCall,
  type Entry,
  type ListCall,
  type MkdirCall,
  type Page,
  type Provider,
  type ProviderRead,
  type ReadCall,
  type Space,
  type SpaceCall,
  type StatCall,
  type WriteCall,
} from "../../store/index.ts";
import { account, ensureBucket, space } from "./buckets.ts";
import type { Context } from "./context.ts";
import { copy } from "./copy.ts";
import { remove } from "./delete.ts";
import { DirectWire } from "./direct.ts";
import { translate } from "./errors.ts";
import { Keys } from "./keys.ts";
import { list } from "./list.ts";
import { loadClient, loadSignature, loadUndici } from "./load.ts";
import { directoryEntry, fileEntry, look, notFound } from "./look.ts";
import { mkdir } from "./mkdir.ts";
import type { Settings } from "./options.ts";
import { read } from "./read.ts";
import { SdkWire } from "./sdk-wire.ts";
import { knowledgeOf, Sdk } from "./sdk.ts";
import { Session } from "./session.ts";
import { write } from "./write.ts";

export class S3Provider implements Provider {
  readonly kind = "s3";
  readonly capabilities: Partial<Capabilities>;
  readonly keepsChunks = false;
  readonly #settings: Settings;
  readonly #keys: Keys;
  #context: Context | undefined;
  #closed = false;
  #account: Account | undefined;
  #bucket: Promise<void> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#keys = new Keys(settings.prefix, settings.vendor.maxNameBytes);
    this.capabilities = capabilitiesOf(settings, this.#keys);
    if (settings.vendor.space === false) Object.defineProperty(this, "space", { value: undefined });
  }

  async open(): Promise<void> {
    const [undici, signature, module] = await Promise.all([loadUndici(), loadSignature(), loadClient()]);
    const settings = this.#settings;
    const session = new Session(
      settings,
      knowledgeOf(() => Promise.resolve(module)),
    );
    const sdk = new Sdk(session, module);
    const wire = settings.transport === "sdk" ? new SdkWire(session, sdk) : new DirectWire(session, undici, signature.SignatureV4);
    this.#closed = false;
    this.#context = { session, settings, vendor: settings.vendor, keys: this.#keys, wire, sdk };
  }

  /** Drops connections and credentials; the next call makes and obtains new ones. */
  async reconnect(): Promise<void> {
    const context = this.#context;
    this.#account = undefined;
    this.#bucket = undefined;
    context?.session.forget();
  }

  async close(): Promise<void> {
    const context = this.#context;
    this.#context = undefined;
    this.#closed = true;
    this.#bucket = undefined;
    await context?.wire.close();
    context?.sdk.close();
  }

  describe(): string {
    const { bucket, prefix, vendorName, transport } = this.#settings;
    return [
      `bucket=${bucket}`,
      ...(prefix === "" ? [] : [`prefix=${prefix.slice(0, -1)}`]),
      `vendor=${vendorName}`,
      ...(transport === "direct" ? [] : [`transport=${transport}`]),
    ].join(" ");
  }

  identity(): string {
    const { bucket, prefix, endpoint, vendorName } = this.#settings;
    return `s3 ${endpoint?.href.replace(/\/+$/, "") ?? vendorName}/${bucket}/${prefix}`;
  }

  async stat(call: StatCall): Promise<Entry> {
    const context = await this.#ready(call.signal);
    const found = await look(context, call.path, call.signal);
    if (found === undefined) throw notFound();
    return found.kind === "directory" ? directoryEntry(call.path) : fileEntry(context, call.path, found.facts);
  }

  async read(call: ReadCall): Promise<ProviderRead> {
    return read(await this.#ready(call.signal), call);
  }
  async write(call: WriteCall): Promise<Entry> {
    return write(await this.#ready(call.signal), call);
  }
  async list(call: ListCall): Promise<Page> {
    return list(await this.#ready(call.signal), call);
  }
  async delete(call: DeleteCall): Promise<void> {
    return remove(await this.#ready(call.signal), call);
  }
  async mkdir(call: MkdirCall): Promise<Entry> {
    return mkdir(await this.#ready(call.signal), call);
  }
  async copy(call: CopyCall): Promise<Entry> {
    return copy(await this.#ready(call.signal), call);
  }
  async space(call: SpaceCall): Promise<Space> {
    return space(await this.#ready(call.signal), call.signal);
  }
  async account(call: AccountCall): Promise<Account> {
    return (this.#account ??= await account(await this.#ready(call.signal), call.signal));
  }

  translate(error: unknown, call: Call): StoreError | undefined {
    return translate(error, call, this.#settings.clock.now());
  }

  /** The open parts, outside of the verbs too: for `sweep`. */
  async context(signal: AbortSignal | undefined): Promise<Context> {
    return await this.#ready(signal);
  }

  async #ready(signal: AbortSignal | undefined): Promise<Context> {
    if (this.#context === undefined) {
      if (this.#closed) throw new StoreError("closed", "the store is closed");
      await this.open();
    }
    const context = this.#context as Context;
    if (this.#settings.createBucket) await this.#withBucket(context, signal);
    return context;
  }

  /** Once for all calls; one that fails is tried again by the next call. */
  async #withBucket(context: Context, signal: AbortSignal | undefined): Promise<void> {
    const mine = (this.#bucket ??= ensureBucket(context, signal));
    try {
      await mine;
    } catch (error) {
      if (this.#bucket === mine) this.#bucket = undefined;
      // Nothing of the call itself was sent.
      throw undone(error, signal, (each) => translate(each, { operation: "" }, context.session.clock.now()));
    }
  }
}

function capabilitiesOf({ vendor, partBytes }: Settings, keys: Keys): Partial<Capabilities> {
  const native = (is: boolean): "native" | false => (is ? "native" : false);
  const copyIfAbsent = native(vendor.copyIfAbsent !== null);
  return {
    read: "native",
    write: "native",
    list: "native",
    delete: "native",
    mkdir: "native",
    copy: "native",
    move: "emulated",
    account: "native",
    space: native(vendor.space !== false),
    readRange: "native",
    readSuffix: "native",
    readIfMatch: "native",
    readIfNoneMatch: "native",
    writeIfAbsent: native(vendor.putIfAbsent),
    writeIfMatch: native(vendor.putIfMatch),
    writeUnknownSize: "native",
    writeModified: false,
    writeContentType: "native",
    writeMetadata: "native",
    listRecursive: "native",
    listIfNoneMatch: false,
    deleteRecursive: "native",
    deleteIfMatch: native(vendor.deleteIfMatch),
    copyTree: "emulated",
    copyIfAbsent,
    moveTree: "emulated",
    moveIfAbsent: copyIfAbsent === false ? false : "emulated",
    etag: true,
    // MD5 is on the entries of what went up in one piece, which is not a promise.
    hashes: [],
    writeExpect: ["md5"],
    listComplete: false,
    listSorted: false,
    modifiedPrecisionMs: 1000,
    maxPathBytes: keys.maxPathBytes,
    maxNameBytes: Math.min(vendor.maxNameBytes ?? Infinity, keys.maxPathBytes - 1),
    maxFileBytes: vendor.maxFileBytes,
    maxMetadataBytes: vendor.maxMetadataBytes,
    sizeSteps: [partBytes],
    strictHierarchy: false,
    directories: "implied",
    filesAtRoot: true,
    atomicWrites: "native",
    emptyOnlyDelete: "native",
    exclusiveMkdir: vendor.putIfAbsent,
    maxConditionalBytes: vendor.completeConditions ? Infinity : vendor.maxPutBytes,
    maxUnknownBytes: Math.min(vendor.maxFileBytes, vendor.maxParts * partBytes),
    undelete: vendor.undelete,
    consistency:
      vendor.listSettleMs === 0 ? { read: "strong", list: "strong", settleMs: 0 } : { read: "strong", list: "eventual", settleMs: vendor.listSettleMs },
    concurrency: vendor.concurrency,
  };
}
