/** One owner at a time for a file: another process, another store of this process and a second copy of this package are all refused. */
import fs from "node:fs/promises";
import nodePath from "node:path";
import { StoreError } from "../../store/index.ts";
import { openDatabase } from "./sqlite.ts";
import type { Database } from "./sqlite.ts";

/** Shared by all copies of this package in the process. */
const REGISTRY = Symbol.for("stratus.metadataCache.files");

function registry(): Set<string> {
  const known = globalThis as { [REGISTRY]?: Set<string> };
  return (known[REGISTRY] ??= new Set());
}

export class Owner {
  readonly #key: string;
  readonly #lock: Database;

  private constructor(key: string, lock: Database) {
    this.#key = key;
    this.#lock = lock;
  }

  /**
   * The lock is a database of its own beside the file, held exclusively. Locks of POSIX belong to the process and fall when it closes any descriptor of the file, so nobody
   * opens that one for anything else; and it stays when the file itself is thrown away. @throws StoreError `conflict`
   */
  static async take(file: string): Promise<Owner> {
    const key = nodePath.join(await fs.realpath(nodePath.dirname(file)), nodePath.basename(file));
    const held = registry();
    if (held.has(key)) throw inUse("by another store of this process");
    held.add(key);
    let lock: Database | undefined;
    try {
      lock = await openDatabase(`${file}-owner`);
      lock.pragma("locking_mode = EXCLUSIVE");
      lock.exec("begin exclusive; commit");
      return new Owner(key, lock);
    } catch (error) {
      lock?.close();
      held.delete(key);
      const code = (error as { readonly code?: unknown }).code;
      throw typeof code === "string" && (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) ? inUse("by another process", error) : error;
    }
  }

  release(): void {
    this.#lock.close();
    registry().delete(this.#key);
  }
}

function inUse(by: string, cause?: unknown): StoreError {
  return new StoreError("conflict", `the file of this metadata cache is in use ${by}`, { transient: false, ...(cause === undefined ? {} : { cause }) });
}
