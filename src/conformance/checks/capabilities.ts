/** Capabilities: complete, well formed, constant, coherent; each one that is declared does what it says (behaviours 113, 156), each one that is not is refused. */
import { equal, fail, listAll, names, ok, pattern, pieces, readAll, rejects, sameBytes, show } from "../assert.ts";
import { backendOf } from "../backend-of.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import { hashOf } from "../hash-of.ts";
import { calls, hasCode, parsePath } from "../../store/index.ts";
import type { Capabilities, Entry, HashName } from "../../store/index.ts";
import { statOf } from "./entries.ts";
import { directory, gone, holds, isDirectoryAt, lists, outcome, put, tree } from "./look.ts";

type Judge = (value: unknown) => boolean;
const support: Judge = (value) => value === "native" || value === "emulated" || value === false;
const flag: Judge = (value) => typeof value === "boolean";
const limit: Judge = (value) => typeof value === "number" && value >= 0 && (value === Number.POSITIVE_INFINITY || Number.isSafeInteger(value));
const text: Judge = (value) => typeof value === "string";
const oneOf =
  (...values: readonly unknown[]): Judge =>
  (value) =>
    values.includes(value);
const hashNames: readonly unknown[] = ["md5", "sha1", "sha256", "sha512", "crc32c", "dropbox"] satisfies readonly HashName[];
const hashes: Judge = (value) => Array.isArray(value) && value.every((each) => hashNames.includes(each)) && new Set(value).size === value.length;

/** Every member with what it may be: a new capability does not compile until someone has said. */
const members: Readonly<Record<keyof Capabilities, Judge>> = {
  read: support,
  write: support,
  list: support,
  delete: support,
  mkdir: support,
  copy: support,
  move: support,
  space: support,
  account: support,
  readRange: support,
  readSuffix: support,
  readIfMatch: support,
  readIfNoneMatch: support,
  writeIfAbsent: support,
  writeIfMatch: support,
  writeUnknownSize: support,
  writeModified: support,
  writeContentType: support,
  writeMetadata: support,
  listRecursive: support,
  listIfNoneMatch: support,
  deleteRecursive: support,
  deleteIfMatch: support,
  copyTree: support,
  copyIfAbsent: support,
  moveTree: support,
  moveIfAbsent: support,
  etag: flag,
  hashes,
  writeExpect: hashes,
  listComplete: flag,
  listSorted: flag,
  modifiedPrecisionMs: (value) => value === null || (typeof value === "number" && Number.isSafeInteger(value) && value >= 1),
  caseSensitive: flag,
  normalisation: oneOf("kept", "nfc", "nfd", "nfkc"),
  forbidden: text,
  maxNameBytes: (value) => limit(value) && (value as number) >= 1,
  maxPathBytes: (value) => limit(value) && (value as number) >= 1,
  maxFileBytes: limit,
  maxMetadataBytes: limit,
  sizeSteps: (value) => Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each > 0),
  strictHierarchy: flag,
  directories: oneOf("real", "implied"),
  filesAtRoot: flag,
  atomicWrites: support,
  emptyOnlyDelete: oneOf("native", "emulated"),
  exclusiveMkdir: flag,
  maxConditionalBytes: limit,
  maxUnknownBytes: limit,
  undelete: oneOf("trash", "versions", false),
  consistency: (value) => {
    const { read, list, settleMs } = value as Capabilities["consistency"];
    return (
      Object.keys(value as object).length === 3 &&
      oneOf("strong", "eventual")(read) &&
      oneOf("strong", "eventual")(list) &&
      limit(settleMs) &&
      Number.isFinite(settleMs)
    );
  },
  afterlifeMs: (value) => limit(value) && Number.isFinite(value),
  concurrency: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
};

