/** What a write makes, replaces, shows and refuses (behaviours 61 to 64, 70, 74, 75). Failing bodies are in sources.ts, aborts in aborts.ts. */
import type { Entry } from "../../store/index.ts";
import { equal, listAll, ok, pattern, pieces, readAll, recorded, rejects, rejectsType, sameBytes } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { absent, base, room, stats } from "./base.ts";
import { holds, lists, put, rw, rwl, rwld } from "./look.ts";

/** Whatever is not null in `told` is what `now` says. */
export function agrees(told: Entry, now: Entry, what: string): void {
  equal(told.kind, now.kind, `${what}: kind`);
  for (const key of ["size", "modifiedMs", "etag", "id", "contentType", "metadata"] as const) {
    if (told[key] !== null) equal<unknown>(told[key], now[key], `${what}: ${key}`);
  }
  for (const [name, hash] of Object.entries(told.hashes)) equal(hash, now.hashes[name as keyof typeof now.hashes], `${what}: ${name}`);
  if (told.complete) equal<unknown>({ ...told }, { ...now }, `${what}: an entry that says it is complete`);
}

/** One file in a directory of its own: what the listing says of it. */
async function only(t: CheckContext, dir: string, name: string, size: number): Promise<void> {
  await t.settled("list", async () => {
    const entries = await listAll(t.store, dir, { fresh: true });
    equal(
      entries.map((entry) => entry.path as string),
      [`${dir}/${name}`],
      "the directory lists the file once and nothing else",
    );
    if (entries[0]!.size !== null) equal(entries[0]!.size, size, "the listing tells the new size");
  });
}

