/** What hostile and damaged archives do: nothing. Rows 25 and 30 of the table of one-bug variants hang on these. */
import assert from "node:assert/strict";
import { StoreError } from "../../../../src/store/index.ts";
import { writeArchive, archiveId, sha256 } from "../independent/write.ts";
import { Hostiles, damagedArchives, foreignNames, harmlessArchives, newerArchives } from "./hostile.ts";
import type { Hostile } from "./hostile.ts";
import { proof, reads, site, steps } from "./proof.ts";
import type { LayerProof } from "./proof.ts";
import { now, refresh, time } from "./steps.ts";
import { unpacked } from "./subject.ts";
import type { LayerWorld } from "./world.ts";

const FOLDER = "/.stratus-archive";

function put(world: LayerWorld, { name, bytes }: { readonly name: string; readonly bytes: Uint8Array }): void {
  world.service.put(`${FOLDER}/${name}`, bytes);
}
const idOf = (name: string): string => name.slice(0, name.indexOf("."));

/** Two good files, then strangers; a second installation that has seen nothing before, and the first one, which has. */
async function among(world: LayerWorld, strangers: readonly Hostile[]): Promise<void> {
  await steps(world, now(0, "write", "/good/a"), now(0, "large", "/good/b"));
  for (const stranger of strangers) put(world, stranger);
  for (const i of [0, 1]) {
    const control = await site(world, i).control();
    await control.refresh();
  }
}
async function goodIsWhole(world: LayerWorld): Promise<void> {
  for (const i of [0, 1]) {
    assert.deepEqual([await reads(world, i, "/good/a"), await reads(world, i, "/good/b")], ["body 1", "body 2"]);
    const paths = (await site(world, i).store.list("/", { recursive: true }).toArray()).map(({ path }) => path as string);
    assert.deepEqual(paths.filter((path) => path.startsWith("/good")).sort(), ["/good", "/good/a", "/good/b"]);
  }
}
async function shownPaths(world: LayerWorld, i: number): Promise<string[]> {
  return (await site(world, i).store.list("/", { recursive: true }).toArray()).map(({ path }) => path as string).sort();
}

export const damagedIsSetAside = proof("what is damaged is set aside, all of it, and nothing else is lost (archive.md 25)", {}, async (world) => {
  const strangers = damagedArchives();
  await among(world, strangers);
  await goodIsWhole(world);
  for (const i of [0, 1]) {
    assert.deepEqual(await shownPaths(world, i), ["/good", "/good/a", "/good/b"]);
    const set = new Set((await (await site(world, i).control()).verify()).map(({ archive }) => archive));
    assert.deepEqual(
      strangers.filter(({ name }) => !set.has(idOf(name))).map(({ what }) => what),
      [],
    );
    assert.equal(site(world, i).store.layers.archive.report()["damaged"], strangers.length);
  }
  // And everybody goes on writing.
  await steps(world, now(1, "write", "/good/c"), time(30));
  assert.equal(await reads(world, 0, "/good/c"), "body 3");
});

export const everyByteFlipped = proof("no byte of footer or manifest can change unseen (archive.md 25)", {}, async (world) => {
  const all = new Hostiles();
  const sample = all.changed("", (bytes) => bytes);
  const length = sample.bytes.length;
  const strangers: Hostile[] = [];
  let offset = 0;
  const whole = all.changed("", (bytes, manifest) => {
    offset = manifest.offset;
    return bytes;
  });
  assert.equal(whole.bytes.length, length);
  for (let at = offset; at < length - 1024; at++) {
    // The header of the footer is not looked at, nor is the filling of the manifest.
    if (at >= length - 2048 && at < length - 1536) continue;
    const stranger = all.changed(`byte ${at}`, (bytes, manifest) => {
      if (at >= manifest.offset + manifest.bytes && at < length - 2048) return Buffer.alloc(0);
      bytes[at] = (bytes[at] as number) ^ (at % 2 === 0 ? 0x01 : 0x80);
      return bytes;
    });
    if (stranger.bytes.length > 0) strangers.push(stranger);
  }
  assert.ok(strangers.length > 600);
  await among(world, strangers);
  await goodIsWhole(world);
  assert.deepEqual(await shownPaths(world, 1), ["/good", "/good/a", "/good/b"]);
  const { damaged, newer } = site(world, 1).store.layers.archive.report();
  assert.equal(Number(damaged) + Number(newer), strangers.length);
});

