/** Properties of files: content type and metadata of the user; times are in metadata-times.ts, the laws of entries in metadata-entries.ts (behaviours 105 to 113). */
import { equal, ok, pattern, pieces, rejects, show } from "../assert.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import { StoreError } from "../../store/index.ts";
import type { Metadata, WriteOptions } from "../../store/index.ts";
import { statOf } from "./entries.ts";
import { gone, holds, outcome, put, rw } from "./look.ts";
import { entries } from "./metadata-entries.ts";
import { times } from "./metadata-times.ts";

const typed: readonly SupportKey[] = [...rw, "writeContentType"];
const annotated: readonly SupportKey[] = [...rw, "writeMetadata"];

/** The metadata of a file as plain pairs, so that the prototype of the object does not matter. */
async function metadataOf(t: CheckContext, path: string): Promise<Record<string, string> | null> {
  const { metadata } = await t.store.stat(path, { fresh: true });
  return metadata === null ? null : Object.fromEntries(Object.entries(metadata));
}

async function keeps(t: CheckContext, path: string, metadata: Metadata, what: string): Promise<void> {
  await put(t, path, "annotated", { metadata });
  await t.settled("read", async () => equal(await metadataOf(t, path), { ...metadata }, what));
}

/** Kept exactly, or refused with one of the codes for what a service cannot hold, and then nothing is stored. Never stored as something else. */
async function keepsOrRefuses(t: CheckContext, path: string, options: WriteOptions, look: () => Promise<void>, what: string): Promise<void> {
  const { error } = await outcome(t.store.write(path, "annotated", options));
  if (error === undefined) return await t.settled("read", look);
  ok(error instanceof TypeError || StoreError.is(error), `${what}: refused with a typed error`, error);
  if (StoreError.is(error)) await rejects(["unsupported", "too-large", "config"], Promise.reject(error), `${what}: kept, or refused`);
  t.note(`${what}: refused, ${show(error)}`);
  await gone(t, path, `${what}: refused, so nothing is stored`);
}

