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
import { list } from "./list.ts";
import { stat } from "./look.ts";
import { mkdir } from "./mkdir.ts";
import { MAX_PATH_BYTES } from "./names.ts";
import type { Settings } from "./options.ts";
import { read } from "./read.ts";
import { Session } from "./session.ts";
import { account, space } from "./space.ts";
import { transfer } from "./transfer.ts";
import { write } from "./write.ts";

/** 2^41 − 2^22 bytes: what an upload session holds. */
const MAX_FILE_BYTES = 2_199_019_061_248;

export class DropboxProvider implements Provider {
  readonly kind = "dropbox";
  /** A piece is copied together before the next chunk is asked for. */
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  readonly #settings: Settings;
  #session: Promise<Session> | undefined;
  #account: Account | undefined;
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.capabilities = capabilitiesOf(settings);
  }

  async open(): Promise<void> {
    this.#closed = false;
    await this.#open();
  }
  async reconnect(): Promise<void> {
    this.#account = undefined;
    (await this.#session)?.reconnect();
  }
  async close(): Promise<void> {
    this.#closed = true;
    const session = this.#session;
    this.#session = undefined;
    (await session)?.close();
  }
  describe(): string {
    const { root, namespace } = this.#settings;
    return `root=${root === "" ? "/" : root}${namespace === undefined ? "" : ` namespace=${namespace}`}`;
  }

  identity(): string {
    const { root, namespace, account, refreshToken, accessToken } = this.#settings;
    return `dropbox ${account ?? accountDigest(refreshToken ?? accessToken ?? "")} ${namespace ?? "home"}:${root}`;
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
  /** Asked for once, and again after `reconnect`. */
  async account({ signal }: AccountCall): Promise<Account> {
    return (this.#account ??= await account(await this.#open(), signal));
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

function capabilitiesOf({ root, pieceBytes, parallelPieces, concurrency }: Settings): Partial<Capabilities> {
  return {
    readRange: "native",
    writeIfAbsent: "native",
    writeIfMatch: "native",
    writeUnknownSize: "native",
    writeModified: "native",
    listRecursive: "native",
    listIfNoneMatch: "native",
    deleteRecursive: "native",
    deleteIfMatch: "native",
    copyTree: "native",
    copyIfAbsent: "native",
    moveTree: "native",
    moveIfAbsent: "native",
    etag: true,
    hashes: ["dropbox"],
    writeExpect: ["dropbox"],
    listComplete: true,
    modifiedPrecisionMs: 1000,
    caseSensitive: false,
    normalisation: "nfc",
    maxNameBytes: 255,
    maxPathBytes: MAX_PATH_BYTES - Buffer.byteLength(root),
    maxFileBytes: MAX_FILE_BYTES,
    sizeSteps: parallelPieces === 1 ? [pieceBytes] : [pieceBytes, pieceBytes * parallelPieces],
    atomicWrites: "native",
    emptyOnlyDelete: "emulated",
    exclusiveMkdir: true,
    undelete: "versions",
    concurrency,
  };
}
