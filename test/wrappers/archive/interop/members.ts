/** Members that tar programs and writers disagree about: long, plain, composed, decomposed and awkward names, edge sizes, edge times. */
import type { AnyMember, DirectoryMember, FileMember } from "../independent/write.ts";

const day = 86_400_000;

export const awkwardNames: readonly string[] = [
  "plain",
  "with space",
  " leading and trailing ",
  "quote'\"`",
  "back\\slash",
  "new\nline",
  "tab\tand\u0001control",
  "-dash",
  "--help",
  "~tilde",
  "dollar$HOME",
  "star*?[x]",
  "per%20cent",
  "semi;colon|pipe&and",
  "umlaut-ä",
  "decomposed-a\u0308",
  "both-é-e\u0301",
  "emoji-🦉",
  "日本語",
  "עברית",
  "n".repeat(99),
  "n".repeat(100),
  "n".repeat(101),
  "n".repeat(255),
  "ä".repeat(127),
  `${"d".repeat(50)}/${"e".repeat(49)}`,
  `${"d".repeat(50)}/${"e".repeat(50)}`,
  `${"p".repeat(155)}/${"q".repeat(100)}`,
  `${"p".repeat(156)}/${"q".repeat(100)}`,
  `${"p".repeat(155)}/${"q".repeat(101)}`,
  `${"x/".repeat(150)}deep`,
  ".hidden",
  "...",
  ".stratus/looks-like-a-manifest.jsonl.gz",
  "PaxHeaders/plain",
  "CON",
  "trailing.",
];

/** Whole milliseconds; before 1970, at its first moment, at the ends of what octal digits say. */
export const edgeTimes: readonly number[] = [
  -1,
  -1000,
  -day * 365 * 20 - 1,
  0,
  1,
  999,
  1_700_000_000_000,
  1_700_000_000_999,
  2 ** 31 * 1000,
  2 ** 32 * 1000 + 500,
  (2 ** 33 - 1) * 1000,
  2 ** 33 * 1000,
];

const edgeSizes = [0, 1, 511, 512, 513, 1024, 10_239, 10_240, 10_241, 70_000];

function bytes(size: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 255));
}

export function awkwardMembers(): (FileMember | DirectoryMember)[] {
  const members: (FileMember | DirectoryMember)[] = [];
  const time = 1_700_000_000_123;
  awkwardNames.forEach((name, i) => members.push({ kind: "file", path: `/names/${name}`, body: bytes(20 + i, i), modifiedMs: time + i * 1000 }));
  awkwardNames.forEach((name, i) => members.push({ kind: "directory", path: `/directories/${name}`, modifiedMs: time - i * day }));
  edgeTimes.forEach((modifiedMs, i) => members.push({ kind: "file", path: `/times/${i}`, body: bytes(7, i), modifiedMs }));
  edgeSizes.forEach((size, i) => members.push({ kind: "file", path: `/sizes/${size}`, body: bytes(size, i), modifiedMs: time }));
  members.push({ kind: "directory", path: "/empty", modifiedMs: time });
  return members;
}

/** Lines without a member: they must not show in an unpacked tree. */
export function linesOnly(writer: string, time: number, id: string): AnyMember[] {
  return [
    { kind: "r", path: "/reference", id, offset: 512, size: 3, modifiedMs: time, sha256: "x".repeat(43), stamp: [time, writer], extra: null },
    { kind: "t", path: "/gone", stamp: [time, writer], bornMs: time },
    { kind: "o", writer: "aaaaaaaaaa", by: writer, time, bornMs: time },
  ];
}
