/** A log that many processes write to one file: a line of JSON per record, each line whole. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { LogRecord, LogSink } from "./log.ts";

/**
 * Each record is appended by one write of its own, before the call that it tells of ends: the file system puts lines of several processes one after the
 * other (local file systems do; NFS does not promise it), and a process that is killed loses none that was told. Opened with the first record, for its owner
 * only (0600) where it is made here. Costs about ten microseconds per record on a local disk.
 */
export function logFile(path: string): LogSink {
  let file: number | undefined;
  /** The disk was full in the middle of a line: the next record starts on a line of its own. */
  let torn = false;
  return {
    write(record: LogRecord) {
      file ??= openSync(path, "a", 0o600);
      const line = Buffer.from(`${torn ? "\n" : ""}${JSON.stringify(record)}\n`);
      const written = writeSync(file, line);
      torn = written > 0 ? written < line.byteLength : torn;
      if (written < line.byteLength) throw new Error(`only ${written} of ${line.byteLength} bytes of a log line were written`);
    },
    close() {
      if (file === undefined) return;
      closeSync(file);
      file = undefined;
    },
  };
}
