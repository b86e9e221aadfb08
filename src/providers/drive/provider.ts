/** The provider: the verbs of one session, its capabilities, its life. */
import { StoreError, accountDigest } from "../../store/index.ts";
import type {
  Account,
  AccountCall,
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
import { remove } from "./delete.ts";
import { translate } from "./errors.ts";
import { mkdir } from "./folders.ts";
import { list } from "./list.ts";
import { stat } from "./lookup.ts";
import { MAX_METADATA_BYTES } from "./metadata.ts";
import { MAX_NAME_BYTES } from "./names.ts";
import type { DriveAuth, Settings } from "./options.ts";
import { read } from "./read.ts";
import { Session } from "./session.ts";
import { account, space } from "./space.ts";
import { transfer } from "./transfer.ts";
import { write } from "./write.ts";

export class Drive implements Provider {
  readonly kind = "drive";
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  readonly #settings: Settings;
  #session: Promise<Session> | undefined;
  #closed = false;
  /** Names that several files bear, as often as one was looked at. */
  duplicates = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.capabilities = capabilitiesOf(settings);
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
    this.#session = undefined;
  }
  describe(): string {
    const { driveId, rootId, folder } = this.#settings;
    return `${driveId === undefined ? (rootId === "root" ? "My Drive" : `root=${rootId}`) : `drive=${driveId}`} folder=/${folder.join("/")}`;
  }
  identity(): string {
    const { rootUrl, rootId, folder, account, auth } = this.#settings;
    // "root" is another folder for each account; all other ids are nobody else's.
    const who = rootId === "root" ? (account ?? accountOf(auth)) : "";
    return `drive ${rootUrl} ${rootId} ${who} /${folder.join("/")}`;
  }

  async stat({ path, signal }: StatCall): Promise<Entry> {
    return stat(await this.#open(), path, signal);
  }
  async read(call: ReadCall): Promise<ProviderRead> {
    return read(await this.#open(), call);
  }
  async write(call: WriteCall): Promise<Entry> {
    return write(await this.#open(), call);
  }
  async list(call: ListCall): Promise<Page> {
    return list(await this.#open(), call);
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
  async space({ signal }: SpaceCall): Promise<Space> {
    return space(await this.#open(), signal);
  }
  async account({ signal }: AccountCall): Promise<Account> {
    return account(await this.#open(), signal);
  }
  translate(error: unknown): StoreError | undefined {
    return translate(error);
  }

  /** Opened by `open`, or by the first call of whoever goes around the front. */
  #open(): Promise<Session> {
    if (this.#closed) throw new StoreError("closed", "the store is closed", { applied: false });
    this.#session ??= Session.open(this.#settings, () => void this.duplicates++).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }
}

function capabilitiesOf({ settleMs, indexTtlMs, concurrency, multipartBytes, chunkBytes, deletes }: Settings): Partial<Capabilities> {
  const lateMs = settleMs + indexTtlMs;
  const consistency = lateMs > 0 ? "eventual" : "strong";
  return {
    readRange: "native",
    readSuffix: "native",
    // Compared with what was looked up, and read from exactly that revision: no bytes move for a condition that does not hold.
    readIfMatch: "native",
    readIfNoneMatch: "native",
    writeUnknownSize: "native",
    writeModified: "native",
    writeContentType: "native",
    writeMetadata: "native",
    deleteRecursive: "native",
    copyTree: "emulated",
    moveTree: "native",
    etag: true,
    hashes: ["md5", "sha1", "sha256"],
    listComplete: true,
    modifiedPrecisionMs: 1,
    maxNameBytes: MAX_NAME_BYTES,
    maxFileBytes: 5 * 1024 ** 4,
    maxMetadataBytes: MAX_METADATA_BYTES,
    sizeSteps: [...new Set([multipartBytes, chunkBytes])].filter((size) => size > 0),
    atomicWrites: "native",
    emptyOnlyDelete: "emulated",
    undelete: deletes === "trash" ? "trash" : false,
    consistency: { read: consistency, list: consistency, settleMs: lateMs },
    concurrency,
  };
}

/** @throws StoreError `config` where nothing tells the account: what is kept for one must not be brought to another */
function accountOf(auth: DriveAuth): string {
  if ("serviceAccount" in auth) return `${auth.serviceAccount.client_email} ${auth.subject ?? ""}`;
  const secret = "token" in auth ? auth.token : auth.refreshToken;
  if (typeof secret === "string") return accountDigest(secret);
  throw new StoreError(
    "config",
    "a layer that keeps things on disk must know whose they are, and a function that gives tokens does not tell: name the account in the option account",
  );
}
