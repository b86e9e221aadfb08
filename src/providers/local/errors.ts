/** Errors of the file system in our words. */
import { StoreError } from "../../store/index.ts";
import type { Call, ErrorCode } from "../../store/index.ts";
import { errnoOf } from "./disk.ts";

type Meaning = readonly [code: ErrorCode, reason: string];

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: ["not-found", "nothing is there"],
  EEXIST: ["already-exists", "something of this name is there"],
  EISDIR: ["is-a-directory", "there is a directory of this name"],
  ENOTEMPTY: ["not-empty", "the directory is not empty"],
  EACCES: ["permission-denied", "the system does not allow it"],
  EPERM: ["permission-denied", "the system does not allow it"],
  EROFS: ["permission-denied", "the file system is read-only"],
  ENOSPC: ["no-space", "the disk is full"],
  EDQUOT: ["no-space", "the quota is used up"],
  EFBIG: ["too-large", "the file system does not take a file of this size"],
  ENAMETOOLONG: ["invalid-path", "the name is too long for this file system"],
  EILSEQ: ["invalid-path", "the file system cannot hold this name"],
  ELOOP: ["invalid-path", "the links on this path have no end"],
  EMFILE: ["unavailable", "too many files are open"],
  ENFILE: ["unavailable", "too many files are open"],
  EAGAIN: ["unavailable", "the system is busy"],
  ESTALE: ["unavailable", "the file server lost the file"],
  ETIMEDOUT: ["unavailable", "the file server does not answer"],
  EHOSTDOWN: ["unavailable", "the file server is down"],
  EIO: ["corrupt", "the disk cannot read or write this"],
  EBUSY: ["conflict", "the file is in use"],
  EXDEV: ["unsupported", "a directory cannot be moved to another file system; copy it and delete it"],
};

/** Calls of the system that make a change visible: where one of these ends without an answer, nobody knows. */
const COMMITS: ReadonlySet<string> = new Set(["rename", "link", "unlink", "rmdir", "mkdir", "symlink"]);
const NO_ANSWER: ReadonlySet<string> = new Set(["ESTALE", "ETIMEDOUT", "EHOSTDOWN", "EIO"]);

export function translate(error: unknown, call: Call): StoreError | undefined {
  const { signal } = call;
  // This provider looks at the signal only where nothing has been changed yet.
  if (signal?.aborted === true && error === signal.reason)
    return new StoreError("aborted", "the caller gave up", { applied: false, cause: error, operation: call.operation, path: call.path });
  const errno = errnoOf(error);
  if (errno === undefined) return undefined;
  const changes = call.operation === "write" || call.operation === "mkdir";
  // Below a file there is nothing to find, and nothing can be made.
  const [code, reason]: Meaning =
    errno === "ENOTDIR"
      ? changes
        ? ["not-a-directory", "a parent of this path is a file"]
        : ["not-found", "nothing is there"]
      : (MEANINGS[errno] ?? ["unknown", "the file system failed"]);
  const doubtful = NO_ANSWER.has(errno) && COMMITS.has(String((error as NodeJS.ErrnoException).syscall));
  return new StoreError(code, reason, { cause: error, applied: doubtful ? "unknown" : false });
}

/** What stands at the path belongs to nobody's store. */
export function notOurs(): StoreError {
  return new StoreError("unsupported", "what stands here is no file or directory of this store: a link out of it or to nowhere, a pipe, a socket or a device", {
    applied: false,
  });
}
