/** Dumps: JSON of files and where their copies are. docs/formats/pool-dump.md describes the versions. Nothing here knows the catalogue. */
import { cachedNames, cleanName, withoutDigits } from "./cache-names.ts";
import { PoolError } from "./errors.ts";

export type DumpVersion = "0.2" | "0.3";
export interface DumpedCopy {
  readonly host: string;
  /** Null: an upload that failed. */
  readonly url: string | null;
  readonly dead: boolean;
  readonly madeMs: number | null;
}
export interface DumpedFile {
  readonly hash: string;
  readonly name: string;
  readonly size: number;
  readonly createdMs: number;
  readonly copies: readonly DumpedCopy[];
}

export function toEntry(file: DumpedFile, version: DumpVersion): string {
  const { hash, name, size, createdMs, copies } = file;
  const common = { filename: cachedNames(hash, name)[0], filesize: size, filehash: hash, datetime: String(Math.floor(createdMs / 1000)) };
  const failed = ({ host }: DumpedCopy): object => ({ host_name: host, error: true });
  if (version === "0.2")
    return JSON.stringify({
      version,
      ...common,
      uploads: copies.filter(({ dead }) => !dead).map((copy) => (copy.url === null ? failed(copy) : { host_name: copy.host, url: copy.url })),
    });
  const uploads = copies.map((copy) =>
    copy.url === null
      ? failed(copy)
      : { host_name: copy.host, url: copy.url, ...(copy.dead ? { dead: true } : {}), ...(copy.madeMs === null ? {} : { made_ms: copy.madeMs }) },
  );
  return JSON.stringify({ version, ...common, name, created_ms: createdMs, uploads });
}

type Fields = Readonly<Record<string, unknown>>;
const READABLE: ReadonlySet<unknown> = new Set(["0.1", "0.2", "0.3"]);

/** All of it or nothing. @throws PoolError `bad-dump`, `unknown-version` */
export function parseDump(text: string): DumpedFile[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new PoolError("bad-dump", "this is no JSON", { cause });
  }
  if (!Array.isArray(parsed)) throw new PoolError("bad-dump", "a dump is an array of files");
  return parsed.map((entry: unknown, index) => parseEntry(entry, `entry ${index}`));
}

/** One object of a dump, also as cloud-manager's database keeps it. */
export function parseEntry(entry: unknown, where: string): DumpedFile {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) throw new PoolError("bad-dump", `${where} is no object`);
  const fields = entry as Fields;
  const version = fields["version"];
  if (!READABLE.has(version)) throw new PoolError("unknown-version", `${where} has a version that this release cannot read`);
  const bad = (what: string): never => {
    throw new PoolError("bad-dump", `${where}: ${what}`);
  };
  const hash = fields["filehash"];
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) return bad("filehash is no SHA-256 in lower-case hexadecimal");
  const size = number(fields["filesize"]) ?? bad("filesize is no number of bytes");
  const seconds = number(fields["datetime"]) ?? bad("datetime is no number of seconds");
  const uploads = fields["uploads"];
  if (!Array.isArray(uploads)) return bad("uploads is no array");
  const filename = fields["filename"];
  if (version !== "0.1" && (typeof filename !== "string" || !plain(filename))) return bad("filename is no plain text");
  const name = version === "0.3" ? fields["name"] : version === "0.2" ? withoutDigits(filename as string) : hash.slice(0, 10);
  if (typeof name !== "string" || !plain(name)) return bad("name is no plain text");
  const createdMs = version === "0.3" ? (number(fields["created_ms"]) ?? bad("created_ms is no time")) : seconds * 1000;
  if (!Number.isSafeInteger(createdMs)) return bad("the time is out of range");
  return { hash, name: cleanName(name, hash), size, createdMs, copies: uploads.map((upload: unknown) => parseUpload(upload, version === "0.3", bad)) };
}

function parseUpload(upload: unknown, newest: boolean, bad: (what: string) => never): DumpedCopy {
  if (typeof upload !== "object" || upload === null) return bad("an upload is no object");
  const { host_name: host, url, error, dead, made_ms: made } = upload as Fields;
  if (typeof host !== "string" || host === "" || !plain(host)) return bad("an upload has no host_name");
  if (error !== undefined && error !== false && error !== null) return { host, url: null, dead: false, madeMs: null };
  if (typeof url !== "string" || url === "" || !plain(url)) return bad("an upload has neither url nor error");
  const madeMs = newest && made !== undefined ? (number(made) ?? bad("made_ms is no time")) : null;
  return { host, url, dead: newest && dead === true, madeMs };
}

/** The README of cloud-manager writes numbers as strings, its code as numbers. */
function number(value: unknown): number | undefined {
  const found = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(found) && (found as number) >= 0 ? (found as number) : undefined;
}

function plain(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return text.length <= 4096 && text.isWellFormed() && !/[\0-\x1f\x7f]/.test(text);
}
