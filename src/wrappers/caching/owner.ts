/** One cache directory, one owner: three guards, so that no second one gets in whatever else the process does. */
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { StoreError } from "../../store/index.ts";
import { codeOf } from "./error-code.ts";
import type { Rules } from "./rules.ts";
import { openSqlite, opening } from "./sqlite.ts";
import type { Sqlite } from "./sqlite.ts";

/** Shared by all copies of this package in the process. Keys are device and inode, so no other spelling of the path gets around it. */
const registry: Map<string, Owned> = ((globalThis as { [key: symbol]: unknown })[Symbol.for("stratus.caches")] ??= new Map()) as Map<string, Owned>;

interface Owned {
  readonly sinceMs: number;
  /** Set when its owner is about to give it back: who wants it next waits for that. */
  closing: Promise<void> | undefined;
}

export class Owner {
  readonly #directory: string;
  #key: string | undefined;
  #lock: Sqlite | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws StoreError `conflict`, not transient, which names the owner there is */
  static take(directory: string, rules: Pick<Rules, "registersOwner" | "locksOwnerFile">, nowMs: number): Owner {
    const owner = new Owner(directory);
    try {
      if (rules.registersOwner) owner.#register(nowMs);
      if (rules.locksOwnerFile) owner.#lockFile();
      writeFileSync(join(directory, "owner.json"), `${JSON.stringify({ pid: process.pid, host: hostname(), since: new Date(nowMs).toISOString() })}\n`, {
        mode: 0o600,
      });
      return owner;
    } catch (error) {
      owner.leave();
      throw error;
    }
  }

  #register(nowMs: number): void {
    const key = keyOf(this.#directory);
    if (registry.has(key)) throw new StoreError("conflict", "the cache directory is in use by this process already", { transient: false });
    registry.set(key, { sinceMs: nowMs, closing: undefined });
    this.#key = key;
  }

  /**
   * On a file of its own: locks belong to the process and fall when any descriptor of the file is closed, so nobody may ever read this one, and a
   * stray copy of the journal costs nothing.
   */
  #lockFile(): void {
    let lock: Sqlite | undefined;
    try {
      lock = openSqlite(join(this.#directory, "owner.db"));
      lock.pragma("locking_mode = EXCLUSIVE");
      lock.exec("begin exclusive; commit");
      this.#lock = lock;
    } catch (error) {
      lock?.close();
      const code = codeOf(error);
      if (!code.startsWith("SQLITE_BUSY") && !code.startsWith("SQLITE_LOCKED")) throw opening(error);
      throw new StoreError("conflict", `the cache directory is in use${this.#who()}`, { cause: error, transient: false });
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

  /** Where a caller did not wait for the end of a close, the next one who opens does. */
  static async given(directory: string): Promise<void> {
    await registry.get(keyOf(directory))?.closing;
  }

  willLeave(closing: Promise<void>): void {
    const own = this.#key === undefined ? undefined : registry.get(this.#key);
    if (own !== undefined) own.closing = closing.catch(() => {});
  }

  /** Locks go, the note stays: what a killed process leaves behind. */
  leave(): void {
    this.#lock?.close();
    this.#lock = undefined;
    if (this.#key !== undefined) registry.delete(this.#key);
    this.#key = undefined;
  }

  /** The registry last: whoever gets in after that finds everything free. */
  release(): void {
    rmSync(join(this.#directory, "owner.json"), { force: true });
    this.leave();
  }
}

function keyOf(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${dev}:${ino}`;
}
