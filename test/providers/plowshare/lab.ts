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

export type PlowshareStore = ReturnType<typeof plowshare>;
export interface Lab extends AsyncDisposable {
  readonly hosts: FileHosts;
  /** Of the index. */
  readonly directory: string;
  /** For files of the test itself. */
  readonly scratch: string;
  /** Closed with the lab. Random choices are the first of those possible, so hosts are taken in the order they are named. */
  open(options?: Partial<PlowshareOptions>): PlowshareStore;
  tools(options?: Partial<PlowshareCommandOptions>): PlowshareTools;
}

export async function lab(traits: Readonly<Record<string, HostTraits>> = { alpha: {} }): Promise<Lab> {
  const base = await mkdtemp(join(tmpdir(), "stratus-plowshare-test-"));
  const scratch = join(base, "scratch dir");
  const hosts = await fileHosts(join(base, "hosts"), traits);
  await mkdir(scratch);
  const opened: AsyncDisposable[] = [];
  const common = { modules: hosts.modules, commandDirectory: commands, retries: 0, waitMs: 5000 };
  return {
    hosts,
    directory: join(base, "index"),
    scratch,
    open(options = {}) {
      const store = plowshare({ directory: join(base, "index"), createRoot: true, hosts: Object.keys(traits), random: () => 0, ...common, ...options });
      opened.push(store);
      return store;
    },
    tools(options = {}) {
      const tools = plowshareTools({ ...common, ...options });
      opened.push(tools);
      return tools;
    },
    async [Symbol.asyncDispose]() {
      for (const one of opened.reverse()) await one[Symbol.asyncDispose]();
      await rm(base, { recursive: true, force: true });
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