/** What cannot be true at once. */
function contradictions(c: Capabilities): string[] {
  const found: string[] = [];
  const needs = (key: keyof Capabilities, on: keyof Capabilities): void => {
    if (c[key] !== false && c[on] === false) found.push(`${key} is declared without ${on}`);
  };
  for (const key of ["readRange", "readSuffix", "readIfMatch", "readIfNoneMatch"] as const) needs(key, "read");
  for (const key of ["writeIfAbsent", "writeIfMatch", "writeUnknownSize", "writeModified", "writeContentType", "writeMetadata"] as const) needs(key, "write");
  for (const key of ["listRecursive", "listIfNoneMatch"] as const) needs(key, "list");
  for (const key of ["deleteRecursive", "deleteIfMatch"] as const) needs(key, "delete");
  for (const key of ["copyTree", "copyIfAbsent"] as const) needs(key, "copy");
  for (const key of ["moveTree", "moveIfAbsent"] as const) needs(key, "move");
  if (!c.etag)
    for (const key of ["readIfMatch", "readIfNoneMatch", "writeIfMatch", "deleteIfMatch"] as const)
      if (c[key] !== false) found.push(`${key} is declared, and no etag to give it`);
  // A condition that cannot be kept against others is false, so what is declared for writes comes from the service.
  if (c.writeModified !== false && c.modifiedPrecisionMs === null) found.push("times can be set and are never told");
  if (c.writeMetadata !== false && c.maxMetadataBytes === 0) found.push("metadata can be written and has no room");
  if (c.exclusiveMkdir && c.mkdir === false) found.push("exclusiveMkdir is declared without mkdir");
  if (c.directories === "real" && c.mkdir === false && c.write === false && c.list === false) found.push("directories are real and nobody can see or make one");
  if (c.consistency.read === "strong" && c.consistency.list === "strong" && c.consistency.settleMs !== 0) found.push("nothing is late, and settleMs is not 0");
  if ((c.consistency.read === "eventual" || c.consistency.list === "eventual") && c.consistency.settleMs === 0) found.push("something is late, by 0 ms");
  for (const size of c.sizeSteps) if (size > c.maxFileBytes) found.push(`size step ${size} is beyond maxFileBytes`);
  if (c.forbidden.includes("/") || c.forbidden.includes("\0")) found.push('"/" and NUL need not be forbidden');
  return found;
}

