/** The provider: the verbs of one session, its capabilities, its life. */
import { StoreError, entry, join, root, accountDigest } from "../../store/index.ts";
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
  StorePath,
  WriteCall,
} from "../../store/index.ts";
import { remove } from "./delete.ts";
import { translate } from "./errors.ts";
import { need } from "./find.ts";
import { listFolder } from "./list.ts";
import { mkdir } from "./make.ts";
import { decodeName, fold } from "./names.ts";
import type { Settings } from "./options.ts";
import { read } from "./read.ts";
import { PRECISION_MS, entryOf } from "./resources.ts";
import type { Item } from "./resources.ts";
import { Session } from "./session.ts";
import { spaceOf } from "./space.ts";
import { copy, move } from "./transfer.ts";
import { write } from "./write.ts";
import { textOf } from "./xml.ts";

export class SugarSync implements Provider {
  readonly kind = "sugarsync";
  readonly capabilities: Partial<Capabilities>;
  readonly #settings: Settings;
  readonly #session: Session;
  #account: Promise<Account> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#session = new Session(settings);
    this.capabilities = capabilitiesOf(settings);
  }

  async reconnect(): Promise<void> {
    this.#session.reconnect();
    this.#account = undefined;
  }
  async close(signal: AbortSignal | undefined): Promise<void> {
    await this.#session.removeOrphans(signal);
  }
  describe(): string {
    return `url=${this.#settings.origin}`;
  }
  identity(): string {
    const { origin, account, refreshToken } = this.#settings;
    return `sugarsync ${origin} ${account ?? accountDigest(refreshToken)}`;
  }

  async stat({ path, fresh, signal }: StatCall): Promise<Entry> {
    if (path === root) {
      await this.#session.user(signal);
      return entry({ path, kind: "directory" });
    }
    return entryOf(path, (await need(this.#session, path, { signal, fresh, sure: true })).item);
  }
  read(call: ReadCall): Promise<ProviderRead> {
    return read(this.#session, call);
  }
  write(call: WriteCall): Promise<Entry> {
    return write(this.#session, call);
  }
  async list({ path, fresh, signal }: ListCall): Promise<Page> {
    for (let again = fresh; ; again = true) {
      const place = path === root ? undefined : await need(this.#session, path, { signal, fresh: again });
      if (place?.item.kind === "file") throw new StoreError("not-a-directory", "a file has no children");
      const ref = place?.item.ref ?? (await this.#session.links(signal)).root;
      const items = await listFolder(this.#session, ref, signal);
      if (items !== null) return { entries: entriesOf(path, items) };
      // It went at this moment, or is no folder any more: looked up again, it is not found.
      if (again || place === undefined) throw new StoreError(place === undefined ? "config" : "not-found", "the directory is not there any more");
    }
  }
  delete(call: DeleteCall): Promise<void> {
    return remove(this.#session, call);
  }
  mkdir(call: MkdirCall): Promise<Entry> {
    return mkdir(this.#session, call);
  }
  copy(call: CopyCall): Promise<Entry> {
    return copy(this.#session, call);
  }
  move(call: MoveCall): Promise<Entry> {
    return move(this.#session, call);
  }
  async space({ signal }: SpaceCall): Promise<Space> {
    return spaceOf(await this.#session.user(signal));
  }
  async account({ signal }: AccountCall): Promise<Account> {
    if (this.#account === undefined) {
      const user = textOf(await this.#session.user(signal), "username") ?? null;
      this.#account = Promise.resolve({ provider: "sugarsync", user, text: `SugarSync${user === null ? "" : ` as ${user}`}` });
    }
    return this.#account;
  }
  translate(error: unknown): StoreError | undefined {
    return translate(error);
  }
}

/** Of several files of one name the newest is the file; what is no name of the store is left out. */
function entriesOf(path: StorePath, items: readonly Item[]): Entry[] {
  const found = new Map<string, { readonly entry: Entry; readonly modifiedMs: number }>();
  for (const item of items) {
    const name = decodeName(item.name);
    if (name === null) continue;
    const key = fold(item.name);
    const modifiedMs = item.kind === "directory" ? Infinity : (item.modifiedMs ?? 0);
    const known = found.get(key);
    if (known === undefined || modifiedMs > known.modifiedMs || (modifiedMs === known.modifiedMs && item.ref > (known.entry.id ?? "")))
      found.set(key, { entry: entryOf(join(path, name), item), modifiedMs });
  }
  return Array.from(found.values(), (one) => one.entry);
}

function capabilitiesOf({ hardDelete, settleMs }: Settings): Partial<Capabilities> {
  const kind = settleMs === 0 ? "strong" : "eventual";
  return {
    readRange: "native",
    readSuffix: "emulated",
    writeUnknownSize: "native",
    // Trees go to Deleted Files in one; for good they go child by child, since what is in a folder is orphaned with it.
    deleteRecursive: hardDelete ? "emulated" : "native",
    copyTree: "emulated",
    // Below the top in one; sync folders cannot be moved, so their files are.
    moveTree: "emulated",
    listComplete: true,
    modifiedPrecisionMs: PRECISION_MS,
    caseSensitive: false,
    maxNameBytes: 16_383,
    filesAtRoot: false,
    atomicWrites: "emulated",
    emptyOnlyDelete: "emulated",
    undelete: hardDelete ? false : "trash",
    consistency: { read: kind, list: kind, settleMs },
    concurrency: 2,
  };
}
