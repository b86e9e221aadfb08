/** A change whose requests so far have only asked says of every failure that nothing was changed; one that has sent more never says so by this. */
import { describe, expect, test } from "vitest";
import type { Store, StoreError } from "../../../src/store/index.ts";
import { listing, scripted, storeAt, transports, type Answer, type Seen } from "./scripted.ts";

const head: Answer = { status: 200, headers: { etag: '"e"', "content-length": "5", "last-modified": "Sat, 21 Nov 2026 09:30:59 GMT" } };

/** A file "f", a directory "d" with one file in it, an empty one "e". Everything that changes is refused by a failure inside. */
function service({ method, path, query }: Seen): Answer {
  if (method === "HEAD") return path === "/bucket/f" || path === "/bucket/d/x" ? head : { status: 404 };
  if (method !== "GET") return { status: 500 };
  const prefix = query.get("prefix") ?? "";
  if ("d/x".startsWith(prefix)) return listing([{ key: "d/x", size: 5 }]);
  return listing(prefix === "e/" ? [{ key: "e/", size: 0 }] : []);
}

const changes: Readonly<Record<string, (store: Store, signal: AbortSignal) => Promise<unknown>>> = {
  "write, with the bucket to be made": (store, signal) => store.write("/new", "hello", { signal }),
  "delete of a file": (store, signal) => store.delete("/f", { signal }),
  "delete of an empty directory": (store, signal) => store.delete("/e", { signal }),
  "recursive delete": (store, signal) => store.delete("/d", { recursive: true, signal }),
  mkdir: (store, signal) => store.mkdir("/made", { signal }),
  copy: (store, signal) => store.copy("/f", "/to", { signal }),
  "copy of a tree": (store, signal) => store.copy("/d", "/to", { signal }),
  move: (store, signal) => store.move("/f", "/to", { signal }),
  "move of a tree": (store, signal) => store.move("/d", "/to", { signal }),
};

describe.each(transports)("over %s", (transport) => {
  test.each(Object.keys(changes))("%s", async (name) => {
    const change = changes[name] as (store: Store, signal: AbortSignal) => Promise<unknown>;
    for (const fault of ["drop", "hang", { status: 500 }] satisfies Answer[]) {
      let onlyAsked = 0;
      for (let at = 1; ; at++) {
        const giveUp = new AbortController();
        await using server = await scripted((seen, count) => {
          if (count < at) return service(seen);
          if (giveUp.signal.aborted) return "drop";
          if (fault === "hang") setTimeout(() => giveUp.abort(new Error("enough")), 5);
          return fault;
        });
        await using store = storeAt(server, { transport, folderMarkers: true, createBucket: name.startsWith("write"), random: () => 0 });
        const error = (await change(store, giveUp.signal).then(
          () => undefined,
          (failed: unknown) => failed,
        )) as StoreError;
        const asked = server.seen.every(({ method }) => method === "GET" || method === "HEAD");
        const story = `${JSON.stringify(fault)} from request ${at} on: ${server.log.join(", ")}`;
        if (!asked) {
          // The bucket alone is not what is asked for: without it no file can have come into being.
          if (name.startsWith("write")) expect(error.applied, story).toBe(false);
          else if (typeof fault === "string") expect(["unknown", "partly"], story).toContain(error.applied);
          break;
        }
        expect([error.code, error.applied], story).toEqual([fault === "hang" ? "aborted" : "unavailable", false]);
        onlyAsked++;
      }
      expect(onlyAsked).toBeGreaterThan(0);
    }
  });
});