const data: readonly Check[] = [
  {
    id: "capabilities.complete",
    title: "every capability is told, each with a value it may have, and none that does not exist",
    why: "`undefined` is neither yes nor no: each layer above guesses, and each guesses otherwise.",
    tier: "smoke",
    behaviours: [113],
    guarantees: ["capability.complete"],
    rows: ["CF1"],
    kills: ["N201"],
    async run(t) {
      const found = t.store.capabilities;
      equal(Object.keys(found).sort(), Object.keys(members).sort(), "exactly the capabilities of the contract");
      for (const [key, judge] of Object.entries(members))
        ok(judge(found[key as keyof Capabilities]), `${key} has a value it may have`, found[key as keyof Capabilities]);
      equal(structuredClone(found), { ...found }, "they are plain data");
    },
  },
  {
    id: "capabilities.coherent",
    title: "capabilities do not contradict each other",
    why: '"Conditional writes: yes, etags: no" is a promise that nobody can make use of, and a sign that the table was copied.',
    tier: "smoke",
    behaviours: [113],
    guarantees: ["capability.complete"],
    kills: ["N202"],
    run: async (t) => equal(contradictions(t.store.capabilities), [], "no contradiction"),
  },
  {
    id: "capabilities.constant",
    title: "capabilities are the same before and after use, on every connection, and nobody can change them for others",
    why: "A store that finds out while it runs what it can do answers the same question differently each time; layers asked once, when they were built.",
    tier: "smoke",
    behaviours: [113],
    guarantees: ["capability.complete"],
    kills: ["N203"],
    needs: ["write", "read", "list", "delete"],
    async run(t) {
      const before = structuredClone(t.store.capabilities);
      await tree(t, "/w", { a: "1", "d/b": "2" });
      await outcome(t.store.copy("/w/a", "/w/c"));
      await outcome(t.store.move("/w/a", "/w/e"));
      await outcome(t.store.mkdir("/w/f"));
      await t.store.delete("/w/d/b");
      equal(structuredClone(t.store.capabilities), before, "after use");
      equal(structuredClone((await t.connect()).capabilities), before, "of another connection");
      const target = t.store.capabilities as { concurrency: number; consistency: { settleMs: number } };
      try {
        for (const change of [() => (target.concurrency = 12_345), () => (target.consistency.settleMs = 12_345)]) {
          try {
            change();
          } catch (error) {
            ok(error instanceof TypeError, "frozen data says so", error);
          }
        }
        equal(structuredClone((await t.connect()).capabilities), before, "a change by one caller reaches nobody else");
      } finally {
        // What could be changed is shared with every store of this process: it is put right again.
        if (!Object.isFrozen(target)) target.concurrency = before.concurrency;
        if (!Object.isFrozen(target.consistency)) target.consistency.settleMs = before.consistency.settleMs;
      }
    },
  },
  {
    id: "capabilities.forbidden",
    title: "each character that is declared as forbidden is refused with invalid-path, in every position",
    why: 'A table that says "forbidden" for characters that go through hides the day on which they do not.',
    tier: "full",
    behaviours: [113, 6],
    guarantees: ["path.refused", "capability.kept"],
    kills: ["N204"],
    needs: ["write", "list", "read"],
    async run(t) {
      for (const character of t.capabilities.forbidden) {
        for (const name of [`a${character}b`, `${character}a`, `a${character}`]) {
          await rejects("invalid-path", () => t.store.write(`/w/${name}`, "x"), `a name with ${JSON.stringify(character)}`);
          await rejects("invalid-path", () => t.store.stat(`/w/${name}`), `stat of a name with ${JSON.stringify(character)}`);
        }
      }
      await put(t, "/w/plain", "plain");
      await lists(t, "/w", ["plain"], "nothing of it was stored");
    },
  },
  {
    id: "capabilities.files-at-root",
    title: "files lie in the root where filesAtRoot says so, and are refused there where it does not",
    why: "Services with top-level containers accept the name and make a container of it.",
    tier: "smoke",
    behaviours: [113],
    guarantees: ["capability.kept"],
    kills: ["N205"],
    needs: ["write", "read", "list"],
    async run(t) {
      if (t.capabilities.filesAtRoot) {
        await put(t, "/root-file", "at the root");
        await holds(t, "/root-file", "at the root", "a file in the root");
        await lists(t, "/", ["root-file"], "listed there");
      } else {
        await rejects("invalid-path", () => t.store.write("/root-file", "at the root"), "a file in the root");
        await lists(t, "/", [], "nothing was made");
        await put(t, "/w/f", "below");
        await holds(t, "/w/f", "below", "a file in a directory");
      }
    },
  },
  {
    id: "capabilities.hierarchy",
    title: "a file and a directory of one name exclude each other where strictHierarchy says so, and stand side by side where it does not",
    why: "A flat store takes both keys whatever it declares; if it declares strict, one of the two is out of reach.",
    tier: "smoke",
    behaviours: [28, 74],
    guarantees: ["path.hierarchy", "write.target"],
    kills: ["N55"],
    needs: ["write", "read", "list"],
    async run(t) {
      await put(t, "/w/f", "file");
      await put(t, "/w/d/in", "in d");
      if (t.capabilities.strictHierarchy) {
        await rejects("not-a-directory", () => t.store.write("/w/f/below", "below"), "a write below a file");
        await rejects("is-a-directory", () => t.store.write("/w/d", "over"), "a write over a directory");
        await holds(t, "/w/f", "file", "the file is as it was");
        await lists(t, "/w", ["d", "f"], "nothing was made");
      } else {
        await put(t, "/w/f/below", "below");
        await t.store.write("/w/d", "a file of that name");
        await holds(t, "/w/f", "file", "the file is as it was");
        await holds(t, "/w/f/below", "below", "and so is what lies below its name");
        await holds(t, "/w/d", "a file of that name", "the other way round too");
        await t.settled("list", async () =>
          equal(
            (await listAll(t.store, "/w")).map((entry) => `${entry.kind} ${entry.path}`).sort(),
            ["directory /w/d", "directory /w/f", "file /w/d", "file /w/f"],
            "both kinds are listed",
          ),
        );
      }
    },
  },
];

