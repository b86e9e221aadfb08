/**
 * What a power failure leaves of a cache directory: what was flushed, and of the rest something or nothing. Watches the flushes of this process (Linux: it
 * asks /proc which file a descriptor is), so the layer needs to know nothing of it.
 *
 * The journal comes back as it was when its log was last flushed. A content file comes back whole if it was flushed and so were the names that lead to it;
 * else it is missing, empty or cut, in turn.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import Database from "better-sqlite3";

type Flush = (this: FileHandle) => Promise<void>;
interface Journal {
  readonly database: Buffer;
  readonly log: Buffer;
}

const watched = new Map<string, FlushedDisk>();
let patched = false;

let failing: string | undefined;

/** The next flush of a file of this name fails, as on a disk that is broken; none after the end, although none came. */
export function failNextFlush(name: string): Disposable {
  failing = name;
  return {
    [Symbol.dispose]() {
      failing = undefined;
    },
  };
}

/** Once per process. */
export async function watchFlushes(): Promise<void> {
  if (patched) return;
  patched = true;
  const handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as Record<"datasync" | "sync", Flush>;
  await handle.close();
  for (const verb of ["datasync", "sync"] as const) {
    const real = prototype[verb];
    prototype[verb] = async function flush(this: FileHandle) {
      const path = readlinkSync(`/proc/self/fd/${this.fd}`);
      const disk = [...watched].find(([directory]) => path === directory || path.startsWith(`${directory}/`))?.[1];
      if (failing !== undefined && path.endsWith(failing)) {
        failing = undefined;
        throw Object.assign(new Error("EIO: i/o error, as the test says"), { code: "EIO", syscall: "fdatasync" });
      }
      // What is written from here on is not part of it.
      const done = disk?.flushing(path);
      await real.call(this);
      done?.();
    };
  }
}

export class FlushedDisk {
  readonly #directory: string;
  #journal: Journal | undefined;
  /** Content files whose bytes, and names whose directory entries, are on the disk. */
  readonly #bytes = new Set<string>();
  readonly #names = new Set<string>();

  constructor(directory: string, leftByAnEarlierOne: boolean) {
    this.#directory = directory;
    watched.set(directory, this);
    // What was there before it began has been there long enough.
    if (leftByAnEarlierOne)
      for (const path of files(join(directory, "content"))) {
        this.#bytes.add(path);
        for (let name = path; name !== directory; name = dirname(name)) this.#names.add(name);
      }
  }

  end(): void {
    watched.delete(this.#directory);
  }

  flushing(path: string): () => void {
    if (path === join(this.#directory, "journal.db-wal")) {
      const journal = { database: readFileSync(join(this.#directory, "journal.db")), log: readFileSync(path) };
      return () => void (this.#journal = journal);
    }
    if (!statSync(path).isDirectory()) return () => void this.#bytes.add(path);
    const names = readdirSync(path).map((name) => join(path, name));
    return () => names.forEach((name) => this.#names.add(name));
  }

  /** False where nothing was ever flushed: then there is nothing but an empty directory. */
  leave(to: string): boolean {
    mkdirSync(to, { recursive: true });
    if (this.#journal === undefined) return false;
    writeFileSync(join(to, "journal.db"), this.#journal.database, { mode: 0o600 });
    writeFileSync(join(to, "journal.db-wal"), this.#journal.log, { mode: 0o600 });
    const format = join(this.#directory, "FORMAT");
    if (existsSync(format)) copyFileSync(format, join(to, "FORMAT"));
    let luck = 0;
    for (const path of files(join(this.#directory, "content"))) {
      const target = join(to, relative(this.#directory, path));
      if (this.#isSafe(path)) {
        mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
        copyFileSync(path, target);
        continue;
      }
      luck += 1;
      if (luck % 3 === 0) continue;
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      const bytes = readFileSync(path);
      // As long as it was, or shorter: both happen.
      writeFileSync(target, luck % 3 === 1 ? Buffer.alloc(bytes.length) : bytes.subarray(0, bytes.length >> 1), { mode: 0o600 });
    }
    // The kernel that starts is another one.
    const database = new Database(join(to, "journal.db"));
    if (database.prepare("select 1 from sqlite_master where name = 'session'").get() !== undefined)
      database.exec("update session set boot = 'before the power failure'");
    database.close();
    return true;
  }

  #isSafe(path: string): boolean {
    const block = dirname(path);
    return this.#bytes.has(path) && this.#names.has(path) && this.#names.has(block);
  }
}

function files(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
