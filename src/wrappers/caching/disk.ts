/** The local disk: free space, and its errors in our codes. */
import { statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { StoreError } from "../../store/index.ts";
import type { ErrorDetails } from "../../store/index.ts";
import { codeOf } from "./error-code.ts";

export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, 9p, FUSE. */
const NETWORK: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546]);

/** Locks and flushes of a network file system cannot be trusted. */
export function isNetworkFileSystem(directory: string): boolean {
  return process.platform === "linux" && NETWORK.has(statfsSync(directory).type);
}

/** What went wrong here is not the remote's fault, and nothing of the call has happened. */
export function diskError(cause: unknown, details: ErrorDetails = {}): StoreError {
  const code = codeOf(cause);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new StoreError("no-space", "the disk of the cache directory is full", { cause, applied: false, ...details });
  const transient = code === "EMFILE" || code === "ENFILE";
  return new StoreError("unavailable", transient ? "too many files are open" : "the disk of the cache directory fails", {
    cause,
    transient,
    applied: false,
    ...details,
  });
}