/** What a declared capability does, shown in its plainest form. Keys whose whole group of checks is elsewhere are shown here all the same: one row of the report each. */
const shown: Readonly<Record<Exclude<SupportKey, "atomicWrites">, { readonly with?: readonly SupportKey[]; show(t: CheckContext): Promise<void> }>> = {
  read: {
    with: ["write"],
    show: async (t) => {
      await put(t, "/w/f", "bytes");
      await holds(t, "/w/f", "bytes", "what was written is read");
    },
  },
  write: {
    with: ["read"],
    show: async (t) => {
      const entry = await put(t, "/w/f", "12345");
      equal([entry.path as string, entry.size ?? 5], ["/w/f", 5], "the entry is that of the file");
      await holds(t, "/w/f", "12345", "it is there");
    },
  },
  list: {
    with: ["write"],
    show: async (t) => {
      await put(t, "/w/f", "x");
      await lists(t, "/w", ["f"], "what was written is listed");
    },
  },
  delete: {
    with: ["write"],
    show: async (t) => {
      await put(t, "/w/f", "x");
      await t.store.delete("/w/f");
      await gone(t, "/w/f", "what was deleted is gone");
    },
  },
  mkdir: {
    show: async (t) => {
      await t.store.mkdir("/w-d");
      await isDirectoryAt(t, "/w-d", "the directory is there");
    },
  },
  copy: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", "bytes");
      await t.store.copy("/w/f", "/w/g");
      await holds(t, "/w/g", "bytes", "the copy");
      await holds(t, "/w/f", "bytes", "the source");
    },
  },
  move: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", "bytes");
      await t.store.move("/w/f", "/w/g");
      await holds(t, "/w/g", "bytes", "the target");
      await gone(t, "/w/f", "the source");
    },
  },
  space: {
    show: async (t) => {
      const space = await t.store.space();
      ok(space.used !== null || space.free !== null || space.total !== null, "at least one of the three is known", space);
    },
  },
  account: { show: async (t) => ok((await t.store.account()).text !== "", "the account has a text") },
  readRange: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", "0123456789");
      equal(await rangeText(t, { offset: 3, length: 4 }), "3456", "a part");
      equal(await rangeText(t, { offset: 7 }), "789", "from an offset on");
    },
  },
  readSuffix: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", "0123456789");
      equal(await rangeText(t, { offset: -3 }), "789", "the last three");
      equal(await rangeText(t, { offset: -10 }), "0123456789", "the last ten of ten");
      await using result = await t.store.read("/w/f", { range: { offset: -99 } });
      equal([result.offset, await result.text()], [0, "0123456789"], "the last 99 of ten are all, from offset 0");
    },
  },
  readIfMatch: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", "old");
      const { etag } = await statOf(t, "/w/f", 3);
      ok(etag !== null, "who compares etags tells one", etag);
      equal(await textOf(t, { ifMatch: etag }), "old", "with the etag of the file: its bytes");
      await put(t, "/w/f", "newer");
      await t.settled("read", () => rejects("precondition-failed", () => t.store.read("/w/f", { ifMatch: etag }), "with an older etag"));
    },
  },
  readIfNoneMatch: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", "old");
      const { etag } = await statOf(t, "/w/f", 3);
      ok(etag !== null, "who compares etags tells one", etag);
      const error = await rejects("not-modified", () => t.store.read("/w/f", { ifNoneMatch: etag }), "with the etag of the file: nothing to read");
      equal(error.transient, false, "waiting does not change that");
      await put(t, "/w/f", "newer");
      await t.settled("read", async () => equal(await textOf(t, { ifNoneMatch: etag }), "newer", "with an older etag: the new bytes"));
    },
  },
  writeIfAbsent: {
    with: ["read", "write"],
    show: async (t) => {
      await t.store.write("/w/f", "first", { ifAbsent: true });
      await holds(t, "/w/f", "first", "where nothing was");
      await rejects("already-exists", () => t.store.write("/w/f", "second", { ifAbsent: true }), "where something is");
      await holds(t, "/w/f", "first", "it is as it was");
    },
  },
  writeIfMatch: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", "first");
      const { etag } = await statOf(t, "/w/f", 5);
      ok(etag !== null, "who compares etags tells one", etag);
      await t.store.write("/w/f", "second", { ifMatch: etag });
      await holds(t, "/w/f", "second", "with the etag of the file");
      await rejects("precondition-failed", () => t.store.write("/w/f", "third", { ifMatch: etag }), "with an older etag");
      await rejects("precondition-failed", () => t.store.write("/w/missing", "x", { ifMatch: etag }), "of what is missing");
      await holds(t, "/w/f", "second", "it is as it was");
    },
  },
  writeUnknownSize: {
    with: ["read", "write"],
    show: async (t) => {
      await put(t, "/w/f", pieces(pattern(70_000, "unknown"), 1000));
      await holds(t, "/w/f", pattern(70_000, "unknown"), "a body of unknown size");
    },
  },
  writeModified: {
    with: ["write"],
    show: async (t) => {
      const step = t.capabilities.modifiedPrecisionMs;
      ok(step !== null, "who sets times tells them", step);
      await put(t, "/w/f", "x", { modifiedMs: 1_500_000_000_123 });
      await t.settled("read", async () =>
        equal((await t.store.stat("/w/f")).modifiedMs, Math.floor(1_500_000_000_123 / step) * step, "the time that was given, cut to the precision"),
      );
    },
  },
  writeContentType: {
    with: ["write"],
    show: async (t) => {
      await put(t, "/w/f", "x", { contentType: "text/x-shown" });
      await t.settled("read", async () => equal((await t.store.stat("/w/f")).contentType, "text/x-shown", "the type that was given"));
    },
  },
  writeMetadata: {
    with: ["write"],
    show: async (t) => {
      await put(t, "/w/f", "x", { metadata: { shown: "yes" } });
      await t.settled("read", async () => equal({ ...(await t.store.stat("/w/f")).metadata }, { shown: "yes" }, "the metadata that was given"));
    },
  },
  listRecursive: {
    with: ["list", "write"],
    show: async (t) => {
      await tree(t, "/w", { "a/b": "1", c: "2" });
      await lists(t, "/w", ["a", "b", "c"], "the whole subtree", { recursive: true });
    },
  },
  listIfNoneMatch: {
    with: ["list", "write"],
    show: async (t) => {
      await put(t, "/w/a", "1");
      const backend = backendOf(t.store);
      const dir = parsePath("/w");
      // The condition goes with the first page; the entries may be on any.
      const listing = async (ifNoneMatch?: string): Promise<{ readonly etag: string | null; readonly entries: readonly Entry[] }> => {
        const first = await backend.list(calls.list(dir, { ifNoneMatch }));
        const entries = [...first.entries];
        for (let { cursor } = first; cursor !== undefined && cursor !== null;) {
          const page = await backend.list(calls.list(dir, { cursor }));
          entries.push(...page.entries);
          cursor = page.cursor;
        }
        return { etag: first.etag ?? null, entries };
      };
      const before = await listing();
      ok(before.etag !== null && before.etag !== "", "the first page has an etag", before.etag);
      const { error } = await outcome(listing(before.etag));
      ok(hasCode(error, "not-modified"), "with the etag of the listing: not-modified", error ?? "success");
      await put(t, "/w/b", "2");
      const after = await t.settled("list", async () => {
        const found = await listing(before.etag ?? "");
        equal(names(found.entries), ["a", "b"], "with an older etag: the listing");
        return found;
      });
      ok(after.etag !== before.etag, "which has another etag", after.etag);
      await t.store.write("/w/b", "longer than it was");
      await t.settled("list", async () =>
        equal((await listing(after.etag ?? "")).entries.find((entry) => entry.path === "/w/b")?.size, 18, "an overwrite is a change too"),
      );
    },
  },
  deleteRecursive: {
    with: ["delete", "write", "list"],
    show: async (t) => {
      await tree(t, "/w", { "d/a": "1", "d/e/b": "2" });
      await t.store.delete("/w/d", { recursive: true });
      await gone(t, "/w/d", "the whole subtree");
    },
  },
  deleteIfMatch: {
    with: ["delete", "write", "read"],
    show: async (t) => {
      await put(t, "/w/f", "first");
      const { etag } = await statOf(t, "/w/f", 5);
      ok(etag !== null, "who compares etags tells one", etag);
      await put(t, "/w/f", "second one");
      await rejects("precondition-failed", () => t.store.delete("/w/f", { ifMatch: etag }), "with an older etag");
      await holds(t, "/w/f", "second one", "it is as it was");
      const now = (await statOf(t, "/w/f", 10)).etag;
      await t.store.delete("/w/f", { ifMatch: now ?? "" });
      await gone(t, "/w/f", "with the etag of the file");
    },
  },
  copyTree: {
    with: ["copy", "read", "write", "mkdir"],
    show: async (t) => {
      await tree(t, "/w", { "d/a": "1", "d/e/b": "2" });
      await t.store.copy("/w/d", "/w/f");
      await holds(t, "/w/f/e/b", "2", "the tree");
      await holds(t, "/w/d/e/b", "2", "and its source");
    },
  },
  copyIfAbsent: { with: ["copy", "read", "write"], show: async (t) => ifAbsent(t, "copy") },
  moveTree: {
    with: ["move", "read", "write", "mkdir"],
    show: async (t) => {
      await tree(t, "/w", { "d/a": "1", "d/e/b": "2" });
      await t.store.move("/w/d", "/w/f");
      await holds(t, "/w/f/e/b", "2", "the tree");
      await gone(t, "/w/d", "its source");
    },
  },
  moveIfAbsent: { with: ["move", "read", "write"], show: async (t) => ifAbsent(t, "move") },
};

