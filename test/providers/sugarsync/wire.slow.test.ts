/** CF91, CF94: a fault at each request of each verb, over SugarSync. */
import { expect } from "vitest";
import { sugarsync } from "../../../src/providers/sugarsync/index.ts";
import { startSugarSync } from "../../servers/sugarsync/index.ts";
import type { Node } from "../../servers/sugarsync/index.ts";
import { faultAtEachRequest, respelling } from "../each-request.ts";

faultAtEachRequest({
  largeBytes: 600_000,
  more: {
    "a rename that changes the spelling": { ...respelling, once: true },
  },
  async open(wire) {
    const server = await startSugarSync();
    const account = server.account("ann");
    const { accessKeyId, privateAccessKey } = server.application;
    const { refreshToken } = account;
    const store = sugarsync({ accessKeyId, privateAccessKey, refreshToken, url: server.url, fetch: wire.fetch, cacheMs: 0, settleMs: 0 });
    return {
      store,
      server,
      below(dir) {
        const found: Record<string, number> = {};
        const add = (of: Node): void => {
          const children = account.tree.children(of);
          expect(new Set(children.map(({ name }) => name)).size, `a name twice in ${of.name}`).toBe(children.length);
          for (const child of children) {
            // A file without a version is no file yet.
            if (child.kind === "file" && child.versions.length === 0) continue;
            found[child.name] = child.versions.at(-1)?.size ?? 0;
            add(child);
          }
        };
        const top = account.tree.children(null).find(({ name }) => `/${name}` === dir);
        if (top !== undefined) add(top);
        return found;
      },
    };
  },
});
