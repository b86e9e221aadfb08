/** For each capability that a call can be refused for: the smallest use that shows whether it is kept. Each works in a directory of its own. */
import { calls, hasCode, parsePath } from "../../store/index.ts";
import type { ErrorCode, Store } from "../../store/index.ts";
import { equal, names, ok, pattern, pieces, readAll, rejects, sameBytes } from "../assert.ts";
import { backendOf } from "../backend-of.ts";
import type { SupportKey } from "../check.ts";

export interface Ground {
  readonly store: Store;
  /** Not there yet; everything that the probe makes lies below it. */
  readonly dir: string;
}
/** Throws where it is not kept. */
type Use = (ground: Ground) => Promise<void>;

const one = pattern(100, "one");
const two = pattern(60, "two");

async function put(store: Store, path: string, bytes: Uint8Array = one): Promise<string> {
  await store.write(path, bytes);
  return path;
}
async function holds(store: Store, path: string, bytes: Uint8Array): Promise<void> {
  sameBytes(await readAll(store, path), bytes, `${path} holds what was written`);
}
async function gone(store: Store, path: string): Promise<void> {
  await rejects("not-found", () => store.stat(path), `${path} is gone`);
}
async function etagOf(store: Store, path: string): Promise<string> {
  const { etag } = await store.stat(path);
  ok(etag !== null, "the file has an etag", etag);
  return etag;
}
async function refused(codes: ErrorCode, action: () => Promise<unknown>): Promise<void> {
  await rejects(codes, action, "the condition is kept");
}