async function textOf(t: CheckContext, options: { readonly ifMatch?: string; readonly ifNoneMatch?: string }): Promise<string> {
  await using result = await t.store.read("/w/f", options);
  return await result.text();
}

async function rangeText(t: CheckContext, range: { readonly offset: number; readonly length?: number }): Promise<string> {
  return new TextDecoder().decode(await readAll(t.store, "/w/f", { range }));
}

async function ifAbsent(t: CheckContext, verb: "copy" | "move"): Promise<void> {
  await put(t, "/w/f", "source");
  await put(t, "/w/taken", "protected");
  await rejects("already-exists", () => t.store[verb]("/w/f", "/w/taken", { ifAbsent: true }), "where something is");
  await holds(t, "/w/taken", "protected", "it is as it was");
  await holds(t, "/w/f", "source", "and so is the source");
  await t.store[verb]("/w/f", "/w/free", { ifAbsent: true });
  await holds(t, "/w/free", "source", "where nothing is");
}

/** "readIfNoneMatch" -> "read-if-none-match" */
const dashed = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const each: readonly Check[] = Object.entries(shown).map(([key, { with: others = [], show: run }]): Check => ({
  id: `capabilities.${dashed(key)}`,
  title: `${key}: declared, it does what it says; not declared, the call is refused with unsupported and changes nothing`,
  why: "A capability that is declared and is a stub passes every test that asks only whether it exists; one that is not declared and ignored loses the condition that its caller relies on.",
  tier: "smoke",
  behaviours: [113, 156],
  guarantees: ["capability.kept", "capability.refused"],
  rows: ["CF1"],
  kills: killersOf(key),
  needs: [key as SupportKey, ...others],
  run,
}));

