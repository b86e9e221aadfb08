/** Manifests as text: one JSON value a line, sorted by path. */
import { byCodePoint } from "../../../store/index.ts";
import type { ArchiveRecord, Extra, Manifest } from "./records.ts";
import type { Stamp } from "./stamp.ts";

export const VERSION = 1;

/**
 * `timeWidth`: the head's time is followed by spaces up to so many characters, so that its length is known before the time is (a solo is
 * stamped when its body has ended).
 */
export function encodeManifest(manifest: Manifest, timeWidth = 0): string {
  const { id, writer, timeMs, records, tombstones, claims } = manifest;
  const lines: { readonly path: string; readonly rank: number; readonly text: string }[] = [];
  for (const record of records) lines.push({ path: record.path, rank: 0, text: JSON.stringify(recordLine(record, manifest)) });
  for (const { path, upTo, bornMs } of tombstones) lines.push({ path, rank: 1, text: JSON.stringify(["t", path, ...upTo, bornMs]) });
  lines.sort((a, b) => byCodePoint(a.path, b.path) || a.rank - b.rank);
  const count = lines.length + claims.length;
  const time = String(timeMs).padEnd(timeWidth);
  const head = `{"stratus":"archive","version":${VERSION},"id":${JSON.stringify(id)},"writer":${JSON.stringify(writer)},"time":${time},"lines":${count}}`;
  const texts = [head, ...lines.map(({ text }) => text)];
  for (const { writer: whose, stamp, bornMs } of claims) texts.push(JSON.stringify(["o", whose, stamp[1], stamp[0], bornMs]));
  return `${texts.join("\n")}\n`;
}

function recordLine(record: ArchiveRecord, { timeMs, writer }: Manifest): unknown[] {
  const stamp: Stamp | null = record.stamp[0] === timeMs && record.stamp[1] === writer ? null : record.stamp;
  if (record.kind === "directory") return trimmed(["d", record.path, record.modifiedMs, stamp]);
  const { path, offset, size, modifiedMs, sha256 } = record;
  const extra = record.extra === undefined ? null : extraOf(record.extra);
  if (record.kind === "file") return trimmed(["f", path, offset, size, modifiedMs, sha256, stamp, extra]);
  return trimmed(["r", path, record.at, offset, size, modifiedMs, sha256, stamp, extra]);
}

function extraOf({ type, meta }: Extra): object {
  return { ...(type === undefined ? undefined : { type }), ...(meta === undefined ? undefined : { meta }) };
}

/** Trailing nulls are left out. */
function trimmed(line: unknown[]): unknown[] {
  while (line[line.length - 1] === null) line.pop();
  return line;
}
