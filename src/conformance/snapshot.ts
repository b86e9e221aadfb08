/**
 * A store's whole content as data, for proofs that nothing changed.
 *
 *   const before = await snapshot(store);
 *   await rejects("unsupported", () => store.move("/a", "/b"), "…");
 *   sameTree(await snapshot(store), before, "a refused call changes nothing");
 */
import { createHash } from "node:crypto";
import type { Store } from "../store/index.ts";
import { CheckFailure } from "./failure.ts";
import { byCodePoint } from "./names.ts";

/** Path to what stands there: "directory", or size, hash, content type and metadata of a file. */
export type Snapshot = ReadonlyMap<string, string>;

/** Walks with plain listings, so that it needs nothing but list, stat and read, and works where `recursive` is what is under test. */
export async function snapshot(store: Store, dir: string = "/"): Promise<Snapshot> {
  const found = new Map<string, string>();
  const waiting = [dir];
  while (waiting.length > 0) {
    const next = waiting.pop()!;
    for (const entry of await store.list(next).toArray()) {
      const path: string = entry.path;
      if (found.has(path)) throw new CheckFailure(`the listing of ${next} names each child once`, "once", `${path} twice`);
      if (entry.kind === "directory") {
        found.set(path, "directory");
        waiting.push(path);
      } else found.set(path, await describe(store, path));
    }
  }
  return new Map([...found].sort(([left], [right]) => byCodePoint(left, right)));
}

/** @throws CheckFailure naming what was added, lost and changed */
export function sameTree(actual: Snapshot, expected: Snapshot, what: string): void {
  const differences: string[] = [];
  for (const [path, content] of expected) {
    const now = actual.get(path);
    if (now === undefined) differences.push(`${path} is gone (was ${content})`);
    else if (now !== content) differences.push(`${path} is ${now} (was ${content})`);
  }
  for (const [path, content] of actual) if (!expected.has(path)) differences.push(`${path} is new (${content})`);
  if (differences.length > 0) throw new CheckFailure(what, `the same ${expected.size} entries`, differences.slice(0, 10).join("; "));
}

async function describe(store: Store, path: string): Promise<string> {
  await using result = await store.read(path);
  const bytes = await result.bytes();
  const entry = await store.stat(path);
  const metadata =
    entry.metadata === null ? "" : ` metadata ${JSON.stringify(Object.entries(entry.metadata).sort(([left], [right]) => byCodePoint(left, right)))}`;
  return `file of ${bytes.length} bytes, sha256 ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}, type ${entry.contentType ?? "none"}${metadata}`;
}
