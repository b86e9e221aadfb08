/** A fresh directory for one test, and a store in it; both gone afterwards. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { local } from "../../../src/providers/local/index.ts";
import type { LocalControl, LocalOptions } from "../../../src/providers/local/index.ts";
import { StoreError } from "../../../src/store/index.ts";
import type { Layered, Store } from "../../../src/store/index.ts";

export interface At {
  readonly store: Store & Layered<"local", LocalControl>;
  /** The directory of the store. */
  readonly root: string;
  /** A directory beside it, which no store may touch; holds one file, "secret". */
  readonly outside: string;
  /** On disk. */
  at(path: string): string;
}

export function fresh(options: Partial<LocalOptions> = {}): At {
  const base = fs.mkdtempSync(join(tmpdir(), "stratus-local-"));
  const root = join(base, "root");
  const outside = join(base, "outside");
  fs.mkdirSync(root);
  fs.mkdirSync(outside);
  fs.writeFileSync(join(outside, "secret"), "secret");
  const store = local({ directory: root, flush: false, ...options });
  onTestFinished(async () => {
    await store.close();
    fs.rmSync(base, { recursive: true, force: true });
  });
  return { store, root, outside, at: (path) => root + path };
}

/** The code of the error that came, or "nothing". */
export async function code(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (error: unknown) => (StoreError.is(error) ? error.code : String(error)),
  );
}

export async function paths(store: Store, dir = "/", recursive = false): Promise<string[]> {
  return (await store.list(dir, { recursive }).toArray()).map(({ path }) => path as string).sort();
}

/** Everything on disk below a directory, temporary files included. */
export function onDisk(dir: string): string[] {
  return (fs.readdirSync(dir, { recursive: true }) as string[]).sort();
}

/** An error as node:fs gives it. */
export function systemError(errno: string, syscall = "rename"): Error {
  return Object.assign(new Error(`${errno}: made up, ${syscall}`), { code: errno, errno: -1, syscall });
}

export function openFiles(): number {
  return fs.readdirSync("/proc/self/fd").length;
}
