/** CF76, CF77, CF94: a fault at each request of each verb, over Dropbox. Upload sessions are not looked at: the API has no way to end them, and they end by themselves. */
import { dropbox } from "../../../src/providers/dropbox/index.ts";
import { startDropbox } from "../../servers/dropbox/index.ts";
import { content, faultAtEachRequest, respelling } from "../each-request.ts";
import { MIB, withRefresh } from "./at.ts";

faultAtEachRequest({
  // Three pieces: one begins the session, one is appended, one comes with the commit.
  largeBytes: 8 * MIB + 1,
  more: {
    "a rename that changes the spelling": respelling,
    "the same bytes with another time": {
      prepare: (store, dir) => store.write(`${dir}/f`, content(7), { modifiedMs: 1_000_000_000_000 }),
      act: (store, dir, signal) => store.write(`${dir}/f`, content(7), { modifiedMs: 1_100_000_000_000, signal }),
      before: { f: 7 },
      after: { f: 7 },
    },
  },
  async open(wire) {
    const server = await startDropbox();
    const account = server.account("ann");
    const store = dropbox({ ...withRefresh(account), fetch: server.fetch(wire.fetch), pieceBytes: 4 * MIB });
    return {
      store,
      server,
      below(dir) {
        const found: Record<string, number> = {};
        for (const key of account.tree.below(dir)) {
          const node = account.tree.nodes.get(key);
          if (node === undefined) throw new Error(`${key} is a child, and not there`);
          found[node.display.slice(node.display.lastIndexOf("/") + 1)] = node.kind === "file" ? node.size : 0;
        }
        return found;
      },
    };
  },
});
