/** docs/live.md word by word, with emulators where the services are: signed in, a budget, a folder of its own, and nothing left or touched (CF91, CF111). */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseReport } from "../../src/conformance/index.ts";
import { writeTokens } from "../../src/tokens/index.ts";
import { cli, node } from "../conformance-suite/spawn.ts";
import type { Ran } from "../conformance-suite/spawn.ts";
import { startDrive } from "../servers/drive/index.ts";
import { rawDrive } from "../servers/drive/raw.ts";
import { APP, startDropbox } from "../servers/dropbox/index.ts";
import { startSugarSync } from "../servers/sugarsync/index.ts";
import { scratch } from "../scratch.ts";

const home = mkdtempSync(join(scratch(), "live-"));
const directory = join(home, "stratus/tokens");
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Service extends AsyncDisposable {
  /** Emulators by origin. */
  readonly emulators: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  requests(): number;
  /** Names of all that is in the account. */
  all(): Promise<readonly string[]>;
}

const services: Readonly<Record<string, () => Promise<Service>>> = {
  async dropbox() {
    const server = await startDropbox();
    const account = server.account("ann");
    account.tree.put("/photos/cat.jpg", { chunks: [Buffer.from("a cat")], clientModified: "2020-01-01T00:00:00Z" });
    await writeTokens("dropbox", { clientId: APP.key, clientSecret: APP.secret, refreshToken: account.refreshToken }, { account: "suite", directory });
    return {
      emulators: Object.fromEntries(["api", "content"].map((host) => [`https://${host}.dropboxapi.com`, `${server.origin}/${host}`])),
      secrets: [APP.secret, account.refreshToken],
      requests: () => server.routes.length,
      all: async () => [...account.tree.nodes.keys()].sort(),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  async drive() {
    const server = await startDrive();
    await rawDrive(server, "photos").put("/cat.jpg", Buffer.from("a cat"));
    const { clientId, clientSecret, refreshTokens } = server.oauth;
    const [refreshToken = ""] = refreshTokens;
    const { state } = server;
    await writeTokens("drive", { clientId, clientSecret, refreshToken }, { account: "suite", directory });
    return {
      emulators: { "https://www.googleapis.com": server.url.replace(/\/$/, ""), "https://oauth2.googleapis.com": new URL(server.tokenUrl).origin },
      secrets: [clientSecret, refreshToken],
      requests: () => server.requests.length,
      all: async () =>
        [...state.files.values()]
          .filter((file) => file.id !== state.rootId && !state.trashed(file))
          .map(({ name }) => name)
          .sort(),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  async sugarsync() {
    const server = await startSugarSync({ base: "https://api.sugarsync.com", magicBriefcase: true });
    const { refreshToken, tree } = server.account("ann@example.org");
    const { accessKeyId, privateAccessKey } = server.application;
    const names = (of: Parameters<typeof tree.children>[0]): string[] =>
      tree.children(of).flatMap((node) => (node === tree.deleted ? [] : [node.name, ...names(node)]));
    await writeTokens("sugarsync", { accessKeyId, privateAccessKey, refreshToken }, { account: "suite", directory });
    return {
      emulators: { "https://api.sugarsync.com": server.url },
      secrets: [privateAccessKey, refreshToken],
      requests: () => server.requests.length,
      // What is deleted lies in a folder of the service's own, which is no part of the tree.
      all: async () => names(null).sort(),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

function qualify(name: string, { emulators }: Service, ...args: readonly string[]): Promise<Ran> {
  const preload = join(import.meta.dirname, "to-emulators.ts");
  const module = join(import.meta.dirname, "../../examples/live", `${name}.ts`);
  return node(["--import", preload, cli, "conformance", module, "--live", "--tier", "smoke", ...args], {
    cwd: home,
    env: { EMULATORS: JSON.stringify(emulators), XDG_CONFIG_HOME: home },
  });
}

for (const [name, start] of Object.entries(services))
  test(`${name}: a live run as its page says`, { timeout: 300_000 }, async () => {
    await using service = await start();
    const before = await service.all();
    const ran = await qualify(name, service, "--rate", "100000", "--check", "writes", "--json", "report.json");
    expect(ran.stderr + ran.stdout).toContain("Writes");
    expect(ran.code).toBe(0);
    const report = readFileSync(join(home, "report.json"), "utf8");
    expect(parseReport(report, "report.json").subjects[0]).toMatchObject({ tier: "smoke", notRun: [] });
    const after = await service.all();
    // The folder that the page speaks of, and nothing else; what was there is there.
    expect(after.filter((one) => !before.includes(one)).map((one) => one.toLowerCase().replace(/^\//, "").replace(" ", "-"))).toEqual(["stratus-suite"]);
    expect(before.filter((one) => !after.includes(one))).toEqual([]);
    for (const secret of service.secrets) expect(ran.stdout + ran.stderr + report).not.toContain(secret);

    // A budget that is too small: it stops in time, says so, and cleans up.
    const short = await qualify(name, service, "--rate", "100000", "--max-requests", "60", "--check", "writes");
    expect(short.code).toBe(2);
    expect(short.stdout + short.stderr).toMatch(/not run/i);
    expect(await service.all()).toEqual(after);
  });
