/** A backup, line by line, believed only as far as it was checked. */
import { createHash } from "node:crypto";
import { pipeline } from "node:stream";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { BackupError } from "./backup-error.ts";
import { LONGEST_LINE, parseEnd, parseHeader, parseRow } from "./backup-format.ts";
import type { BackupHeader, TableHeader } from "./backup-format.ts";
import type { Value } from "./types.ts";

export interface BackupVisitor {
  header(header: BackupHeader): Promise<void>;
  rows(table: TableHeader, rows: readonly (readonly Value[])[]): Promise<void>;
}

/** Rows that are handed on at once. */
const BATCH = 1000;

/**
 * Resolves when the end was seen and everything before it agrees with it: so what the visitor did counts only then. @throws BackupError `bad-backup`, `unknown-version`; what the
 * visitor throws
 */
export async function readBackup(bytes: Readable, visitor: BackupVisitor, signal: AbortSignal | undefined): Promise<BackupHeader> {
  const hash = createHash("sha256");
  const all = linesOf(bytes, signal);
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await all.next();
    return done === true ? undefined : value;
  };
  try {
    const first = await next();
    if (first === undefined) throw new BackupError("bad-backup", "the backup is empty");
    const header = parseHeader(first);
    hash.update(`${first}\n`);
    await visitor.header(header);
    let total = 0;
    for (const table of header.tables) {
      let batch: (readonly Value[])[] = [];
      for (let row = 0; row < table.rows; row++) {
        const line = await next();
        if (line === undefined) throw new BackupError("bad-backup", "the backup is cut off");
        hash.update(`${line}\n`);
        batch.push(parseRow(line, table.columns));
        if (batch.length === BATCH) {
          await visitor.rows(table, batch);
          batch = [];
        }
      }
      if (batch.length > 0) await visitor.rows(table, batch);
      total += table.rows;
    }
    const last = await next();
    if (last === undefined) throw new BackupError("bad-backup", "the backup is cut off");
    const end = parseEnd(last);
    if (end.rows !== total || end.sha256 !== hash.digest("hex")) throw new BackupError("bad-backup", "the backup is damaged: its checksum is another one");
    if ((await next()) !== undefined) throw new BackupError("bad-backup", "the backup goes on behind its end");
    return header;
  } finally {
    await all.return(undefined);
  }
}

async function* linesOf(bytes: Readable, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const gunzip = createGunzip({ chunkSize: 64 << 10 });
  pipeline(bytes, gunzip, () => {});
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest: string[] = [];
  let length = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      const text = decoder.decode(chunk, { stream: true });
      const [first = "", ...others] = text.split("\n");
      rest.push(first);
      length += first.length;
      if (length > LONGEST_LINE) throw new BackupError("bad-backup", "a line of the backup is too long");
      for (const other of others) {
        yield rest.join("");
        rest = [other];
        length = other.length;
      }
    }
    if (rest.join("") + decoder.decode() !== "") throw new BackupError("bad-backup", "the backup is cut off");
  } catch (error) {
    throw asBad(error);
  }
}

/** What the decompressor and the decoder say of bytes that are none of theirs. */
function asBad(error: unknown): unknown {
  const code = (error as { readonly code?: unknown } | null)?.code;
  const undecodable = typeof code === "string" && (code.startsWith("Z_") || code === "ERR_ENCODING_INVALID_ENCODED_DATA");
  return undecodable ? new BackupError("bad-backup", "the backup is damaged or cut off", { cause: error }) : error;
}
