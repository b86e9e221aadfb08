/** One index, one owner: the process that holds the lock. Stores of that process share what is opened. */
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { StoreError } from "../../store/index.ts";
import { openSqlite } from "./sqlite.ts";
import type { Sqlite } from "./sqlite.ts";

/** Shared by all copies of this package in the process, since locks of files do not keep a process from itself. Keys are device and inode. */
const taken: Set<string> = ((globalThis as { [key: symbol]: unknown })[Symbol.for("stratus.plowshare")] ??= new Set()) as Set<string>;

export class Owner {
  readonly #directory: string;
  readonly #key: string;
  #lock: Sqlite | undefined;

  private constructor(directory: string, key: string) {
    this.#directory = directory;
    this.#key = key;
  }

  /** @throws StoreError `conflict`, not transient, which names the owner there is */
  static take(directory: string, nowMs: number): Owner {
    const owner = new Owner(directory, keyOf(directory));
    // By another copy of this package: it would not know our changes.
    if (taken.has(owner.#key))
      throw new StoreError("conflict", "the index is in use by another copy of this package in this process", { transient: false, applied: false });
    owner.#lockFile();
    taken.add(owner.#key);
    writeFileSync(join(directory, "owner.json"), `${JSON.stringify({ pid: process.pid, host: hostname(), since: new Date(nowMs).toISOString() })}\n`, {
      mode: 0o600,
    });
    return owner;
  }

  /** On a file of its own, which nobody ever reads: locks fall when any descriptor of their file is closed. */
  #lockFile(): void {
    let lock: Sqlite | undefined;
    try {
      lock = openSqlite(join(this.#directory, "owner.db"));
      lock.pragma("locking_mode = EXCLUSIVE");
      lock.exec("begin exclusive; commit");
      this.#lock = lock;
    } catch (error) {
      lock?.close();
      if (!/^SQLITE_(?:BUSY|LOCKED)/.test(String((error as { code?: unknown }).code))) throw error;
      throw new StoreError("conflict", `the index is in use${this.#who()}`, { cause: error, transient: false, applied: false });
    }
  }

  #who(): string {
    try {
      const { pid, host, since } = JSON.parse(readFileSync(join(this.#directory, "owner.json"), "utf8")) as Record<string, unknown>;
      return ` by process ${String(pid)} on host ${String(host)} since ${String(since)}`;
    } catch {
      // Written after the lock was taken: a reader in between finds none, or half of one. It is for people only.
      return "";
    }
  }

  release(): void {
    rmSync(join(this.#directory, "owner.json"), { force: true });
    this.#lock?.close();
    this.#lock = undefined;
    taken.delete(this.#key);
  }
}

export function keyOf(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${dev}:${ino}`;
}