export const newerStopsChanges = proof(
  "beside archives of a newer version nothing is changed, and what is known is read (archive.md 30)",
  {},
  async (world) => {
    for (const stranger of newerArchives()) {
      await among(world, [stranger]);
      for (const i of [0, 1]) {
        const { store } = site(world, i);
        assert.equal(await reads(world, i, "/good/a"), i === 0 || i === 1 ? await reads(world, 0, "/good/a") : "");
        const changes = [
          () => store.write("/new", Buffer.from("x")),
          () => store.write("/new", Buffer.alloc(5000)),
          () => store.delete("/good/a"),
          () => store.move("/good/a", "/z"),
          () => store.mkdir("/new-dir"),
        ];
        for (const change of changes) {
          const told = change().then(
            () => "done",
            (error: unknown) => (StoreError.is(error) ? `${error.code} ${error.applied}` : String(error)),
          );
          await world.rest();
          await (await site(world, i).control()).flush();
          assert.equal(await told, "unsupported false", stranger.what);
        }
        assert.equal(store.layers.archive.report()["newer"], 1);
      }
      world.service.remove(`${FOLDER}/${stranger.name}`);
      await steps(world, time(5), refresh(0), refresh(1), time(5), refresh(0), refresh(1));
    }
  },
);

export const foreignNamesAreIgnored = proof("objects with other names are nobody's", {}, async (world) => {
  await among(
    world,
    foreignNames.map((name) => ({ what: name, name, bytes: Buffer.from("not an archive") })),
  );
  await goodIsWhole(world);
  const { damaged, newer } = site(world, 1).store.layers.archive.report();
  assert.deepEqual([damaged, newer], [0, 0]);
  await steps(world, time(60), refresh(0));
  for (const name of foreignNames) assert.ok(world.service.object(`${FOLDER}/${name}`) !== undefined, name);
});

export const onlyTheManifestCounts = proof("links, devices and strange members have no effect", {}, async (world) => {
  const strangers = harmlessArchives();
  await among(world, strangers);
  await goodIsWhole(world);
  assert.equal(site(world, 1).store.layers.archive.report()["damaged"], 0);
  assert.equal(await (await site(world, 1).store.read("/hostile/1")).text(), "hostile 1");
  const { metadata } = await site(world, 1).store.stat("/hostile/proto");
  assert.equal(Object.getPrototypeOf({})["polluted" as never], undefined);
  assert.deepEqual(Object.entries(metadata ?? {}).sort(), [
    ["__proto__", "polluted"],
    ["constructor", "x"],
  ]);
  assert.ok(!(await shownPaths(world, 1)).some((path) => path.includes("evil") || path.includes("outside")));
});

export const bytesAreChecked = proof("changed bytes of a member are an error of that member alone", {}, async (world) => {
  const head = { id: archiveId(1_690_000_000_000, "cccccccccc", 1), writer: "cccccccccc", time: 1_690_000_000_000 };
  const small = Buffer.from("a small member that is changed");
  const large = Buffer.alloc(200_000, "large ");
  const { name, bytes } = writeArchive(head, [
    { kind: "file", path: "/members/changed", body: small, modifiedMs: 0 },
    { kind: "file", path: "/members/fine", body: Buffer.from("fine"), modifiedMs: 0 },
    { kind: "file", path: "/members/large", body: large, modifiedMs: 0 },
  ]);
  bytes[bytes.indexOf(small) + 3]! ^= 1;
  bytes[bytes.indexOf(large) + 150_000]! ^= 1;
  await among(world, [{ what: "changed members", name, bytes }]);
  await goodIsWhole(world);
  const { store } = site(world, 1);
  await assert.rejects(
    store.read("/members/changed").then((reply) => reply.bytes()),
    { code: "integrity" },
  );
  await assert.rejects(
    store.read("/members/changed", { range: { offset: 5, length: 3 } }).then((reply) => reply.bytes()),
    { code: "integrity" },
  );
  await assert.rejects(
    store.read("/members/large").then((reply) => reply.bytes()),
    { code: "integrity" },
  );
  assert.equal(await (await store.read("/members/fine")).text(), "fine");
});

