/** File hosts in a directory of their own, and stores over them: `await using l = await lab({ alpha: {}, beta: {} }); const store = l.open();` */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { plowshare, plowshareTools } from "../../../src/providers/plowshare/index.ts";
import type { PlowshareCommandOptions, PlowshareOptions, PlowshareTools } from "../../../src/providers/plowshare/index.ts";
import type { StoreError } from "../../../src/index.ts";
import { commands, fileHosts } from "../../servers/plowshare/hosts.ts";
import type { FileHosts, HostTraits } from "../../servers/plowshare/hosts.ts";
import { marked } from "./processes.ts";
import type { Marked } from "./processes.ts";

export type PlowshareStore = ReturnType<typeof plowshare>;
/** Disposing ends everything and returns, also where a failed assertion has left a command that hangs, on a clock that stands still. */
export interface Lab extends AsyncDisposable {
  readonly hosts: FileHosts;
  /** Of the index. */
  readonly directory: string;
  /** For files of the test itself. */
  readonly scratch: string;
  /** What its stores, its tools and `processes.environment` start. */
  readonly processes: Marked;
  /** Closed with the lab. Random choices are the first of those possible, so hosts are taken in the order they are named. */
  open(options?: Partial<PlowshareOptions>): PlowshareStore;
  tools(options?: Partial<PlowshareCommandOptions>): PlowshareTools;
}

/** Closing waits for calls; longer than this only for those that hang. */
const PATIENCE_MS = 5000;

export async function lab(traits: Readonly<Record<string, HostTraits>> = { alpha: {} }): Promise<Lab> {
  const base = await mkdtemp(join(tmpdir(), "stratus-plowshare-test-"));
  const scratch = join(base, "scratch dir");
  const hosts = await fileHosts(join(base, "hosts"), traits);
  await mkdir(scratch);
  const stores: PlowshareStore[] = [];
  const opened: PlowshareTools[] = [];
  const processes = marked();
  const common = { modules: hosts.modules, commandDirectory: commands, retries: 0, waitMs: 5000, environment: processes.environment };
  return {
    hosts,
    directory: join(base, "index"),
    scratch,
    processes,
    open(options = {}) {
      const store = plowshare({ directory: join(base, "index"), createRoot: true, hosts: Object.keys(traits), random: () => 0, ...common, ...options });
      stores.push(store);
      return store;
    },
    tools(options = {}) {
      const tools = plowshareTools({ ...common, ...options });
      opened.push(tools);
      return tools;
    },
    async [Symbol.asyncDispose]() {
      const deadline = new AbortController();
      const closing = Promise.all([...stores.map((store) => store.close({ signal: deadline.signal })), ...opened.map((tools) => tools[Symbol.asyncDispose]())]);
      const timer = setTimeout(() => {
        deadline.abort();
        // What does not listen is ended by force after a while on the clock of the store, which may stand still.
        void processes.kill();
      }, PATIENCE_MS);
      try {
        await closing;
      } finally {
        clearTimeout(timer);
        await processes.kill();
        await rm(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      }
    },
  };
}

/** What it fails with. */
export async function failureOf(work: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error, "it succeeded").toBeInstanceOf(Error);
  return error as StoreError;
}