export const abilities: Readonly<Record<Exclude<SupportKey, "atomicWrites">, Use>> = {
  read: async ({ store, dir }) => holds(store, await put(store, `${dir}/a`), one),
  write: async ({ store, dir }) => holds(store, await put(store, `${dir}/a`), one),
  async list({ store, dir }) {
    await put(store, `${dir}/a`);
    await put(store, `${dir}/b`);
    equal(names(await store.list(dir).toArray()), ["a", "b"], "the listing has both files");
  },
  async delete({ store, dir }) {
    await store.delete(await put(store, `${dir}/a`));
    await gone(store, `${dir}/a`);
  },
  async mkdir({ store, dir }) {
    await store.mkdir(`${dir}/made`);
    equal((await store.stat(`${dir}/made`)).kind, "directory", "the directory is there");
  },
  async copy({ store, dir }) {
    await store.copy(await put(store, `${dir}/a`), `${dir}/b`);
    await holds(store, `${dir}/a`, one);
    await holds(store, `${dir}/b`, one);
  },
  async move({ store, dir }) {
    await store.move(await put(store, `${dir}/a`), `${dir}/b`);
    await gone(store, `${dir}/a`);
    await holds(store, `${dir}/b`, one);
  },
  async space({ store }) {
    const { used, free, total } = await store.space();
    ok(
      [used, free, total].some((figure) => figure !== null),
      "at least one figure is told",
      { used, free, total },
    );
  },
  async account({ store }) {
    ok((await store.account()).text !== "", "the account has a text");
  },
  async readRange({ store, dir }) {
    sameBytes(await readAll(store, await put(store, `${dir}/a`), { range: { offset: 17, length: 40 } }), one.subarray(17, 57), "bytes 17 to 56");
  },
  async readSuffix({ store, dir }) {
    sameBytes(await readAll(store, await put(store, `${dir}/a`), { range: { offset: -9 } }), one.subarray(91), "the last nine bytes");
  },
  async readIfMatch({ store, dir }) {
    const path = await put(store, `${dir}/a`);
    sameBytes(await readAll(store, path, { ifMatch: await etagOf(store, path) }), one, "with the right etag");
    await refused("precondition-failed", () => readAll(store, path, { ifMatch: "0123456789abcdef0123456789abcdef" }));
  },
  async readIfNoneMatch({ store, dir }) {
    const path = await put(store, `${dir}/a`);
    const etag = await etagOf(store, path);
    await refused("not-modified", () => readAll(store, path, { ifNoneMatch: etag }));
    sameBytes(await readAll(store, path, { ifNoneMatch: "0123456789abcdef0123456789abcdef" }), one, "with another etag");
  },
  async writeIfAbsent({ store, dir }) {
    await store.write(`${dir}/a`, one, { ifAbsent: true });
    await refused("already-exists", () => store.write(`${dir}/a`, two, { ifAbsent: true }));
    await holds(store, `${dir}/a`, one);
  },
  async writeIfMatch({ store, dir }) {
    const path = await put(store, `${dir}/a`);
    await refused("precondition-failed", () => store.write(path, two, { ifMatch: "0123456789abcdef0123456789abcdef" }));
    await holds(store, path, one);
    await store.write(path, two, { ifMatch: await etagOf(store, path) });
    await holds(store, path, two);
  },
  async writeUnknownSize({ store, dir }) {
    await store.write(`${dir}/a`, pieces(one, 30));
    await holds(store, `${dir}/a`, one);
  },
  async writeModified({ store, dir }) {
    const modifiedMs = 1_234_567_890_000;
    await store.write(`${dir}/a`, one, { modifiedMs });
    const found = (await store.stat(`${dir}/a`)).modifiedMs;
    ok(found !== null && Math.abs(found - modifiedMs) <= (store.capabilities.modifiedPrecisionMs ?? 0), "the modified time is kept", found);
  },
  async writeContentType({ store, dir }) {
    await store.write(`${dir}/a`, one, { contentType: "text/x-probe" });
    equal((await store.stat(`${dir}/a`)).contentType, "text/x-probe", "the content type is kept");
  },
  async writeMetadata({ store, dir }) {
    await store.write(`${dir}/a`, one, { metadata: { colour: "blue" } });
    equal((await store.stat(`${dir}/a`)).metadata?.["colour"], "blue", "the metadata is kept");
  },
  async listRecursive({ store, dir }) {
    await put(store, `${dir}/x/y/a`);
    const found = (await store.list(dir, { recursive: true }).toArray()).map((entry) => entry.path.slice(dir.length)).sort();
    equal(found, ["/x", "/x/y", "/x/y/a"], "the subtree is listed, directories included");
  },
  async listIfNoneMatch({ store, dir }) {
    await put(store, `${dir}/a`);
    const backend = backendOf(store);
    const { etag } = await backend.list(calls.list(parsePath(dir)));
    ok(typeof etag === "string", "the listing has an etag", etag);
    // Below the front an error may have no store and path yet, so only its code counts here.
    const answer: unknown = await backend.list(calls.list(parsePath(dir), { ifNoneMatch: etag })).catch((error: unknown) => error);
    ok(hasCode(answer, "not-modified"), "an unchanged listing is not-modified", answer);
  },
  async deleteRecursive({ store, dir }) {
    await put(store, `${dir}/x/y/a`);
    await store.delete(`${dir}/x`, { recursive: true });
    await gone(store, `${dir}/x/y/a`);
    await gone(store, `${dir}/x`);
  },
  async deleteIfMatch({ store, dir }) {
    const path = await put(store, `${dir}/a`);
    await refused("precondition-failed", () => store.delete(path, { ifMatch: "0123456789abcdef0123456789abcdef" }));
    await holds(store, path, one);
    await store.delete(path, { ifMatch: await etagOf(store, path) });
    await gone(store, path);
  },
  async copyTree({ store, dir }) {
    await put(store, `${dir}/x/y/a`);
    await store.copy(`${dir}/x`, `${dir}/z`);
    await holds(store, `${dir}/z/y/a`, one);
    await holds(store, `${dir}/x/y/a`, one);
  },
  async copyIfAbsent({ store, dir }) {
    await put(store, `${dir}/a`);
    await put(store, `${dir}/b`, two);
    await refused("already-exists", () => store.copy(`${dir}/a`, `${dir}/b`, { ifAbsent: true }));
    await holds(store, `${dir}/b`, two);
    await store.copy(`${dir}/a`, `${dir}/c`, { ifAbsent: true });
    await holds(store, `${dir}/c`, one);
  },
  async moveTree({ store, dir }) {
    await put(store, `${dir}/x/y/a`);
    await store.move(`${dir}/x`, `${dir}/z`);
    await holds(store, `${dir}/z/y/a`, one);
    await gone(store, `${dir}/x/y/a`);
  },
  async moveIfAbsent({ store, dir }) {
    await put(store, `${dir}/a`);
    await put(store, `${dir}/b`, two);
    await refused("already-exists", () => store.move(`${dir}/a`, `${dir}/b`, { ifAbsent: true }));
    await holds(store, `${dir}/b`, two);
    await holds(store, `${dir}/a`, one);
  },
};