/** Keys with a one-bug store of their own: declared, and a stub that succeeds. */
function killersOf(key: string): readonly string[] {
  const own: Readonly<Record<string, readonly string[]>> = {
    read: ["N601"],
    write: ["N602"],
    list: ["N603"],
    delete: ["M01"],
    mkdir: ["N165"],
    copy: ["N604"],
    move: ["N605"],
    space: ["N606"],
    account: ["N36b"],
    readRange: ["N607"],
    readSuffix: ["N13"],
    readIfMatch: ["M52e"],
    readIfNoneMatch: ["M52f"],
    writeIfAbsent: ["N608"],
    writeIfMatch: ["N609"],
    writeUnknownSize: ["N610"],
    writeModified: ["N26"],
    writeContentType: ["N64"],
    writeMetadata: ["N113"],
    listRecursive: ["N611"],
    listIfNoneMatch: ["N206"],
    deleteRecursive: ["N612"],
    deleteIfMatch: ["M52g"],
    copyTree: ["N613"],
    copyIfAbsent: ["N12"],
    moveTree: ["N614"],
    moveIfAbsent: ["N47"],
  };
  return own[key] ?? [];
}

const services: readonly Check[] = [
  {
    id: "capabilities.hashes",
    title: "hashes that are declared are told by stat, for files that come by any way; none are told that are wrong",
    why: "A sync tool that was promised an MD5 compares with nothing, and copies everything each time.",
    tier: "smoke",
    behaviours: [111, 113],
    guarantees: ["capability.kept", "entry.hashes"],
    kills: ["N105"],
    needs: ["read", "write"],
    async run(t) {
      const content = pattern(3210, "hashes");
      await put(t, "/w/f", content);
      const stat = await statOf(t, "/w/f", 3210);
      for (const name of t.capabilities.hashes) equal(stat.hashes[name], hashOf(name, content), `${name} is declared: stat tells that of the bytes`);
      for (const [name, hex] of Object.entries(stat.hashes)) equal(hex, hashOf(name as HashName, content), `${name} is that of the bytes`);
    },
  },
  {
    id: "capabilities.write-expect",
    title: "a right hash is accepted and a wrong one refused, for every hash of the contract, checked by the service or not",
    why: "A hash that only some services check is a check that one has to do oneself everywhere.",
    tier: "full",
    behaviours: [69, 113],
    guarantees: ["write.expect"],
    kills: ["M23"],
    needs: ["read", "write"],
    async run(t) {
      const content = pattern(2048, "expect");
      for (const name of hashNames as readonly HashName[]) {
        const right = hashOf(name, content);
        await t.store.write(`/w/right-${name}`, content, { expect: { [name]: right } });
        await holds(t, `/w/right-${name}`, content, `with the right ${name}`);
        const wrong = `${right.startsWith("0") ? "1" : "0"}${right.slice(1)}`;
        await rejects("integrity", () => t.store.write(`/w/wrong-${name}`, content, { expect: { [name]: wrong } }), `with a wrong ${name}`);
        await gone(t, `/w/wrong-${name}`, `nothing is stored with a wrong ${name}`);
      }
    },
  },
  {
    id: "capabilities.boundaries",
    title: "what is not declared is refused to layers as well as to callers",
    why: "A layer that calls below the front would otherwise reach what the store says it does not have.",
    tier: "full",
    behaviours: [156, 157],
    guarantees: ["capability.refused"],
    kills: [],
    needs: ["read", "write", "list"],
    async run(t) {
      await put(t, "/w/f", "file");
      const backend = backendOf(t.store);
      const path = parsePath;
      const attempts: Partial<Record<SupportKey, () => Promise<unknown>>> = {
        mkdir: () => backend.mkdir(calls.mkdir(path("/w/d"))),
        copy: () => backend.copy(calls.copy(path("/w/f"), path("/w/g"))),
        move: () => backend.move(calls.move(path("/w/f"), path("/w/g"))),
        space: () => backend.space(calls.space()),
        account: () => backend.account(calls.account()),
        readIfMatch: () => backend.read(calls.read(path("/w/f"), { ifMatch: "x" })),
        writeIfAbsent: () => backend.write(calls.write(path("/w/g"), "x", { ifAbsent: true })),
        writeMetadata: () => backend.write(calls.write(path("/w/g"), "x", { metadata: { a: "b" } })),
        writeModified: () => backend.write(calls.write(path("/w/g"), "x", { modifiedMs: 1 })),
        listIfNoneMatch: () => backend.list(calls.list(path("/w"), { ifNoneMatch: "x" })),
        deleteIfMatch: () => backend.delete(calls.delete(path("/w/f"), { ifMatch: "x" })),
      };
      let refused = 0;
      for (const [key, attempt] of Object.entries(attempts)) {
        if (t.capabilities[key as SupportKey] !== false) continue;
        const { error } = await outcome(attempt());
        ok(hasCode(error, "unsupported"), `${key} is not declared, so the backend refuses it`, error === undefined ? "success" : show(error));
        refused += 1;
      }
      await lists(t, "/w", ["f"], "nothing was changed");
      sameBytes(await readAll(t.store, "/w/f"), new TextEncoder().encode("file"), "the file is as it was");
      t.note(`${refused} of ${Object.keys(attempts).length} are not declared and were refused to a layer`);
      // A store that declares everything has nothing to refuse: that it does what it says is shown key by key.
      if (refused === 0) for (const key of Object.keys(attempts)) if (t.capabilities[key as SupportKey] === false) fail(`${key} was not tried`);
      await directoryOrNot(t);
    },
  },
];

/** mkdir through the backend does what it does through the front. */
async function directoryOrNot(t: CheckContext): Promise<void> {
  if (t.capabilities.mkdir === false) return;
  await directory(t, "/w/made");
  await isDirectoryAt(t, "/w/made", "a directory made through the front");
  await rejects("already-exists", () => t.store.mkdir("/w/made"), "made again");
}

export const checks: readonly Check[] = [...data, ...each, ...services];
