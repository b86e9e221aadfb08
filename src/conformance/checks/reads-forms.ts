/** What a read gives, in every form, of what is there, is not there, is no file, came from elsewhere (behaviours 58, 60). */
import { equal, ok, pattern, rejects, sameBytes } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base } from "./base.ts";
import { each } from "./each.ts";
import { holds, put, rw } from "./look.ts";
import { accepted, folded } from "./spelling.ts";

export const checks: readonly Check[] = [
  {
    id: "reads.forms",
    title: "iteration, bytes(), text(), stream() and nodeStream() give the same bytes",
    why: "Each form has its own buffer handling; the Node stream of one SDK turns strings out, another stops at the high-water mark.",
    tier: "smoke",
    behaviours: [1, 45],
    guarantees: ["read.forms", "read.range.told"],
    rows: ["CF3"],
    kills: ["A42"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/forms`;
      const text = "näher 😀\r\n".repeat(9_000);
      const bytes = new TextEncoder().encode(text);
      await put(t, path, bytes);
      await holds(t, path, bytes, "bytes()");
      {
        await using result = await t.store.read(path);
        equal(await result.text(), text, "text()");
      }
      const forms = {
        iteration: (result: AsyncIterable<Uint8Array>) => result,
        "stream()": (result: { stream(): ReadableStream<Uint8Array> }) => result.stream(),
        "nodeStream()": (result: { nodeStream(): AsyncIterable<unknown> }) => result.nodeStream() as AsyncIterable<Uint8Array>,
      };
      for (const [name, form] of Object.entries(forms)) {
        await using result = await t.store.read(path);
        equal(result.offset, 0, `${name}: the offset is told`);
        if (result.length !== null) equal(result.length, bytes.length, `${name}: the length is told`);
        const chunks: Uint8Array[] = [];
        for await (const chunk of form(result)) {
          ok(chunk instanceof Uint8Array, `${name}: chunks are bytes`, chunk);
          chunks.push(chunk.slice());
        }
        sameBytes(Buffer.concat(chunks), bytes, name);
      }
    },
  },
  {
    id: "reads.once",
    title: "the bytes of one result are taken once; a second attempt is an error and never other bytes",
    why: "A result read twice comes back empty the second time: an empty file is written over a good one.",
    tier: "smoke",
    behaviours: [54],
    guarantees: ["read.once"],
    kills: ["A25"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/once`;
      const bytes = pattern(10_000, "once");
      await put(t, path, bytes);
      await holds(t, path, bytes, "a first look");
      await using result = await t.store.read(path);
      sameBytes(await result.bytes(), bytes, "the first time");
      const again: unknown = await result.bytes().then(
        (found) => found,
        (error: unknown) => error,
      );
      ok(again instanceof Error, "the second time is an error", again);
      const iterated: unknown = await (async () => {
        let count = 0;
        for await (const chunk of result) count += chunk.length;
        return count;
      })().then(
        (count) => count,
        (error: unknown) => error,
      );
      ok(iterated instanceof Error, "iterating afterwards is an error", iterated);
    },
  },
  {
    id: "reads.directory",
    title: "reading a directory is is-a-directory, never bytes",
    why: "Servers answer GET on a collection with an HTML page, S3 with the zero bytes of a marker: a copy tool then stores that.",
    tier: "smoke",
    behaviours: [58],
    guarantees: ["read.directory"],
    kills: ["A28"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/inside`, pattern(10, "inside"));
      await t.settled("read", async () => void (await rejects("is-a-directory", () => t.store.read(`${d}/x`), "a directory that holds a file")));
      await rejects("is-a-directory", () => t.store.read("/"), "the root");
      if (t.capabilities.mkdir === false) return;
      await t.store.mkdir(`${d}/empty`);
      await t.settled("read", async () => void (await rejects("is-a-directory", () => t.store.read(`${d}/empty`), "an empty directory")));
    },
  },
  {
    id: "reads.missing",
    title: "reading what is not there is not-found when the call is made, and makes nothing",
    why: "An error that comes only with the first byte is missed by who looks at the entry first; and some clients create what they open.",
    tier: "smoke",
    behaviours: [145],
    guarantees: ["read.missing"],
    rows: ["CF19", "CF25"],
    kills: ["A29"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/there`, pattern(10, "there"));
      for (const path of [`${d}/x/none`, `${d}/none`, `${d}/none/none/none`, `${d}/x/there/none`]) {
        const error = await rejects("not-found", () => t.store.read(path), "a missing file");
        equal(error.path as string, path, "the error names the path");
        equal(error.operation, "read", "and the operation");
        await rejects("not-found", () => t.store.read(path, t.capabilities.readRange === false ? {} : { range: { offset: 5 } }), "a range of a missing file");
        await absent(t, path, "asking made nothing");
      }
    },
  },
  {
    id: "reads.foreign",
    title: "what another client put there is read, stat'ed and listed as it is; what the store wrote the other client reads",
    why: "Two wrongs in one client cancel each other: names escaped twice and decoded twice, a prefix wrong in both directions. Only a second client sees it.",
    tier: "full",
    behaviours: [60],
    guarantees: ["read.whole", "path.kept", "stat.file"],
    kills: ["M44b"],
    needs: rw,
    offers: ["raw"],
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/own/first`, pattern(10, "first"));
      await using raw = await t.raw();
      const names = ["plain.bin", "with space", "50%25.txt", "50%.txt", "a+b", "a#b?c", "ä😀.bin", "a&b<c>"].filter((name) =>
        accepted(t.capabilities, `${d}/foreign/${name}`),
      );
      const form = (name: string): string => folded(t.capabilities, name);
      await each(
        t,
        names,
        (name) => name,
        async (name, index) => {
          const bytes = pattern(3000 + index, name);
          await raw.put(`${d}/foreign/${name}`, bytes);
          await holds(t, `${d}/foreign/${name}`, bytes, "what the other client put there");
          await t.store.write(`${d}/own/${name}`, bytes);
          await t.settled("read", async () =>
            sameBytes((await raw.get(`${d}/own/${name}`)) ?? new Uint8Array(), bytes, "what the store wrote, seen by the other client"),
          );
        },
      );
      await t.settled("list", async () => {
        const listed = (await t.store.list(`${d}/foreign`).toArray()).map((entry) => form((entry.path as string).split("/").at(-1)!));
        equal(listed.sort(), names.map(form).sort(), "the names that the other client made");
        equal((await raw.list(`${d}/own`)).map(form).sort(), [...names, "first"].map(form).sort(), "the names that the store made, seen by the other client");
      });
    },
  },
];
