/** Lines of a manifest (docs/formats/archive.md 2.3) and their order, written from that page alone. */

export type Stamp = readonly [time: number, writer: string];
export interface Extra {
  readonly type?: string;
  readonly meta?: Readonly<Record<string, string>>;
}
interface RecordBase {
  readonly path: string;
  readonly modifiedMs: number;
  /** Its own, or that of its archive. */
  readonly stamp: Stamp;
}
export interface FileRecord extends RecordBase {
  readonly kind: "f";
  readonly offset: number;
  readonly size: number;
  readonly sha256: string;
  readonly extra: Extra | null;
}
export interface ReferenceRecord extends RecordBase {
  readonly kind: "r";
  readonly id: string;
  readonly offset: number;
  readonly size: number;
  readonly sha256: string;
  readonly extra: Extra | null;
}
export interface DirectoryRecord extends RecordBase {
  readonly kind: "d";
}
export interface Tombstone {
  readonly kind: "t";
  readonly path: string;
  readonly stamp: Stamp;
  readonly bornMs: number;
}
export interface Claim {
  readonly kind: "o";
  readonly writer: string;
  readonly by: string;
  readonly time: number;
  readonly bornMs: number;
}
export type Line = FileRecord | ReferenceRecord | DirectoryRecord | Tombstone | Claim;

export interface Head {
  readonly id: string;
  readonly writer: string;
  readonly time: number;
}

const rank = { d: 0, f: 1, r: 2, t: 3, o: 4 } as const;

/** Negative where `a` stands before `b`. */
export function lineOrder(a: Line, b: Line): number {
  if (a.kind === "o" || b.kind === "o") return rank[a.kind] - rank[b.kind];
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)) || rank[a.kind] - rank[b.kind];
}

export function stampOrder(a: Stamp, b: Stamp): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
}

/** One line, trailing nulls left out, and the archive's own stamp too. */
export function encodeLine(line: Line, head: Head): string {
  const stamp = (own: Stamp): Stamp | null => (own[0] === head.time && own[1] === head.writer ? null : own);
  const cut = (values: unknown[]): string => {
    while (values.at(-1) === null) values.pop();
    return JSON.stringify(values);
  };
  switch (line.kind) {
    case "f":
      return cut(["f", line.path, line.offset, line.size, line.modifiedMs, line.sha256, stamp(line.stamp), line.extra]);
    case "r":
      return cut(["r", line.path, line.id, line.offset, line.size, line.modifiedMs, line.sha256, stamp(line.stamp), line.extra]);
    case "d":
      return cut(["d", line.path, line.modifiedMs, stamp(line.stamp)]);
    case "t":
      return cut(["t", line.path, line.stamp[0], line.stamp[1], line.bornMs]);
    case "o":
      return cut(["o", line.writer, line.by, line.time, line.bornMs]);
  }
}

/** @throws Error where the line is none that version 1 knows */
export function decodeLine(text: string, head: Head): Line {
  const value = JSON.parse(text) as unknown[];
  if (!Array.isArray(value)) throw new Error(`a line that is no array: ${text}`);
  const whole = (at: number, min = 0): number => {
    const number = value[at];
    if (!Number.isSafeInteger(number) || (number as number) < min) throw new Error(`no number at ${at} of ${text}`);
    return number as number;
  };
  const string = (at: number, pattern: RegExp): string => {
    const found = value[at];
    if (typeof found !== "string" || !pattern.test(found)) throw new Error(`no ${pattern} at ${at} of ${text}`);
    return found;
  };
  const stamp = (at: number): Stamp => {
    const given = value[at] ?? null;
    if (given === null) return [head.time, head.writer];
    if (!Array.isArray(given) || given.length !== 2 || !Number.isSafeInteger(given[0]) || !WRITER.test(given[1] as string))
      throw new Error(`no stamp: ${text}`);
    return [given[0] as number, given[1] as string];
  };
  const most = (count: number): void => {
    if (value.length > count || value.at(-1) === null) throw new Error(`too many members: ${text}`);
  };
  switch (value[0]) {
    case "f":
      most(8);
      return {
        kind: "f",
        path: path(value[1]),
        offset: whole(2),
        size: whole(3),
        modifiedMs: whole(4, -Infinity),
        sha256: string(5, HASH),
        stamp: stamp(6),
        extra: (value[7] as Extra | undefined) ?? null,
      };
    case "r":
      most(9);
      return {
        kind: "r",
        path: path(value[1]),
        id: string(2, ID),
        offset: whole(3),
        size: whole(4),
        modifiedMs: whole(5, -Infinity),
        sha256: string(6, HASH),
        stamp: stamp(7),
        extra: (value[8] as Extra | undefined) ?? null,
      };
    case "d":
      most(4);
      return { kind: "d", path: path(value[1]), modifiedMs: whole(2, -Infinity), stamp: stamp(3) };
    case "t":
      most(5);
      return { kind: "t", path: path(value[1]), stamp: [whole(2), string(3, WRITER)], bornMs: whole(4, -Infinity) };
    case "o":
      most(5);
      return { kind: "o", writer: string(1, WRITER), by: string(2, WRITER), time: whole(3), bornMs: whole(4, -Infinity) };
    default:
      throw new Error(`an unknown line: ${text}`);
  }
}

export const WRITER = /^[a-z2-7]{10}$/;
export const ID = /^[0-9a-z]{9}-[a-z2-7]{10}-[1-9a-z][0-9a-z]{0,8}$/;
const HASH = /^[A-Za-z0-9_-]{43}$/;

function path(value: unknown): string {
  if (typeof value !== "string" || !value.startsWith("/") || value === "/") throw new Error(`no path: ${JSON.stringify(value)}`);
  const segments = value.slice(1).split("/");
  if (value.includes("\0") || !value.isWellFormed() || segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw new Error(`no path: ${JSON.stringify(value)}`);
  }
  return value;
}