const properties: readonly Check[] = [
  {
    id: "metadata.type.kept",
    title: "a content type that is given is what stat says, with its parameters",
    why: "Adapters guess the type from the name, or drop the charset, and browsers then show text as a download.",
    tier: "smoke",
    behaviours: [108, 113],
    guarantees: ["entry.contentType"],
    kills: ["N64"],
    needs: typed,
    async run(t) {
      for (const [name, contentType] of [
        ["plain.bin", "text/plain"],
        ["charset.txt", "text/html; charset=utf-8"],
        ["odd.json", "application/vnd.x-odd+json;v=1"],
      ] as const) {
        await put(t, `/w/${name}`, "typed", { contentType });
        await t.settled("read", async () => equal((await t.store.stat(`/w/${name}`)).contentType, contentType, `the content type of ${name}`));
      }
    },
  },
  {
    id: "metadata.type.stream",
    title: "a content type is kept for streams and for empty files too",
    why: "The upload of unknown length takes another call of the SDK, on which the type is passed in another place, or forgotten.",
    tier: "full",
    behaviours: [108],
    guarantees: ["entry.contentType"],
    kills: ["N108"],
    needs: [...typed, "writeUnknownSize"],
    async run(t) {
      await put(t, "/w/stream", new Blob(["streamed"]).stream(), { contentType: "text/x-stream" });
      await put(t, "/w/empty", new Uint8Array(0), { contentType: "text/x-empty" });
      await t.settled("read", async () => equal((await t.store.stat("/w/stream")).contentType, "text/x-stream", "of a stream"));
      await t.settled("read", async () => equal((await t.store.stat("/w/empty")).contentType, "text/x-empty", "of an empty file"));
    },
  },
  {
    id: "metadata.type.replaced",
    title: "an overwrite without a content type does not inherit the old one",
    why: "A picture that replaces a page and is still served as text/html is shown as garbage, or as a script.",
    tier: "smoke",
    behaviours: [108, 110],
    guarantees: ["write.replaces", "entry.contentType"],
    kills: ["N25"],
    needs: typed,
    async run(t) {
      await put(t, "/w/plain", "plain");
      const plain = (await statOf(t, "/w/plain", 5)).contentType;
      await put(t, "/w/f", "old", { contentType: "text/x-old" });
      await put(t, "/w/f", "new bytes");
      await t.settled("read", async () => equal((await t.store.stat("/w/f")).contentType, plain, "what a file without a given type has"));
      await put(t, "/w/f", "other", { contentType: "text/x-other" });
      await t.settled("read", async () => equal((await t.store.stat("/w/f")).contentType, "text/x-other", "another type replaces it"));
    },
  },
  {
    id: "metadata.type.invalid",
    title: "a content type that is none is kept exactly or refused, and injects no header",
    why: "A line break in a content type that reaches the wire unchecked adds headers to the request: somebody else's metadata, or another request.",
    tier: "full",
    behaviours: [108, 156],
    guarantees: ["entry.contentType", "capability.refused"],
    kills: ["N109"],
    needs: typed,
    async run(t) {
      for (const [index, contentType] of ["text/plain\r\nx-injected: 1", "not a type", 'text/plain; charset="ü"', "\u0000"].entries()) {
        const path = `/w/t${index}`;
        await keepsOrRefuses(
          t,
          path,
          { contentType },
          async () => equal((await t.store.stat(path)).contentType, contentType, "kept exactly"),
          `content type ${JSON.stringify(contentType)}`,
        );
      }
    },
  },
  {
    id: "metadata.type.same-answer",
    title: "every answer that tells a content type tells that of stat",
    why: "The type in the headers of a GET is what browsers see, that of a HEAD is what tools check.",
    tier: "full",
    behaviours: [108, 96],
    guarantees: ["entry.law", "entry.contentType"],
    kills: ["N111"],
    needs: typed,
    async run(t) {
      const written = await put(t, "/w/f", "typed", { contentType: "text/x-same" });
      ok(written.contentType === null || written.contentType === "text/x-same", "write", written.contentType);
      await using result = await t.store.read("/w/f");
      ok(result.entry.contentType === null || result.entry.contentType === "text/x-same", "read", result.entry.contentType);
      equal((await statOf(t, "/w/f", 5)).contentType, "text/x-same", "stat");
    },
  },
  {
    id: "metadata.type.failed-overwrite",
    title: "a write that fails leaves the content type and metadata of the old version",
    why: "Properties that are set by a request of their own are set although the bytes were refused.",
    tier: "full",
    behaviours: [108, 66],
    guarantees: ["write.failed"],
    kills: ["N112"],
    needs: typed,
    async run(t) {
      await put(t, "/w/f", "old", { contentType: "text/x-old" });
      await rejects(
        "bad-body",
        () => t.store.write("/w/f", pieces(pattern(5, "short"), 2), { size: 10, contentType: "text/x-new" }),
        "a body that is too short",
      );
      await t.settled("read", async () => equal((await t.store.stat("/w/f")).contentType, "text/x-old", "the old type is still there"));
      await holds(t, "/w/f", "old", "and so are the old bytes");
    },
  },
  {
    id: "metadata.user.kept",
    title: "metadata that is given is what stat says",
    why: "Metadata is where tools keep the real time, the owner and the key of a file: lost, the file is there and cannot be used.",
    tier: "smoke",
    behaviours: [109, 113],
    guarantees: ["entry.metadata"],
    kills: ["N113"],
    needs: annotated,
    run: (t) => keeps(t, "/w/f", { colour: "green", number: "42", "with-dash": "a b c", long: "x".repeat(200) }, "the metadata of the file"),
  },
  {
    id: "metadata.user.values",
    title: "metadata values of any Unicode text are kept: accents, CJK, emoji, spaces at both ends, nothing at all",
    why: "HTTP headers carry Latin-1 at best: values come back as question marks, as =?UTF-8?..., trimmed, or the request is refused with a broken signature.",
    tier: "full",
    behaviours: [109],
    guarantees: ["entry.metadata"],
    kills: ["N114"],
    needs: annotated,
    async run(t) {
      const values = {
        accent: "é è ü ß",
        cjk: "漢字かな",
        emoji: "\u{1f600}\u{1f1e9}\u{1f1ea}",
        spaces: "  both ends  ",
        percent: "100%25 + 1",
        quotes: "\"'`,;=",
        encoded: "=?UTF-8?B?w6k=?=",
        latin: "\u00ff\u0080",
      };
      for (const [key, value] of Object.entries(values)) {
        const path = `/w/${key}`;
        await keepsOrRefuses(
          t,
          path,
          { metadata: { [key]: value } },
          async () => equal(await metadataOf(t, path), { [key]: value }, "kept exactly"),
          `metadata value ${JSON.stringify(value)}`,
        );
      }
      await keepsOrRefuses(
        t,
        "/w/nothing",
        { metadata: { nothing: "" } },
        async () => equal(await metadataOf(t, "/w/nothing"), { nothing: "" }, "kept exactly"),
        "an empty metadata value",
      );
    },
  },
  {
    id: "metadata.user.lines",
    title: "metadata with line breaks or control characters is kept exactly or refused, and injects no header",
    why: "A line break that reaches the wire ends the header and begins another one.",
    tier: "full",
    behaviours: [109, 156],
    guarantees: ["entry.metadata"],
    kills: ["N115"],
    needs: annotated,
    async run(t) {
      for (const [index, value] of ["one\r\nx-amz-acl: public-read", "one\ntwo", "tab\there", "bell\u0007"].entries()) {
        const path = `/w/m${index}`;
        await keepsOrRefuses(
          t,
          path,
          { metadata: { note: value } },
          async () => equal(await metadataOf(t, path), { note: value }, "kept exactly"),
          `metadata value ${JSON.stringify(value)}`,
        );
      }
    },
  },
  {
    id: "metadata.user.keys",
    title: "odd metadata keys are kept exactly or refused: capitals, underscores, dots, spaces, Unicode, colons",
    why: 'Header names have no case, so "Key" comes back as "key"; underscores are dropped by proxies. A key that changes on the way is a value that nobody finds.',
    tier: "full",
    behaviours: [109],
    guarantees: ["entry.metadata"],
    kills: ["N58"],
    needs: annotated,
    async run(t) {
      for (const [index, key] of ["Capital", "under_score", "dot.dot", "with space", "schlüssel", "a:b", "x".repeat(64), "1"].entries()) {
        const path = `/w/k${index}`;
        await keepsOrRefuses(
          t,
          path,
          { metadata: { [key]: "value" } },
          async () => equal(await metadataOf(t, path), { [key]: "value" }, "kept exactly"),
          `metadata key ${JSON.stringify(key)}`,
        );
      }
    },
  },
  {
    id: "metadata.user.case-twins",
    title: "two keys that differ by case are both kept or refused, never merged",
    why: "Merged by the header map of some library, one of the two values is gone without a word.",
    tier: "full",
    behaviours: [109],
    guarantees: ["entry.metadata"],
    kills: ["N58"],
    needs: annotated,
    run: (t) =>
      keepsOrRefuses(
        t,
        "/w/f",
        { metadata: { twin: "1", TWIN: "2" } },
        async () => equal(await metadataOf(t, "/w/f"), { twin: "1", TWIN: "2" }, "both keys are there"),
        "two keys that differ by case",
      ),
  },
  {
    id: "metadata.user.prototype",
    title: "keys with a meaning in JavaScript are ordinary keys, or refused",
    why: '"__proto__" assigned to an object changes its prototype: the value is lost, or every object of the process gains a property.',
    tier: "full",
    behaviours: [109],
    guarantees: ["entry.metadata"],
    kills: ["N116"],
    needs: annotated,
    async run(t) {
      for (const [index, key] of ["constructor", "toString", "__proto__", "hasownproperty"].entries()) {
        const path = `/w/p${index}`;
        const metadata = JSON.parse(`{${JSON.stringify(key)}:"value"}`) as Metadata;
        await keepsOrRefuses(
          t,
          path,
          { metadata },
          async () => {
            const found = await metadataOf(t, path);
            equal(found === null ? null : Object.entries(found), [[key, "value"]], "kept as an ordinary key");
          },
          `metadata key ${key}`,
        );
      }
      equal(({} as Record<string, unknown>)["value"], undefined, "no other object gained a property");
    },
  },
  {
    id: "metadata.user.replaced",
    title: "an overwrite replaces metadata as a whole: what is not given again is gone",
    why: "Merged metadata keeps the old owner, the old checksum and the old time beside the new bytes.",
    tier: "smoke",
    behaviours: [110],
    guarantees: ["write.replaces", "entry.metadata"],
    kills: ["N25"],
    needs: annotated,
    async run(t) {
      await keeps(t, "/w/f", { first: "1", both: "old" }, "before");
      await keeps(t, "/w/f", { both: "new" }, "the new metadata alone");
      await put(t, "/w/f", "none at all");
      await t.settled("read", async () => equal(await metadataOf(t, "/w/f"), {}, "an overwrite without metadata leaves none"));
    },
  },
  {
    id: "metadata.user.none",
    title: "a file without metadata says {} where metadata can be written",
    why: 'Null means "not told": a layer that has to know asks again, each time.',
    tier: "full",
    behaviours: [109, 113],
    guarantees: ["entry.metadata", "entry.complete"],
    kills: ["N117"],
    needs: annotated,
    async run(t) {
      await put(t, "/w/f", "plain");
      await t.settled("read", async () => equal(await metadataOf(t, "/w/f"), {}, "no metadata"));
    },
  },
  {
    id: "metadata.user.limit",
    title: "metadata of exactly maxMetadataBytes is kept; one byte more is refused and nothing is stored",
    why: "Services cut, drop or answer 500 beyond their limit; a declared limit that is wrong is worse than none.",
    tier: "full",
    behaviours: [109],
    guarantees: ["entry.metadata"],
    kills: ["N118"],
    needs: annotated,
    async run(t) {
      const limit = t.capabilities.maxMetadataBytes;
      ok(limit > 0, "who can write metadata declares room for some", limit);
      if (!Number.isFinite(limit) || limit > 2 ** 20) {
        await keeps(
          t,
          "/w/f",
          Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, "v".repeat(1000)])),
          "64 KB of metadata where no limit is declared",
        );
        return;
      }
      // Several values of moderate length: services limit single ones too.
      const metadata: Record<string, string> = {};
      let left = limit;
      for (let index = 0; left > 0; index += 1) {
        const key = `k${String(index).padStart(3, "0")}`;
        const room = Math.min(left - key.length, 200);
        if (room <= 0) {
          const last = `k${String(index - 1).padStart(3, "0")}`;
          metadata[last] = `${metadata[last] ?? ""}${"v".repeat(left)}`;
          break;
        }
        metadata[key] = "v".repeat(room);
        left -= key.length + room;
      }
      equal(
        Object.entries(metadata).reduce((sum, [key, value]) => sum + key.length + value.length, 0),
        limit,
        "the metadata of the check has exactly the limit",
      );
      await keeps(t, "/w/exact", metadata, `${limit} bytes of metadata`);
      await rejects(
        ["too-large", "unsupported", "config"],
        () => t.store.write("/w/over", "x", { metadata: { ...metadata, k000: `${metadata["k000"]}v` } }),
        `${limit + 1} bytes of metadata`,
      );
      await gone(t, "/w/over", "nothing is stored beyond the limit");
    },
  },
  {
    id: "metadata.user.borrowed",
    title: "changing the metadata object after the call does not change what is stored",
    why: "An upload that waits in a queue reads its options late, when the caller has used the object for the next file.",
    tier: "full",
    behaviours: [44, 109],
    guarantees: ["entry.metadata"],
    kills: ["N59"],
    needs: annotated,
    async run(t) {
      const metadata: Record<string, string> = { owner: "first" };
      await put(t, "/w/f", "bytes", { metadata });
      metadata["owner"] = "second";
      metadata["more"] = "third";
      await t.settled("read", async () => equal(await metadataOf(t, "/w/f"), { owner: "first" }, "what was given is what is stored"));
    },
  },
  {
    id: "metadata.user.wrong",
    title: "metadata that is not texts by name is a TypeError, and nothing is stored",
    why: 'Numbers and null become "null" and "[object Object]" in a header, and nobody can tell them from texts any more.',
    tier: "full",
    behaviours: [109, 156],
    guarantees: ["capability.refused"],
    kills: ["N119"],
    needs: annotated,
    async run(t) {
      for (const wrong of [{ a: 1 }, { a: null }, "text", [["a", "b"]], { a: undefined }]) {
        const { error } = await outcome(t.store.write("/w/f", "bytes", { metadata: wrong as unknown as Metadata }));
        ok(error instanceof TypeError, `metadata ${show(wrong)} is a TypeError`, error ?? "success");
        await gone(t, "/w/f", "nothing is stored");
      }
    },
  },
  {
    id: "metadata.user.same-bytes",
    title: "writing the same bytes with other metadata stores the metadata",
    why: "Deduplication by content skips the write, and the new properties with it.",
    tier: "full",
    behaviours: [110, 63],
    guarantees: ["write.replaces", "entry.metadata"],
    kills: ["N92"],
    needs: annotated,
    async run(t) {
      await keeps(t, "/w/f", { version: "1" }, "the first");
      await keeps(t, "/w/f", { version: "2" }, "the same bytes with other metadata");
      await holds(t, "/w/f", "annotated", "the bytes are the same");
    },
  },
  {
    id: "metadata.user.large-body",
    title: "content type and metadata are kept for every way an upload goes",
    why: "Multipart uploads take their properties from the first request, simple ones from the only one; each adapter has forgotten one of the two.",
    tier: "full",
    behaviours: [108, 109, 32],
    guarantees: ["entry.metadata", "entry.contentType"],
    kills: ["N120"],
    needs: [...annotated, "writeContentType"],
    timeoutMs: 240_000,
    async run(t) {
      const steps = t.capabilities.sizeSteps.filter((size) => size <= (t.tier === "torture" ? 2 ** 30 : 2 ** 25));
      for (const size of [100, 100_000, ...steps.map((step) => step + 1)]) {
        await put(t, "/w/f", pattern(size, "large"), { contentType: "text/x-large", metadata: { size: String(size) } });
        await t.settled("read", async () => {
          const entry = await t.store.stat("/w/f");
          equal([entry.size, entry.contentType, { ...entry.metadata }], [size, "text/x-large", { size: String(size) }], `${size} bytes`);
        });
      }
    },
  },
];

export const checks: readonly Check[] = [...properties, ...times, ...entries];
