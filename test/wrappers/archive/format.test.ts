/** The format against the example of its specification, byte for byte, and against itself. */
import { describe, expect, test } from "vitest";
import { parsePath } from "../../../src/store/index.ts";
import { buildArchive } from "../../../src/wrappers/archive/format/build.ts";
import { archiveId, parseName } from "../../../src/wrappers/archive/format/names.ts";
import { openArchive } from "../../../src/wrappers/archive/format/open.ts";
import type { NewArchive } from "../../../src/wrappers/archive/format/build.ts";
import { SoloLayout } from "../../../src/wrappers/archive/format/solo-layout.ts";
import { createHash } from "node:crypto";
import type { ArchiveName } from "../../../src/wrappers/archive/format/names.ts";
import { rules } from "../../../src/wrappers/archive/rules.ts";

const writer = "k7m2p5qxab";
const limits = { maxManifestBytes: 1 << 20 };
const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");

function example(): NewArchive {
  const by = writer;
  const own = [1700000000456, by] as const;
  const hello = Buffer.from("hello\n");
  const umlaut = Buffer.from("umlaut\n");
  return {
    id: `m8x2k1q0a-${by}-3f`,
    writer: by,
    timeMs: own[0],
    records: [
      {
        kind: "new",
        path: parsePath("/notes/ä.txt"),
        bytes: umlaut,
        modifiedMs: 1700000000200,
        sha256: hash(umlaut),
        stamp: own,
        extra: { type: "text/plain" },
      },
      { kind: "directory", path: parsePath("/notes"), modifiedMs: 1700000000000, stamp: own },
      { kind: "new", path: parsePath("/notes/a.txt"), bytes: hello, modifiedMs: 1700000000123, sha256: hash(hello), stamp: own, extra: undefined },
      {
        kind: "reference",
        path: parsePath("/notes/b.txt"),
        at: `m8x2k0000-${by}-3e`,
        offset: 512,
        size: 6,
        modifiedMs: 1699999990000,
        sha256: "9YUWIKIhENbrtzgJ34nGMh55tEg90uuE6neUhQVWFGM",
        stamp: own,
        extra: undefined,
      },
    ],
    tombstones: [{ path: parsePath("/notes/old.txt"), upTo: [1699999990000, by], bornMs: 1700000000456 }],
    claims: [],
  };
}

describe("the example of docs/formats/archive.md", () => {
  test("byte for byte", async () => {
    const built = await buildArchive(example());
    const bytes = Buffer.concat(built.chunks);
    expect(built.object).toBe("m8x2k1q0a-k7m2p5qxab-3f.6.tar");
    expect(built.size).toBe(6656);
    expect(bytes.length).toBe(6656);
    const sums = [0, 512, 1536, 2560, 4608].map((at) => bytes.toString("latin1", at + 148, at + 154));
    expect(sums).toEqual(["007137", "010114", "012252", "010113", "014315"]);
    expect(bytes.toString("utf8", 2048, 2093)).toBe("21 path=notes/ä.txt\n24 mtime=1700000000.200\n");
    expect(built.dataEnd).toBe(3584);
    const footer = JSON.parse(bytes.toString("utf8", 5120, 5632)) as Record<string, unknown>;
    expect(footer).toMatchObject({ size: 6656, manifest: 4096, bytes: 353, unpacked: 528 });
  });
});

function named(object: string): ArchiveName {
  const name = parseName(object);
  if (name === undefined) throw new Error(`${object} is no name`);
  return name;
}
const reader =
  (bytes: Uint8Array, reads: number[] = []) =>
  (offset: number, length: number): Promise<Uint8Array> => {
    reads.push(length);
    return Promise.resolve(bytes.subarray(offset, offset + length));
  };

describe("reading back", () => {
  test("a group in one read, and every record as it was", async () => {
    const built = await buildArchive(example());
    const reads: number[] = [];
    const opened = await openArchive(named(built.object), built.size, reader(Buffer.concat(built.chunks), reads), limits, rules);
    expect(reads).toEqual([3072]);
    expect(opened.manifest).toEqual(built.manifest);
    expect(opened.dataEnd).toBe(built.dataEnd);
  });

  test("a name that tells too few blocks costs a second read", async () => {
    const built = await buildArchive(example());
    const reads: number[] = [];
    await openArchive({ ...named(built.object), blocks: 1 }, built.size, reader(Buffer.concat(built.chunks), reads), limits, rules);
    expect(reads.length).toBe(2);
  });

  test("files with the same bytes share one member", async () => {
    const bytes = Buffer.from("same");
    const facts = { bytes, modifiedMs: 5, sha256: hash(bytes), stamp: [7, writer] as const, extra: undefined };
    const id = archiveId(7, writer, 1);
    const built = await buildArchive({
      id,
      writer,
      timeMs: 7,
      records: [
        { kind: "new", path: parsePath("/b"), ...facts },
        { kind: "new", path: parsePath("/a"), ...facts },
      ],
      tombstones: [],
      claims: [],
    });
    expect(built.manifest.records.map((record) => record.kind)).toEqual(["file", "reference"]);
    const opened = await openArchive(named(built.object), built.size, reader(Buffer.concat(built.chunks)), limits, rules);
    expect(opened.manifest).toEqual(built.manifest);
  });

  test.each([0, 1, 511, 512, 513, 70_000])("a solo of %i bytes has the size and name that it said before its stamp was known", async (size) => {
    const body = Buffer.alloc(size, 1);
    const plan = {
      id: archiveId(7, writer, 2),
      writer,
      file: { path: parsePath("/dir/ü"), size, modifiedMs: -5, stamp: undefined, extra: { meta: { a: "b" } } },
      directories: [{ path: parsePath("/dir"), modifiedMs: 3 }],
    };
    const solo = new SoloLayout(plan);
    for (const timeMs of [1, 1700000000456, 2 ** 48]) {
      const tail = solo.tail(timeMs, hash(body));
      const bytes = Buffer.concat([solo.head, body, ...tail.chunks]);
      expect([tail.object, bytes.length]).toEqual([solo.object, solo.size]);
      const opened = await openArchive(named(tail.object), bytes.length, reader(bytes), limits, rules);
      expect(opened.manifest).toMatchObject(tail.manifest);
    }
  });
});
