/** CF77, CF94: a fault at each request of each verb, over Drive; and no bytes stay in an upload session. */
import { expect } from "vitest";
import { drive } from "../../../src/providers/drive/index.ts";
import { startDrive } from "../../servers/drive/index.ts";
import type { DriveServer } from "../../servers/drive/index.ts";
import { faultAtEachRequest } from "../each-request.ts";
import { authOf, small } from "./subject.ts";

faultAtEachRequest({
  largeBytes: 600_000,
  async open(wire) {
    const server = await startDrive();
    const { url: rootUrl, tokenUrl } = server;
    const store = drive({ auth: authOf(server), rootUrl, tokenUrl, fetch: wire.fetch, settleMs: 0, indexTtlMs: 0, ...small });
    return {
      store,
      server,
      below: (dir) => below(server, dir),
      held: () => server.uploads.heldBytes,
    };
  },
});

/** Everything below a folder, as the account has it. @throws where a name is there twice */
function below({ state }: DriveServer, dir: string): Record<string, number> {
  const top = [...state.files.values()].find((file) => `/${file.name}` === dir && !state.trashed(file));
  const found: Record<string, number> = {};
  if (top === undefined) return found;
  const seen = new Set<string>();
  for (const file of state.files.values()) {
    if (file === top || !state.isBelow(file.id, top.id) || state.trashed(file)) continue;
    const key = `${file.parents[0]}/${file.name}`;
    expect(seen.has(key), `${file.name} twice`).toBe(false);
    seen.add(key);
    found[file.name] = file.content?.size ?? 0;
  }
  return found;
}
