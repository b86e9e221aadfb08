/** Archives that another program could put into the folder, each under an id of its own (reference/archive.md 10). */
import { gzipSync } from "node:zlib";
import type { Line } from "../independent/manifest.ts";
import { header } from "../independent/tar.ts";
import { archiveId, sha256, writeArchive } from "../independent/write.ts";
import type { AnyMember, Wrong } from "../independent/write.ts";

export interface Hostile {
  readonly what: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}
export const STRANGER = "hostileaaa";
const TIME = 1_690_000_000_000;

/** Ids of one stranger, counted. */
export class Hostiles {
  #count = 0;
  readonly #writer: string;
  constructor(writer: string = STRANGER) {
    this.#writer = writer;
  }

  make(
    what: string,
    wrong: Wrong = {},
    members?: (head: { readonly id: string; readonly writer: string; readonly time: number }) => readonly AnyMember[],
  ): Hostile {
    const id = archiveId(TIME, this.#writer, ++this.#count);
    const head = { id, writer: this.#writer, time: TIME };
    const usual: readonly AnyMember[] = [
      { kind: "file", path: `/hostile/${this.#count}`, body: Buffer.from(`hostile ${this.#count}`), modifiedMs: TIME },
      { kind: "file", path: `/hostile/${this.#count}-other`, body: Buffer.from("other"), modifiedMs: TIME },
    ];
    const { name, bytes } = writeArchive(head, members?.(head) ?? usual, wrong);
    return { what, name, bytes };
  }

  changed(what: string, change: (bytes: Buffer, manifest: { readonly offset: number; readonly bytes: number }) => Uint8Array): Hostile {
    const id = archiveId(TIME, this.#writer, ++this.#count);
    const written = writeArchive({ id, writer: this.#writer, time: TIME }, [
      { kind: "file", path: `/hostile/${this.#count}`, body: Buffer.from("x"), modifiedMs: TIME },
    ]);
    return { what, name: written.name, bytes: change(written.bytes, written.manifest) };
  }
}

const firstFile = (change: (line: Extract<Line, { kind: "f" }>) => unknown): Wrong => ({
  lines: (lines) => lines.map((line, i) => (i === 0 && line.kind === "f" ? (change(line) as Line) : line)),
});
const text = (change: (lines: string[]) => readonly string[]): Wrong => ({ text: (all) => change(all.split("\n")).join("\n") });
/** In place of the first record. */
const firstLine = (line: string): Wrong => text(([head = "", , ...rest]) => [head, line, ...rest]);
const count = (all: string[], lines: number): string[] => [(all[0] as string).replace(/"lines":\d+/, `"lines":${lines}`), ...all.slice(1)];
const footer = (change: Record<string, unknown>): Wrong => ({ footer: (right) => ({ ...right, ...change }) });

/** Every one of them is damaged: none of its lines may be applied. */
export function damagedArchives(): Hostile[] {
  const all = new Hostiles();
  const hash = sha256(Buffer.from("x"));
  const badPaths = ["..", "/..", "/a/../b", "/a/./b", "/a//b", "/a/", "a", "/", "", "/a\0b", "/../../etc/passwd", `/${"x".repeat(70_000)}`];
  const found: Hostile[] = [
    all.changed("no bytes", () => Buffer.alloc(0)),
    all.changed("HTML", () => Buffer.from("<html><body>504 Gateway Timeout</body></html>".repeat(100))),
    all.changed("only zeros", () => Buffer.alloc(100_000)),
    all.changed("a tar without manifest and footer", (bytes) => Buffer.concat([bytes.subarray(0, 1024), Buffer.alloc(1024)])),
    all.changed("cut by a byte", (bytes) => bytes.subarray(0, -1)),
    all.changed("cut by a block", (bytes) => bytes.subarray(0, -512)),
    all.changed("cut to its first block", (bytes) => bytes.subarray(0, 512)),
    all.changed("cut in the footer", (bytes) => bytes.subarray(0, -1600)),
    all.changed("appended to by tar -r", (bytes) =>
      Buffer.concat([bytes.subarray(0, -1024), header({ name: "more", mode: 0o644, size: 0, seconds: 0, type: "0" }), Buffer.alloc(1024)]),
    ),
    all.changed("padded to 10,240", (bytes) => Buffer.concat([bytes, Buffer.alloc(10_240 - (bytes.length % 10_240))])),
    all.make("a footer that is an array", { footer: () => "[]" }),
    all.make("a footer that is null", { footer: () => "null" }),
    all.make("a footer of text", { footer: () => "x".repeat(500) }),
    all.make("size lies", { footer: (right) => ({ ...right, size: (right["size"] as number) + 512 }) }),
    all.make("the id of another archive", footer({ id: archiveId(TIME, STRANGER, 46_000) })),
    all.make("the manifest lies before the archive", footer({ manifest: -512 })),
    all.make("the manifest lies behind the archive", footer({ manifest: 2 ** 40 })),
    all.make("the manifest is longer than the archive", footer({ bytes: 2 ** 40 })),
    all.make("unpacked less than it is", { footer: (right) => ({ ...right, unpacked: (right["unpacked"] as number) - 1 }) }),
    all.make("unpacked more than it is", { footer: (right) => ({ ...right, unpacked: (right["unpacked"] as number) + 1 }) }),
    all.make("unpacked beyond all bounds", footer({ unpacked: 2 ** 50 })),
    all.make("unpacked no whole number", footer({ unpacked: 1.5 })),
    all.make("another hash of the manifest", footer({ sha256: "0".repeat(64) })),
    all.make("no hash of the manifest", footer({ sha256: undefined })),
    all.make("blocks beyond the largest manifest", { blocks: () => 999_999_999 }),
    all.make("a bomb: 8 MiB behind a footer that says 1,000", {
      gzip: () => gzipSync(Buffer.alloc(8 << 20, " ")),
      footer: (right) => ({ ...right, unpacked: 1000 }),
    }),
    all.make("a line of a mebibyte", firstLine(JSON.stringify(["d", `/${"y".repeat(1 << 20)}`, 0]))),
    all.make("no gzip", { gzip: () => Buffer.from("no gzip at all") }),
    all.make("gzip with a tail", { gzip: (packed) => Buffer.concat([packed, Buffer.from("tail")]) }),
    all.make("no JSON", firstLine("{")),
    all.make("arrays in arrays", firstLine("[".repeat(200_000) + "]".repeat(200_000))),
    all.make("an object for a line", firstLine("{}")),
    all.make("a number for a line", firstLine("7")),
    all.make("an empty line", firstLine("")),
    all.make("an empty array", firstLine("[]")),
    all.make("too many members", firstLine(JSON.stringify(["d", "/x", 0, null, null, null]))),
    all.make("too few members", firstLine(JSON.stringify(["f", "/x", 512]))),
    all.make(
      "more lines than said",
      text((lines) => count(lines, 1)),
    ),
    all.make(
      "fewer lines than said",
      text((lines) => count(lines, 3)),
    ),
    all.make(
      "a billion lines said",
      text((lines) => count(lines, 1e9)),
    ),
    all.make("no end of the last line", { text: (right) => right.slice(0, -1) }),
    all.make("no lines at all", { text: () => "" }),
    all.make(
      "the manifest of another archive",
      text(([head = "", ...rest]) => [head.replace(/"id":"[^"]*"/, `"id":"${archiveId(TIME, STRANGER, 45_000)}"`), ...rest]),
    ),
    all.make(
      "the manifest of another writer",
      text(([head = "", ...rest]) => [head.replace(/"writer":"[^"]*"/, '"writer":"bbbbbbbbbb"'), ...rest]),
    ),
    all.make(
      "a stamp in the year 10,889",
      text(([head = "", ...rest]) => [head.replace(/"time":\d+/, `"time":${2 ** 48 + 1}`), ...rest]),
    ),
    all.make(
      "a stamp before 1970",
      text(([head = "", ...rest]) => [head.replace(/"time":\d+/, '"time":-1'), ...rest]),
    ),
    all.make("a record with a stamp beyond", firstLine(JSON.stringify(["d", "/hostile-stamp", 0, [2 ** 49, "bbbbbbbbbb"]]))),
    all.make("a stamp of nobody", firstLine(JSON.stringify(["d", "/hostile-stamp", 0, [1, "NOBODY"]]))),
    all.make("not UTF-8", { text: (right) => Buffer.concat([Buffer.from(right.slice(0, -10)), Buffer.from([0xff, 0xfe]), Buffer.from(right.slice(-8))]) }),
    all.make(
      "a negative offset",
      firstFile((line) => ({ ...line, offset: -512 })),
    ),
    all.make(
      "a negative size",
      firstFile((line) => ({ ...line, size: -1 })),
    ),
    all.make(
      "half a byte",
      firstFile((line) => ({ ...line, size: 0.5 })),
    ),
    all.make(
      "an offset beyond counting",
      firstFile((line) => ({ ...line, offset: Number.MAX_SAFE_INTEGER })),
    ),
    all.make(
      "a member in the manifest",
      firstFile((line) => ({ ...line, size: 3000 })),
    ),
    all.make("members that overlap", { lines: (lines) => lines.map((line) => (line.kind === "f" ? { ...line, offset: 512 } : line)) }),
    all.make("a path twice", { lines: (lines) => [lines[0] as Line, lines[0] as Line] }),
    all.make("unsorted", { lines: (lines) => [...lines].reverse() }),
    all.make(
      "two tombstones of a path",
      text((lines) => count([lines[0] as string, ...["t", "t"].map((t) => JSON.stringify([t, "/t", 1, STRANGER, 1])), ""], 2)),
    ),
    all.make(
      "a directory and a file of one path",
      text((lines) => count([lines[0] as string, JSON.stringify(["d", "/x", 0]), JSON.stringify(["f", "/x", 512, 1, 0, hash]), ""], 2)),
    ),
    all.make("a reference to no id", firstLine(JSON.stringify(["r", "/r", "../../etc/passwd", 0, 1, 0, hash]))),
    all.make("a claim before a record", {
      text: (right) => right.replace(/\n/, `\n["o","bbbbbbbbbb","${STRANGER}",1,1]\n`).replace(/"lines":\d+/, '"lines":3'),
    }),
    all.make(
      "properties that nobody knows",
      firstFile((line) => ({ ...line, extra: { owner: "root" } })),
    ),
    all.make(
      "metadata that is no text",
      firstFile((line) => ({ ...line, extra: { meta: { a: 1 } } })),
    ),
    all.make(
      "metadata of a mebibyte",
      firstFile((line) => ({ ...line, extra: { meta: { a: "b".repeat(100_000) } } })),
    ),
    ...badPaths.map((path) => all.make(`the path ${JSON.stringify(path).slice(0, 40)}`, firstLine(JSON.stringify(["d", path, 0])))),
    all.make("a lone surrogate in a path", firstLine('["d","/\\ud800",0]')),
    all.make("a tombstone of a bad path", firstLine(JSON.stringify(["t", "/a/../b", 1, STRANGER, 1]))),
  ];
  return found;
}

/** Of a version that this reader does not know: none of it applied, and nothing is changed beside it. */
export function newerArchives(): Hostile[] {
  const all = new Hostiles("newerbbbbb");
  return [
    all.make("a footer of version 2", footer({ version: 2 })),
    all.make(
      "a manifest of version 2",
      text(([head = "", ...rest]) => [head.replace('"version":1', '"version":2'), ...rest]),
    ),
    all.make("a line that nobody knows", firstLine(JSON.stringify(["z", "/x", 1]))),
  ];
}

/** Names that are none of an archive: nobody looks at such an object. */
export const foreignNames: readonly string[] = [
  "readme.txt",
  "0loyw3v28-hostileaaa-1.6.tar.part",
  "0LOYW3V28-hostileaaa-1.6.tar",
  "0loyw3v28-hostileaaa-01.6.tar",
  "0loyw3v28-hostileaaa-1.0.tar",
  "0loyw3v28-hostileaaa-1.06.tar",
  "0loyw3v28-hostile1aa-1.6.tar",
  "0loyw3v28-hostileaaa-1.tar",
  "0loyw3v28-hostileaaa-1.6.tails.tar",
  "0loyw3v28-hostileaaa-0.6.tar",
  "..tar",
  "%2e%2e.tar",
];

/** Right, though they look wrong: what a tar holds beside the members of the manifest has no effect. */
export function harmlessArchives(): Hostile[] {
  const all = new Hostiles("harmlessaa");
  const link = (type: string, to: string): Buffer => header({ name: "evil", mode: 0o777, size: 0, seconds: 0, type, link: to });
  return [
    all.make("links, devices and members of others", {
      before: Buffer.concat([
        link("2", "/etc/passwd"),
        link("1", "../../etc/passwd"),
        link("3", ""),
        link("4", ""),
        link("6", ""),
        header({ name: "../../outside", mode: 0o644, size: 0, seconds: 0, type: "0" }),
      ]),
    }),
    all.make("more blocks than needed", { blocks: (blocks) => blocks + 2 }),
    all.make("fewer blocks than needed", { blocks: () => 4 }),
    all.make("metadata with the names of built-ins", {}, (head) => [
      {
        kind: "file",
        path: "/hostile/proto",
        body: Buffer.from("proto"),
        modifiedMs: head.time,
        extra: { type: "text/plain", meta: JSON.parse('{"__proto__":"polluted","constructor":"x"}') as Record<string, string> },
      },
    ]),
  ];
}
