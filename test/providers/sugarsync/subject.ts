/** The provider over an emulator of its own, as the conformance suite wants it: an account for each place. */
import type { Place, SecondChannel, Subject } from "../../../src/conformance/index.ts";
import { sugarsync } from "../../../src/providers/sugarsync/index.ts";
import type { SugarSyncOptions } from "../../../src/providers/sugarsync/index.ts";
import { startSugarSync } from "../../servers/sugarsync/index.ts";
import { bytesOf } from "../../servers/spill.ts";
import type { Account, Node, SugarSync, SugarSyncOptions as ServerOptions } from "../../servers/sugarsync/index.ts";

/** A port that nobody listens on: reserved, and refused at once. */
const NOWHERE = "http://127.0.0.1:1";

export async function sugarsyncSubject(
  more: Partial<Subject> = {},
  options: Partial<SugarSyncOptions> = {},
  serverOptions: ServerOptions = {},
): Promise<Subject> {
  const server = await startSugarSync(serverOptions);
  server.unref();
  const tokens = new Map<string, ReturnType<SugarSync["account"]>>();
  const accountOf = ({ id }: Place): ReturnType<SugarSync["account"]> => {
    const known = tokens.get(id) ?? server.account(id);
    tokens.set(id, known);
    return known;
  };
  // Both are strong in the emulator; what stays remembered of others' changes is what is declared.
  const { accessKeyId, privateAccessKey } = server.application;
  const base = { accessKeyId, privateAccessKey, cacheMs: 500, settleMs: 2000, ...options };
  return {
    name: "sugarsync",
    wire: true,
    open: (place) =>
      sugarsync({ ...base, url: server.url, refreshToken: accountOf(place).refreshToken, fetch: place.fetch, clock: place.clock, random: place.random }),
    unavailable: () => sugarsync({ ...base, url: NOWHERE, refreshToken: "any" }),
    raw: (place) => channel(accountOf(place)),
    leftovers: async (place) => temporaryIn(accountOf(place)),
    cost: { stat: 3, read: 4, write: 6, list: 3, delete: 2, mkdir: 1, copy: 3, move: 2 },
    ...more,
  };
}

export function temporaryIn({ tree }: Account): string[] {
  return [...tree.nodes.values()].filter(({ name }) => /^\.stratus-[0-9a-z]{20}\.tmp$/.test(name)).map(({ name }) => name);
}

/** As another program of the user's sees the account: the emulator's own tree. */
function channel({ tree }: Account): SecondChannel {
  const at = (path: string): Node | null | undefined => {
    let node: Node | null = null;
    for (const name of path.split("/").filter((part) => part !== "")) {
      const found: Node | undefined = tree.children(node).find((child) => child.name === name);
      if (found === undefined) return undefined;
      node = found;
    }
    return node;
  };
  return {
    async put(path, bytes) {
      let node: Node | null = null;
      const names = path.split("/").filter((part) => part !== "");
      for (const [i, name] of names.entries()) {
        const found: Node | undefined = tree.children(node).find((child) => child.name === name);
        node = found ?? tree.create(i === names.length - 1 ? "file" : "folder", name, node, "application/octet-stream");
      }
      tree.addVersion(node as Node, [new Uint8Array(bytes)]);
    },
    async get(path) {
      const node = at(path);
      return node?.kind === "file" ? Buffer.concat((node.versions.at(-1)?.bytes ?? []).map(bytesOf)) : undefined;
    },
    async list(dir) {
      const node = at(dir);
      return node === undefined
        ? []
        : tree
            .children(node)
            .filter((child) => child !== tree.deleted)
            .map(({ name }) => name);
    },
    async [Symbol.asyncDispose]() {},
  };
}