export const strangeReferences = proof("references into nothing, or to other bytes, are errors when they are read, never wrong bytes", {}, async (world) => {
  const writer = "dddddddddd";
  const at = 1_690_000_000_000;
  const [base, refs] = [archiveId(at, writer, 1), archiveId(at, writer, 2)];
  const body = Buffer.from("the bytes that are referred to");
  const first = writeArchive({ id: base, writer, time: at }, [{ kind: "file", path: "/refs/base", body, modifiedMs: 0 }]);
  const reference = (path: string, id: string, offset: number, size: number, hash = sha256(body)) =>
    ({ kind: "r", path, id, offset, size, modifiedMs: 0, sha256: hash, stamp: [at, writer], extra: null }) as const;
  const second = writeArchive({ id: refs, writer, time: at }, [
    reference("/refs/right", base, 512, body.length),
    reference("/refs/other-bytes", base, 513, body.length),
    reference("/refs/other-hash", base, 512, body.length, sha256(Buffer.from("else"))),
    reference("/refs/outside", base, 1 << 30, body.length),
    reference("/refs/across-the-end", base, first.bytes.length - 10, body.length),
    reference("/refs/unknown", archiveId(at, "eeeeeeeeee", 9), 512, body.length),
  ]);
  await among(world, [
    { what: "base", ...first },
    { what: "references", ...second },
  ]);
  await goodIsWhole(world);
  const { store } = site(world, 1);
  const told: Record<string, string> = {};
  for (const path of ["right", "other-bytes", "other-hash", "outside", "across-the-end", "unknown"]) {
    told[path] = await store.read(`/refs/${path}`).then(
      async (reply) => reply.text().catch((error: unknown) => (StoreError.is(error) ? error.code : String(error))),
      (error: unknown) => (StoreError.is(error) ? error.code : String(error)),
    );
  }
  const { right, ...wrong } = told;
  assert.equal(right, body.toString());
  for (const [path, code] of Object.entries(wrong)) assert.ok(["integrity", "corrupt", "unavailable"].includes(code), `${path}: ${code}`);
  assert.equal(told["unknown"], "unavailable");
  await steps(world, time(10), refresh(1));
  await assert.rejects(
    store.read("/refs/unknown").then((reply) => reply.bytes()),
    { code: "corrupt" },
  );
});

export const sameIdTwice = proof("of two objects with one id the second is none", {}, async (world) => {
  await steps(world, now(0, "write", "/good/a"), now(0, "large", "/good/b"));
  const [path] = world.service.objects()[0] as [string, Uint8Array];
  const other = new Hostiles().make("").bytes;
  put(world, { name: path.slice(FOLDER.length + 1).replace(/\.\d+\.tar$/, ".7.tar"), bytes: other });
  for (const i of [0, 1]) await (await site(world, i).control()).refresh();
  await goodIsWhole(world);
  assert.equal(site(world, 1).store.layers.archive.report()["damaged"], 1);
});

export const bombsAreLimited = proof("a bomb is unpacked no further than its footer says (archive.md 25)", {}, async (world) => {
  const strangers = damagedArchives().filter(({ what }) => what.startsWith("a bomb"));
  assert.equal(strangers.length, 1);
  unpacked.most = 0;
  await among(world, strangers);
  await goodIsWhole(world);
  assert.ok(unpacked.most < 1 << 20, `${unpacked.most} bytes unpacked`);
});

export const manyStrangers = proof("ten thousand strange objects cost the time of their listing", {}, async (world) => {
  for (let i = 0; i < 10_000; i++) put(world, { name: `junk-${i}.tar`, bytes: Buffer.from("junk") });
  await among(world, []);
  await goodIsWhole(world);
  assert.equal(site(world, 1).client.requests["read"], 4);
});

export const hostileProofs: readonly LayerProof[] = [
  damagedIsSetAside,
  everyByteFlipped,
  newerStopsChanges,
  foreignNamesAreIgnored,
  onlyTheManifestCounts,
  bytesAreChecked,
  strangeReferences,
  sameIdTwice,
  bombsAreLimited,
  manyStrangers,
];
