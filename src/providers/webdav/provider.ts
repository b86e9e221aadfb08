/** The provider: the verbs of one session, its capabilities by the server's profile, its life. */
import { StoreError, accountDigest } from "../../store/index.ts";
import type {
  Account,
  Capabilities,
  CopyCall,
  DeleteCall,
  Entry,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  Provider,
  ProviderRead,
  ReadCall,
  Space,
  SpaceCall,
  StatCall,
  WriteCall,
} from "../../store/index.ts";
import { transfer } from "./copy-move.ts";
import { remove } from "./delete.ts";
import { mkdir } from "./directories.ts";
import { translate } from "./errors.ts";
import { children } from "./list.ts";
import { need } from "./look.ts";
import { MAX_PATH_BYTES } from "./names.ts";
import type { Settings } from "./options.ts";
import { read } from "./read.ts";
import { Session } from "./session.ts";
import { space } from "./space.ts";
import { write } from "./write.ts";

export class Webdav implements Provider {
  readonly kind = "webdav";
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  /** Only where the server tells a quota: a verb that exists is a verb that is declared. */
  readonly space?: (call: SpaceCall) => Promise<Space>;
  readonly #settings: Settings;
  #session: Promise<Session> | undefined;
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.capabilities = capabilitiesOf(settings);
    if (settings.profile.quota) this.space = async ({ signal }) => space(await this.#open(), signal);
  }

  async open(): Promise<void> {
    this.#closed = false;
    await this.#open();
  }
  async reconnect(): Promise<void> {
    (await this.#session)?.reconnect();
  }
  async close(): Promise<void> {
    this.#closed = true;
    const session = this.#session;
    this.#session = undefined;
    await (await session)?.close();
  }
  describe(): string {
    const { origin, base, profile } = this.#settings;
    return `url=${origin}${base} server=${profile.name}`;
  }
  identity(): string {
    const { origin, base, username, token, account } = this.#settings;
    // Servers show each user a tree of their own at one address.
    const who = account ?? username ?? (token === undefined ? "" : accountDigest(token));
    return `webdav ${JSON.stringify(who)} ${origin}${base}`;
  }

  async stat({ path, signal }: StatCall): Promise<Entry> {
    return need(await this.#open(), path, signal);
  }
  async read(call: ReadCall): Promise<ProviderRead> {
    return read(await this.#open(), call);
  }
  async write(call: WriteCall): Promise<Entry> {
    return write(await this.#open(), call);
  }
  async list({ path, signal }: ListCall): Promise<Page> {
    return { entries: (await children(await this.#open(), path, signal)).entries };
  }
  async delete(call: DeleteCall): Promise<void> {
    return remove(await this.#open(), call);
  }
  async mkdir(call: MkdirCall): Promise<Entry> {
    return mkdir(await this.#open(), call);
  }
  async copy(call: CopyCall): Promise<Entry> {
    return transfer(await this.#open(), call);
  }
  async move(call: MoveCall): Promise<Entry> {
    return transfer(await this.#open(), call);
  }
  async account(): Promise<Account> {
    const { username, origin, base } = this.#settings;
    return { provider: "webdav", user: username ?? null, text: `WebDAV at ${origin}${base}${username === undefined ? "" : ` as ${username}`}` };
  }
  translate(error: unknown): StoreError | undefined {
    return translate(error);
  }

  /** Opened by `open`, or by the first call of whoever goes around the front. */
  #open(): Promise<Session> {
    if (this.#closed) throw new StoreError("closed", "the store is closed", { applied: false });
    this.#session ??= Session.open(this.#settings).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }
}

function capabilitiesOf({ profile, base, settleMs, concurrency }: Settings): Partial<Capabilities> {
  const etag = profile.etag !== "none";
  const consistency = settleMs > 0 ? "eventual" : "strong";
  return {
    readRange: "native",
    readSuffix: "native",
    readIfMatch: etag ? "emulated" : false,
    readIfNoneMatch: etag ? (profile.notModified ? "native" : "emulated") : false,
    writeIfAbsent: profile.exclusiveMove ? "native" : false,
    writeUnknownSize: profile.chunked ? "native" : "emulated",
    deleteRecursive: "native",
    copyTree: "native",
    moveTree: "native",
    copyIfAbsent: profile.noReplace ? "native" : false,
    moveIfAbsent: profile.noReplace ? "native" : false,
    etag,
    listComplete: true,
    modifiedPrecisionMs: 1000,
    normalisation: profile.normalisation,
    maxNameBytes: profile.maxNameBytes,
    maxPathBytes: MAX_PATH_BYTES - Buffer.byteLength(base),
    sizeSteps: [1 << 20],
    atomicWrites: profile.atomicPut ? "native" : "emulated",
    emptyOnlyDelete: "emulated",
    exclusiveMkdir: profile.exclusiveMkdir,
    consistency: { read: consistency, list: consistency, settleMs },
    concurrency,
  };
}