export const checks: readonly Check[] = [
  {
    id: "writes.overwrite",
    title: "a second write replaces the first whole: longer, shorter, empty, and back",
    why: "A store that ignores the second write, or keeps the tail of a longer first one, passes every test that writes once. All four small suites we measured let it through.",
    tier: "smoke",
    behaviours: [61],
    guarantees: ["write.replaces", "write.entry"],
    rows: ["CF6"],
    kills: ["M06", "M07"],
    needs: rwl,
    async run(t) {
      const dir = `${await base(t)}/x`;
      const sizes = [1000, 5000, 300, 0, 1, 100_000, 99_999];
      for (const [index, size] of sizes.entries()) {
        const bytes = pattern(size, `version${index}`);
        await t.store.write(`${dir}/file`, bytes);
        await holds(t, `${dir}/file`, bytes, `${size} bytes after ${sizes[index - 1] ?? "nothing"}`);
        await stats(t, `${dir}/file`, (entry) => equal(entry.size, size, "stat tells the new size"));
        await only(t, dir, "file", size);
      }
    },
  },
  {
    id: "writes.overwrite.same-size",
    title: "bytes of the same length replace the old ones",
    why: "Who compares sizes to decide whether anything changed keeps the old content for ever.",
    tier: "smoke",
    behaviours: [61, 63],
    guarantees: ["write.replaces"],
    rows: ["CF6"],
    kills: ["A33"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/same`;
      for (const label of ["one", "two", "three"]) {
        await t.store.write(path, pattern(2000, label));
        await holds(t, path, pattern(2000, label), `version ${label}`);
      }
    },
  },
  {
    id: "writes.overwrite.once",
    title: "a file that is overwritten stands in its directory once",
    why: "Services whose names are not unique (Google Drive) make a second file of the same name; seven libraries had this bug.",
    tier: "smoke",
    behaviours: [62],
    guarantees: ["write.replaces"],
    kills: ["M08"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      for (let version = 0; version < 4; version++) await put(t, `${d}/x/file`, pattern(100 + version, `version${version}`));
      await put(t, `${d}/x/other`, pattern(5, "other"));
      await lists(t, `${d}/x`, ["file", "other"], "each file is listed once");
      if (t.capabilities.listRecursive !== false) {
        await t.settled("list", async () => equal((await listAll(t.store, `${d}/x`, { recursive: true })).length, 2, "also in a recursive listing"));
      }
    },
  },
  {
    id: "writes.again",
    title: "writing the same bytes again succeeds and changes nothing that is seen",
    why: 'Retries do it. A service that answers "already there" must not make an error of it, and no second file.',
    tier: "smoke",
    behaviours: [63],
    guarantees: ["write.replaces"],
    kills: ["M08"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      const bytes = pattern(4000, "again");
      for (let round = 0; round < 3; round++) await t.store.write(`${d}/x/file`, bytes);
      await holds(t, `${d}/x/file`, bytes, "the bytes");
      await only(t, `${d}/x`, "file", bytes.length);
    },
  },
  {
    id: "writes.invisible",
    title: "nothing of a write is seen before it resolves, at no moment of its body",
    why: "Readers meet half files, sync tools upload them. On a disk it takes a temporary name; without one the new file is there at its first byte and the old one is gone.",
    tier: "full",
    behaviours: [64, 102],
    guarantees: ["write.atomic"],
    kills: ["M09", "M22"],
    needs: rwl,
    timeoutMs: 60_000,
    async run(t) {
      const d = await base(t);
      const first = pattern(3000, "first");
      const second = pattern(room(t, 400_000), "second");
      const other = await t.connect();
      await put(t, `${d}/x/old`, first);
      const declared = t.capabilities.atomicWrites !== false;
      let looks = 0;
      for (const name of ["new", "old"]) {
        const body = recorded(second, Math.ceil(second.length / 8), async () => {
          looks++;
          for (const store of [t.store, other]) {
            if (!declared) continue;
            if (name === "new") await rejects("not-found", () => store.stat(`${d}/x/new`), "a new file before its write resolves");
            else sameBytes(await readAll(store, `${d}/x/old`), first, "the old version, while the new one is on its way");
            const listed = (await listAll(store, `${d}/x`)).map((entry) => entry.path as string);
            if (name === "new" && t.capabilities.consistency.list === "strong")
              equal(listed, [`${d}/x/old`], "an unfinished file is not listed, and neither is a temporary one");
          }
        });
        await t.store.write(`${d}/x/${name}`, body, { size: second.length });
        await holds(t, `${d}/x/${name}`, second, "afterwards the new version is there");
      }
      ok(looks >= 10, "the looks came while the body was taken", looks);
      await lists(t, `${d}/x`, ["new", "old"], "afterwards both files are listed");
    },
  },
  {
    id: "writes.entry",
    title: "what a write tells about its file is what stat says",
    why: "Entries made from what was sent, not from what the service keeps, disagree in time, type and etag; a cache that trusts them sees a change where there is none.",
    tier: "smoke",
    behaviours: [70],
    guarantees: ["write.entry", "entry.etag", "stat.file"],
    rows: ["CF16"],
    kills: ["A01"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const bodies = { bytes: pattern(1234, "entry"), text: "näher", empty: "" };
      for (const [name, body] of Object.entries(bodies)) {
        const path = `${d}/x/${name}`;
        const told = await t.store.write(path, body);
        equal(told.path as string, path, "its path is the one asked for");
        equal(told.kind, "file", "its kind");
        await stats(t, path, (now) => agrees(told, now, `the entry of the write of ${name}`));
        const stat = await t.store.stat(path);
        equal(stat.complete, true, "an entry of stat is complete");
        equal(stat.path as string, path, "stat tells the path asked for");
        if (t.capabilities.etag) ok(told.etag !== null && stat.etag !== null, "where etags are declared, write and stat tell one", [told.etag, stat.etag]);
        else equal(stat.etag, null, "where no etags are declared, none is told");
      }
      if (t.capabilities.writeUnknownSize === false) return;
      const told = await t.store.write(`${d}/x/stream`, pieces(pattern(90_000, "stream"), 7_000));
      await stats(t, `${d}/x/stream`, (now) => agrees(told, now, "the entry of the write of a stream"));
    },
  },
  {
    id: "writes.etag",
    title: "an etag changes when the bytes change, and stays while they stay",
    why: "Equal etags mean equal bytes: nginx makes them of seconds and size, so two writes within a second look the same, and a resumed download mixes them.",
    tier: "smoke",
    behaviours: [70, 78],
    guarantees: ["entry.etag"],
    kills: ["M52c"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/etag`;
      const seen = new Map<string, string>();
      for (const label of ["one", "two", "three", "four", "one"]) {
        const bytes = pattern(500, label);
        await t.store.write(path, bytes);
        await holds(t, path, bytes, `version ${label}`);
        const { etag } = await t.store.stat(path);
        if (!t.capabilities.etag) {
          equal(etag, null, "where no etags are declared, none is told");
          continue;
        }
        ok(etag !== null, "where etags are declared every stat tells one");
        ok(!/^W\/|^"|"$/.test(etag), "an etag has no HTTP quotes and no mark of weakness", etag);
        equal(seen.get(etag) ?? label, label, "an etag that was seen before stands for the same bytes");
        seen.set(etag, label);
        equal((await t.store.stat(path)).etag, etag, "it stays while the bytes stay");
      }
    },
  },
  {
    id: "writes.target",
    title: "a write over a directory is is-a-directory, below a file not-a-directory, and nothing is changed",
    why: "Servers answer 405, 409 or 204 here, and one of them replaces the directory with everything in it.",
    tier: "smoke",
    behaviours: [74],
    guarantees: ["write.target", "path.hierarchy"],
    rows: ["CF25"],
    kills: ["A34", "M54d"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      const bytes = pattern(300, "target");
      await put(t, `${d}/x/dir/inside`, bytes);
      await put(t, `${d}/x/file`, bytes);
      await rejects("is-a-directory", () => t.store.write("/", bytes), "a write to the root");
      for (const size of [bytes.length, undefined]) {
        const body = (): AsyncIterable<Uint8Array> => pieces(bytes, 100);
        if (size === undefined && t.capabilities.writeUnknownSize === false) continue;
        const options = size === undefined ? {} : { size };
        if (!t.capabilities.strictHierarchy) {
          // A flat store keeps both: the directory and what is in it stay.
          await put(t, `${d}/x/dir`, body(), options);
          await holds(t, `${d}/x/dir`, bytes, "the file beside the directory of its name");
          continue;
        }
        await rejects("is-a-directory", () => t.store.write(`${d}/x/dir`, body(), options), "a write over a directory");
        await rejects("not-a-directory", () => t.store.write(`${d}/x/file/below`, body(), options), "a write below a file");
        await rejects("not-a-directory", () => t.store.write(`${d}/x/file/below/deep`, body(), options), "a write further below a file");
      }
      await holds(t, `${d}/x/dir/inside`, bytes, "what is in the directory is as it was");
      await holds(t, `${d}/x/file`, bytes, "the file is as it was");
      if (t.capabilities.strictHierarchy) await lists(t, `${d}/x`, ["dir", "file"], "nothing else is there");
    },
  },
  {
    id: "writes.parents",
    title: "missing parents are created, also by many writes at once",
    why: 'WebDAV answers 409 to a PUT without its collection; two writers that both make the parent race, and one of them takes "exists already" for a failure.',
    tier: "smoke",
    behaviours: [75],
    guarantees: ["write.parents", "write.concurrent"],
    rows: ["CF4"],
    kills: ["A35"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/a/b/c/d/file`, pattern(10, "deep"));
      await holds(t, `${d}/a/b/c/d/file`, pattern(10, "deep"), "a file below four missing directories");
      await stats(t, `${d}/a/b/c`, (entry) => equal(entry.kind, "directory", "a parent is a directory"));
      await Promise.all(Array.from({ length: 8 }, (_, index) => t.store.write(`${d}/p/q/r/f${index}`, pattern(20 + index, `f${index}`))));
      for (let index = 0; index < 8; index++)
        await holds(t, `${d}/p/q/r/f${index}`, pattern(20 + index, `f${index}`), "each of eight files below the same missing directories");
      await lists(
        t,
        `${d}/p/q/r`,
        Array.from({ length: 8 }, (_, index) => `f${index}`),
        "all of them are listed",
      );
      await lists(t, `${d}/p`, ["q"], "the directory between is there once");
    },
  },
  {
    id: "writes.parallel",
    title: "files written at once each hold their own bytes",
    why: "Shared buffers, shared headers, one temporary name: under load the bytes of one file stand under the name of another. Content that carries its own name shows it.",
    tier: "full",
    behaviours: [134, 140],
    guarantees: ["write.concurrent", "write.replaces"],
    kills: ["M65"],
    needs: rwl,
    timeoutMs: 60_000,
    async run(t) {
      const d = await base(t);
      const files = Array.from({ length: 24 }, (_, index) => ({ name: `f${index}`, bytes: pattern(40_000 + index, `f${index}`) }));
      await Promise.all(
        files.map(({ name, bytes }, index) => t.store.write(`${d}/x/${name}`, index % 2 === 0 ? bytes : pieces(bytes, 9_999), { size: bytes.length })),
      );
      await Promise.all(files.map(({ name, bytes }) => holds(t, `${d}/x/${name}`, bytes, `${name} holds its own bytes`)));
      await lists(
        t,
        `${d}/x`,
        files.map(({ name }) => name),
        "all files are listed",
      );
    },
  },
  {
    id: "writes.option.unknown",
    title: "an option that does not exist is refused with TypeError on every verb, never ignored",
    why: "\"ifNoneMatch: '*'\" given to a library that calls it otherwise overwrites the file it was meant to protect.",
    tier: "smoke",
    behaviours: [156],
    guarantees: ["capability.refused"],
    rows: ["CF25"],
    kills: ["M53"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/file`, pattern(10, "file"));
      const { store } = t;
      for (const options of [{ overwrite: false }, { ifNoneMatch: "*", timeout: 5 }, { Signal: undefined }] as unknown as readonly object[]) {
        const calls: Readonly<Record<string, () => Promise<unknown>>> = {
          stat: () => store.stat(`${d}/x/file`, options),
          read: () => store.read(`${d}/x/file`, options),
          write: () => store.write(`${d}/x/file`, "new", options),
          list: () => store.list(`${d}/x`, options).toArray(),
          delete: () => store.delete(`${d}/x/file`, options),
          mkdir: () => store.mkdir(`${d}/y`, options),
          copy: () => store.copy(`${d}/x/file`, `${d}/x/copy`, options),
          move: () => store.move(`${d}/x/file`, `${d}/x/moved`, options),
          space: () => store.space(options),
          account: () => store.account(options),
        };
        for (const [verb, call] of Object.entries(calls)) await rejectsType(call, `${verb} with ${JSON.stringify(options)}`);
      }
      await holds(t, `${d}/x/file`, pattern(10, "file"), "the file is as it was");
      await lists(t, `${d}/x`, ["file"], "nothing was made");
      await absent(t, `${d}/y`, "no directory was made");
    },
  },
];
