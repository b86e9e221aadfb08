/** The provider: the tree is in the index, the bytes are at the hosts. */
import { open } from "node:fs/promises";
import { StoreError, abortError, byteStream } from "../../store/index.ts";
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
  RawBody,
  ReadCall,
  Space,
  StatCall,
  WriteCall,
} from "../../store/index.ts";
import { fetchContent } from "./download.ts";
import type { Fetched } from "./download.ts";
import { translate } from "./errors.ts";
import { closed } from "./library.ts";
import type { StoreSettings } from "./options.ts";
import { Session } from "./session.ts";
import { spooled } from "./spooled.ts";
import { transaction } from "./sqlite.ts";
import { entryOf } from "./tree.ts";
import { place, tooFew } from "./upload.ts";

/** Up to this size a download is read into memory at once, so that no file is left open while somebody reads. */
const IN_MEMORY = 1 << 20;
const PIECE = 256 << 10;
const PAGE = 1000;
/** An overwritten file takes its links along: so often a read looks for the new ones. */
const READS = 4;

export class Plowshare implements Provider {
  readonly kind = "plowshare";
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  readonly #settings: StoreSettings;
  #session: Promise<Session> | undefined;
  #closed = false;

  constructor(settings: StoreSettings) {
    this.#settings = settings;
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
    await (await session)?.close();
  }
  /** Opened by `open`, or by the first call of whoever goes around the front. */
  session(): Promise<Session> {
    if (this.#closed) return Promise.reject(closed());
    this.#session ??= Session.open(this.#settings).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
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
    const { tree, contents } = session.library;
    for (let tries = 1; ; tries++) {
      const node = tree.get(call.path);
      const entry = entryOf(call.path, node);
      if (entry.kind === "directory") throw new StoreError("is-a-directory", "a directory has no bytes");
      if (call.ifMatch !== undefined && call.ifMatch !== entry.etag) throw new StoreError("precondition-failed", "the file has another etag", { entry });
      if (call.ifNoneMatch !== undefined && call.ifNoneMatch === entry.etag) throw new StoreError("not-modified", "the file still has this etag", { entry });
      if (node.content === null) return { entry, body: new Uint8Array(0) };
      const content = contents.get(node.content);
      if (content === undefined) throw new StoreError("corrupt", "the index names bytes that it does not know", { entry });
      try {
        return { entry, ...(await bodyOf(await fetchContent(session, content, call.signal), content.size)) };
      } catch (error) {
        // Somebody wrote or deleted it meanwhile, and its links went with it: what is there now?
        if (tries < READS && contents.get(node.content) === undefined && call.signal?.aborted !== true) continue;
        throw error;
      }
    }
  }

  /* ------------------------------------------------------------- changes */

  async write({ path, body, ifAbsent, ifMatch, modifiedMs, contentType, metadata, signal }: WriteCall): Promise<Entry> {
    const session = await this.session();
    const { tree, contents, db } = session.library;
    const { copies, minCopies, random } = this.#settings;
    // A first look, so that nothing is uploaded for nothing; the second, with the row, decides.
    tree.mayWrite(path, ifAbsent, ifMatch);
    await using spot = await session.commands.surroundings.place();
    const file = await spooled(body, spot.directory, random, signal);
    const facts = { modifiedMs: modifiedMs ?? session.now(), contentType, metadata };
    if (file.size === 0) return tree.put(path, { ...facts, content: null }, ifAbsent, ifMatch);
    const placed = await place(session, { file, copies, signal });
    const { held } = placed;
    try {
      if (held.length < minCopies) throw tooFew(placed, minCopies);
      if (signal?.aborted === true) throw abortError(signal, { applied: false });
      return transaction(db, () => {
        const content = contents.add(file.size, file.sha256);
        contents.attach(content, held, session.now());
        return tree.put(path, { ...facts, content }, ifAbsent, ifMatch);
      });
    } catch (error) {
      contents.letGo(held, session.now());
      throw error;
    }
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

/** Small files from memory, others from the file that was fetched, which goes when the body ends. */
async function bodyOf(fetched: Fetched, size: number): Promise<{ readonly body: RawBody; readonly handedOver?: boolean }> {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  const letGo = async (): Promise<void> => {
    await file?.close();
    await fetched[Symbol.asyncDispose]();
  };
  try {
    file = await open(fetched.file, "r");
    if (size <= IN_MEMORY) {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size;) {
        const { bytesRead } = await file.read(bytes, at, size - at, at);
        if (bytesRead === 0) throw new StoreError("unavailable", "the fetched file was cut while it was read");
        at += bytesRead;
      }
      await letGo();
      return { body: bytes, handedOver: true };
    }
  } catch (error) {
    await letGo();
    throw error;
  }
  const handle = file;
  let at = 0;
  return {
    body: byteStream({
      length: size,
      async pull() {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(Math.min(PIECE, Math.max(1, size - at))), 0, undefined, at);
        at += bytesRead;
        return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
      },
      close: letGo,
    }),
  };
}
