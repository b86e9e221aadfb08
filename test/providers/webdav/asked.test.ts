/** A change whose requests so far have only asked says of every failure that nothing was changed. */
import { expect, test } from "vitest";
import type { Store, StoreError } from "../../../src/store/index.ts";
import { webdav } from "../../../src/providers/webdav/index.ts";
import type { WebdavOptions } from "../../../src/providers/webdav/index.ts";
import { found, scripted } from "./scripted.ts";
import type { Asked, Say } from "./scripted.ts";

/** A file "f", empty directories "d" and "e", nothing else. Everything that changes is refused by a failure inside. */
function service({ method, path }: Asked): Say {
  if (method !== "PROPFIND") return { status: 500 };
  if (path === "/dav/f") return found(path, { size: 5 });
  if (/^\/dav\/(?:[de]\/?)?$/.test(path)) return found(path.replace(/\/?$/, "/"), { directory: true });
  return { status: 404 };
}

async function* slowly(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("hello");
}

interface Change {
  readonly options?: Partial<WebdavOptions>;
  act(store: Store, signal: AbortSignal): Promise<unknown>;
}
const changes: Readonly<Record<string, Change>> = {
  "write of a stream": { options: { server: "nginx" }, act: (store, signal) => store.write("/d/new", slowly(), { signal }) },
  "write of a stream below a directory that is missing": { options: { server: "nginx" }, act: (store, signal) => store.write("/no/new", slowly(), { signal }) },
  "write by MOVE": { options: { server: "lighttpd" }, act: (store, signal) => store.write("/d/new", "hello", { ifAbsent: true, signal }) },
  "the first write with credentials": { options: { username: "ann", password: "x" }, act: (store, signal) => store.write("/d/new", "hello", { signal }) },
  "delete of a file": { act: (store, signal) => store.delete("/f", { signal }) },
  "delete of an empty directory": { act: (store, signal) => store.delete("/d", { signal }) },
  "delete of nothing": { act: (store, signal) => store.delete("/no", { signal }) },
  "recursive delete": { act: (store, signal) => store.delete("/d", { recursive: true, signal }) },
  "recursive delete of nothing": { act: (store, signal) => store.delete("/no", { recursive: true, signal }) },
  "mkdir where the server makes it silently": { options: { server: "rclone" }, act: (store, signal) => store.mkdir("/made", { signal }) },
  copy: { act: (store, signal) => store.copy("/f", "/to", { signal }) },
  "move onto an empty directory": { act: (store, signal) => store.move("/d", "/e", { signal }) },
  move: { options: { server: "rclone" }, act: (store, signal) => store.move("/f", "/to", { signal }) },
};

test.each(Object.keys(changes))("%s", async (name) => {
  const { options, act } = changes[name] as Change;
  let onlyAsked = 0;
  for (const fault of [{ status: 0, hangUp: true }, "hang", { status: 500 }, { status: 502 }] satisfies (Say | "hang")[]) {
    for (let at = 0; ; at++) {
      const giveUp = new AbortController();
      const { promise: forever, resolve: end } = Promise.withResolvers<Say>();
      await using server = await scripted((asked) => {
        if (asked.index < at) return service(asked);
        if (fault !== "hang") return fault;
        if (giveUp.signal.aborted) return { status: 500 };
        setTimeout(() => giveUp.abort(new Error("enough")), 5);
        return forever;
      });
      await using store = webdav({ url: `${server.origin}/dav/`, server: "apache", ...options });
      const error = (await act(store, giveUp.signal).then(
        () => undefined,
        (failed: unknown) => failed,
      )) as StoreError | undefined;
      end({ status: 500 });
      if (error === undefined || !server.asked.every(({ method }) => method === "PROPFIND" || method === "OPTIONS")) break;
      expect([error.code, error.applied], `${JSON.stringify(fault)} from request ${at} on: ${server.lines.join(", ")}`).toEqual([
        fault === "hang" ? "aborted" : "unavailable",
        false,
      ]);
      onlyAsked++;
    }
  }
  expect(onlyAsked).toBeGreaterThan(0);
});
