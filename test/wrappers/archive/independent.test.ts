/** The reader and writer of the tests say what the page of the format says: its example, byte by byte where it gives bytes. */
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bytesOf, readFolder, shown } from "./independent/folder.ts";
import { readArchive } from "./independent/read.ts";
import { parseHeader, walkTar } from "./independent/tar.ts";
import { archiveId, writeArchive } from "./independent/write.ts";
import type { AnyMember } from "./independent/write.ts";

const head = { id: "m8x2k1q0a-k7m2p9qxab-3f", writer: "k7m2p9qxab", time: 1_700_000_000_456 };
/** As the page has it, but for a writer whose characters are all in a-z2-7: the page's has a 9. */
const valid = { ...head, id: "m8x2k1q0a-k7m2p5qxab-3f", writer: "k7m2p5qxab" };
const example: readonly AnyMember[] = [
  { kind: "directory", path: "/notes", modifiedMs: 1_700_000_000_000 },
  { kind: "file", path: "/notes/a.txt", body: Buffer.from("hello\n"), modifiedMs: 1_700_000_000_123 },
  {
    kind: "r",
    path: "/notes/b.txt",
    id: "m8x2k0000-k7m2p9qxab-3e",
    offset: 512,
    size: 6,
    modifiedMs: 1_699_999_990_000,
    sha256: "9YUWIKIhENbrtzgJ34nGMh55tEg90uuE6neUhQVWFGM",
    stamp: [head.time, head.writer],
    extra: null,
  },
  { kind: "t", path: "/notes/old.txt", stamp: [1_699_999_990_000, head.writer], bornMs: head.time },
  { kind: "file", path: "/notes/ä.txt", body: Buffer.from("umlaut\n"), modifiedMs: 1_700_000_000_200, extra: { type: "text/plain" } },
];
const validExample = example.map((member) =>
  member.kind === "r"
    ? { ...member, id: "m8x2k0000-k7m2p5qxab-3e", stamp: [valid.time, valid.writer] as const }
    : member.kind === "t"
      ? { ...member, stamp: [member.stamp[0], valid.writer] as const }
      : member,
);

test("the example of the format page", () => {
  const { name, bytes, manifest } = writeArchive(head, example);
  expect(name).toBe("m8x2k1q0a-k7m2p9qxab-3f.6.tar");
  expect(bytes).toHaveLength(6656);
  const text = gunzipSync(bytes.subarray(manifest.offset, manifest.offset + manifest.bytes)).toString();
  expect(text).toHaveLength(527); // 528 bytes: one letter has two.
  expect(text.split("\n")).toEqual([
    '{"stratus":"archive","version":1,"id":"m8x2k1q0a-k7m2p9qxab-3f","writer":"k7m2p9qxab","time":1700000000456,"lines":5}',
    '["d","/notes",1700000000000]',
    '["f","/notes/a.txt",1024,6,1700000000123,"WJG1tSLV3whtD_CxEPvZ0hu0_HFjrzTQgoai6Eb2vgM"]',
    '["r","/notes/b.txt","m8x2k0000-k7m2p9qxab-3e",512,6,1699999990000,"9YUWIKIhENbrtzgJ34nGMh55tEg90uuE6neUhQVWFGM"]',
    '["t","/notes/old.txt",1699999990000,"k7m2p9qxab",1700000000456]',
    '["f","/notes/ä.txt",3072,7,1700000000200,"7v6rzpomh-yudAv3ka1OdotkLsg3zAXpZ3sl3gmOJUc",null,{"type":"text/plain"}]',
    "",
  ]);
  const sums = [0, 512, 1536, 2560, 4608].map((at) => bytes.toString("latin1", at + 148, at + 154));
  expect(sums).toEqual(["007137", "010114", "012252", "010113", "014321"]);
});

test("what the writer wrote the reader reads, with every name, time and byte", () => {
  const written = writeArchive(valid, validExample);
  const { lines, count } = readArchive(written.name, written.bytes);
  expect(lines).toEqual(written.lines);
  expect(count).toBe(Number.parseInt("3f", 36));
  const view = readFolder([[written.name, written.bytes]]);
  expect([...shown(view)]).toEqual([
    ["/notes", "directory"],
    ["/notes/a.txt", "file"],
    ["/notes/b.txt", "file"],
    ["/notes/ä.txt", "file"],
  ]);
  expect(bytesOf(view, view.live.get("/notes/ä.txt")!).toString()).toBe("umlaut\n");
  expect(() => bytesOf(view, view.live.get("/notes/b.txt")!)).toThrow("in no archive");
});

test("names are split at the rightmost place, and have a pax header only where ustar cannot say them", () => {
  const names = [
    "a".repeat(100),
    "a".repeat(101),
    `${"d".repeat(155)}/${"f".repeat(100)}`,
    `${"d".repeat(156)}/f`,
    `${"x/".repeat(90)}f`,
    "ü",
    "a\u0308",
    "tab\t",
    `${"d".repeat(50)}/${"e".repeat(50)}/f`,
  ];
  const archive = writeArchive(
    { ...valid, id: archiveId(head.time, valid.writer, 1) },
    names.map((each) => ({ kind: "file", path: `/${each}`, body: Buffer.from(each), modifiedMs: 1_700_000_000_000 })),
  );
  const members = walkTar(archive.bytes);
  const pax = (wanted: string): readonly string[] => members.find((member) => member.name === wanted)?.pax ?? ["absent"];
  expect(names.map(pax)).toEqual([[], ["path", "mtime"], [], ["path", "mtime"], [], ["path", "mtime"], ["hdrcharset", "path", "mtime"], ["path", "mtime"], []]);
  const split = members.find((member) => member.name === names[8])!;
  expect(archive.bytes.toString("latin1", split.at + 345, split.at + 345 + 101)).toBe(`${"d".repeat(50)}/${"e".repeat(50)}`);
  expect(readArchive(archive.name, archive.bytes).lines).toHaveLength(names.length);
});

test("the reader refuses what is not as written", () => {
  const { name, bytes } = writeArchive(valid, validExample);
  expect(readArchive(name, bytes).lines).toHaveLength(5);
  for (let at = 0; at < bytes.length; at += 37) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    expect(() => readArchive(name, changed), `byte ${at}`).toThrow();
  }
  expect(parseHeader(bytes.subarray(0, 512)).name).toBe("notes/");
});
