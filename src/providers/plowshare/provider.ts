/** The provider: the tree is in the index, the bytes are at the hosts. */
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
  StatCall,
  StoreError,
  WriteCall,
} from "../../store/index.ts";
import { translate } from "./errors.ts";
import { closed } from "./library.ts";
import type { StoreSettings } from "./options.ts";
import type { Runner } from "./process.ts";
import { IN_MEMORY, read } from "./read.ts";
import { Session } from "./session.ts";
import { write } from "./write.ts";

const PAGE = 1000;

export class Plowshare implements Provider {
  readonly kind = "plowshare";
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  readonly #settings: StoreSettings;
  readonly #runner: Runner;
  #session: Promise<Session> | undefined;
  #closed = false;
  /** Undefined before it is open and after it is closed. */
  opened: Session | undefined;

  constructor(settings: StoreSettings, runner: Runner) {
    this.#settings = settings;
    this.#runner = runner;
    this.capabilities = {
      readRange: "emulated",
      readSuffix: "emulated",
      readIfMatch: "native",
      readIfNoneMatch: "native",
      writeIfAbsent: "native",
      writeIfMatch: "native",
      writeUnknownSize: "native",
      writeModified: "native",
      writeContentType: "native",
      writeMetadata: "native",
      listRecursive: "native",
      deleteRecursive: "native",
      deleteIfMatch: "native",
      copyTree: "native",
      copyIfAbsent: "native",
      moveTree: "native",
      moveIfAbsent: "native",
      etag: true,
      hashes: ["sha256"],
      listComplete: true,
      listSorted: true,
      modifiedPrecisionMs: 1,
      maxPathBytes: 65_536,
      maxMetadataBytes: Infinity,
      sizeSteps: [IN_MEMORY],
      directories: "real",
      atomicWrites: "native",
      emptyOnlyDelete: "native",
      exclusiveMkdir: true,
      afterlifeMs: 0,
      concurrency: settings.maxProcesses,
    };
  }

  /* ---------------------------------------------------------------- life */

  async open(): Promise<void> {
    this.#closed = false;
    await this.session();
  }
  closing(): void {
    this.#closed = true;
    void this.#session?.then(
      (session) => session.closing(),
      () => {},
    );
  }
  async close(): Promise<void> {
    this.#closed = true;
    const session = this.#session;
    this.#session = undefined;
    this.opened = undefined;
    await (await session)?.close();
  }
  /** Opened by `open`, or by the first call of whoever goes around the front. */
  session(): Promise<Session> {
    if (this.#closed) return Promise.reject(closed());
    this.#session ??= Session.open(this.#settings, this.#runner).then(
      (session) => (this.opened = session),
      (error: unknown) => {
        this.#session = undefined;
        throw translate(error) ?? error;
      },
    );
    return this.#session;
  }
  describe(): string {
    const { directory, hosts, copies } = this.#settings;
    return `directory=${directory} hosts=${hosts.join(",")} copies=${copies}`;
  }
  identity(): string {
    return `plowshare:${this.#settings.directory}`;
  }
  translate(error: unknown): StoreError | undefined {
    return translate(error);
  }

  /* ----------------------------------------------------------- questions */

  async stat({ path }: StatCall): Promise<Entry> {
    return (await this.session()).library.tree.stat(path);
  }

  async list({ path, recursive, cursor }: ListCall): Promise<Page> {
    const { tree } = (await this.session()).library;
    if (recursive) return { entries: tree.listAll(path) };
    const entries = tree.list(path, typeof cursor === "string" ? cursor : "", PAGE);
    const last = entries.at(-1);
    return { entries, cursor: entries.length < PAGE || last === undefined ? null : last.path.slice(last.path.lastIndexOf("/") + 1) };
  }

  async read(call: ReadCall): Promise<ProviderRead> {
    const session = await this.session();
    return session.during(call.signal, (signal) => read(session, call, signal));
  }

  /* ------------------------------------------------------------- changes */

  async write(call: WriteCall): Promise<Entry> {
    const session = await this.session();
    return session.during(call.signal, (signal) => write(session, call, signal));
  }

  async delete({ path, recursive, ifMatch }: DeleteCall): Promise<void> {
    (await this.session()).library.tree.delete(path, recursive, ifMatch);
  }
  async mkdir({ path, existOk }: MkdirCall): Promise<Entry> {
    return (await this.session()).library.tree.mkdir(path, existOk);
  }
  async copy({ path, to, ifAbsent }: CopyCall): Promise<Entry> {
    return (await this.session()).library.tree.copy(path, to, ifAbsent);
  }
  async move({ path, to, ifAbsent }: MoveCall): Promise<Entry> {
    return (await this.session()).library.tree.move(path, to, ifAbsent);
  }

  /** Hosts tell nobody how much room they have. */
  async space(): Promise<Space> {
    return { used: (await this.session()).library.contents.usedBytes(), free: null, total: null };
  }
  async account(): Promise<Account> {
    const { hosts, copies } = this.#settings;
    return { provider: "plowshare", user: null, text: `plowshare with ${copies} ${copies === 1 ? "copy" : "copies"} at ${hosts.join(", ")}` };
  }
}
