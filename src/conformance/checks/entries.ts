/** The laws of entries: what every entry of every verb must look like, and how two answers about one unchanged path relate. */
import { equal, ok } from "../assert.ts";
import type { CheckContext } from "../check.ts";
import type { Entry } from "../../store/index.ts";

const members = ["path", "kind", "size", "modifiedMs", "etag", "id", "contentType", "hashes", "metadata", "complete"] as const;
const hexDigits: Readonly<Record<string, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128, crc32c: 8, dropbox: 64 };

/** Every member is there and of its type, none says something that null should say. */
export function wellFormed(entry: Entry, what: string): void {
  equal(Object.keys(entry).sort(), [...members].sort(), `${what}: exactly the members of an Entry`);
  ok(
    typeof entry.path === "string" && /^\/(?!.*\/\/)(?:.*[^/])?$/s.test(entry.path),
    `${what}: path is absolute, without empty segments and without a slash at its end`,
    entry.path,
  );
  ok(entry.kind === "file" || entry.kind === "directory", `${what}: kind is "file" or "directory"`, entry.kind);
  if (entry.kind === "directory") equal(entry.size, 0, `${what}: a directory has size 0`);
  ok(entry.size === null || (Number.isSafeInteger(entry.size) && entry.size >= 0), `${what}: size is null or a whole number of bytes`, entry.size);
  ok(
    entry.modifiedMs === null || (Number.isFinite(entry.modifiedMs) && Math.abs(entry.modifiedMs) <= 8.64e15),
    `${what}: modifiedMs is null or a time`,
    entry.modifiedMs,
  );
  ok(entry.etag === null || (typeof entry.etag === "string" && entry.etag !== ""), `${what}: etag is null or a text`, entry.etag);
  if (entry.etag !== null)
    ok(!entry.etag.startsWith('"') && !entry.etag.startsWith("W/"), `${what}: etag has no quotes of HTTP and is not a weak one`, entry.etag);
  ok(entry.id === null || (typeof entry.id === "string" && entry.id !== ""), `${what}: id is null or a text`, entry.id);
  ok(
    entry.contentType === null || (typeof entry.contentType === "string" && entry.contentType !== ""),
    `${what}: contentType is null or a text`,
    entry.contentType,
  );
  ok(typeof entry.hashes === "object" && entry.hashes !== null, `${what}: hashes is an object`, entry.hashes);
  for (const [name, hex] of Object.entries(entry.hashes)) {
    const digits = hexDigits[name];
    ok(digits !== undefined, `${what}: ${name} is a hash of the contract`, entry.hashes);
    ok(typeof hex === "string" && hex.length === digits && /^[0-9a-f]+$/.test(hex), `${what}: ${name} is ${digits} lower-case hexadecimal digits`, hex);
  }
  ok(
    entry.metadata === null || (typeof entry.metadata === "object" && Object.values(entry.metadata).every((value) => typeof value === "string")),
    `${what}: metadata is null or texts by name`,
    entry.metadata,
  );
  ok(typeof entry.complete === "boolean", `${what}: complete is true or false`, entry.complete);
}

/** Whatever is not null in `entry` equals what `stat` says; what calls itself complete says no less than `stat`. */
export function agrees(entry: Entry, stat: Entry, what: string): void {
  equal(entry.path, stat.path, `${what}: path equals that of stat`);
  equal(entry.kind, stat.kind, `${what}: kind equals that of stat`);
  for (const key of ["size", "modifiedMs", "etag", "id", "contentType"] as const) {
    if (entry[key] !== null || entry.complete) equal(entry[key], stat[key], `${what}: ${key} equals that of stat`);
  }
  for (const [name, hex] of Object.entries(entry.hashes)) equal(hex, stat.hashes[name as keyof Entry["hashes"]], `${what}: ${name} equals that of stat`);
  if (entry.complete) equal({ ...entry.hashes }, { ...stat.hashes }, `${what}: a complete entry has the hashes of stat`);
  if (entry.metadata !== null || entry.complete) equal(plain(entry.metadata), plain(stat.metadata), `${what}: metadata equals that of stat`);
}

/** Members that entries of listings always carry, as the service has them. */
export function carries(entry: Entry, stat: Entry, what: string): void {
  for (const key of ["kind", "size", "modifiedMs", "etag"] as const) equal(entry[key], stat[key], `${what}: ${key} is carried by the listing as stat has it`);
}

/** `stat` of a path, complete and well formed, once a store that is late shows the size that is expected. */
export async function statOf(t: CheckContext, path: string, size?: number): Promise<Entry> {
  return await t.settled("read", async () => {
    const entry = await t.store.stat(path, { fresh: true });
    wellFormed(entry, `stat of ${path}`);
    equal(entry.complete, true, "an entry of stat with full detail is complete");
    if (size !== undefined) equal(entry.size, size, `stat of ${path} gives the new size`);
    return entry;
  });
}

/** The prototype of a metadata object is nobody's business. */
function plain(metadata: Entry["metadata"]): [string, string][] | null {
  return metadata === null ? null : Object.entries(metadata).sort(([left], [right]) => (left < right ? -1 : 1));
}
