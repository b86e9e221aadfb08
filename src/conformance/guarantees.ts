/**
 * The guarantees of the contract, each with a stable id: checks name the ids that they prove, docs/contract.md lists them.
 *
 *   guarantees.find((guarantee) => guarantee.id === "write.replaces")?.text
 */
import type { Operation } from "../store/index.ts";

export interface Guarantee {
  readonly id: string;
  /** The verb it belongs to, or the part of the contract that is no verb. */
  readonly verb: Operation | "path" | "body" | "entry" | "capability" | "error" | "life";
  /** One sentence or two, in the words of the contract. */
  readonly text: string;
}

export const guarantees: readonly Guarantee[] = [
  {
    id: "path.checked",
    verb: "path",
    text: 'Every path is absolute, without empty, "." or ".." segments, NUL, lone surrogates or a trailing slash; any other is `invalid-path` on every verb, before any request.',
  },
  {
    id: "path.kept",
    verb: "path",
    text: "Names are never altered: no case folding, no normalisation, no decoding, no trimming, no cutting. What is stored is found, listed, copied, moved and deleted under exactly its name.",
  },
  {
    id: "path.refused",
    verb: "path",
    text: "A name beyond the declared characters or lengths is `invalid-path`, and nothing is stored. Every other legal name is accepted.",
  },
  {
    id: "path.distinct",
    verb: "path",
    text: "Two different names are two files, unless `caseSensitive` or `normalisation` say that the service folds them; then both spellings are one file.",
  },
  { id: "path.boundary", verb: "path", text: 'A directory holds what is below it, not what merely begins with its name: "/ab" is not inside "/a".' },
  {
    id: "path.hierarchy",
    verb: "path",
    text: "With `strictHierarchy` a file and a directory of one name cannot coexist and a file is no parent; without it both may exist and neither answers for the other.",
  },

  { id: "stat.file", verb: "stat", text: 'The entry of a file: its path as the caller wrote it, kind "file", its size in bytes.' },

  { id: "read.whole", verb: "read", text: "What was written is what is read, byte for byte." },
  {
    id: "read.oneVersion",
    verb: "read",
    text: "The bytes of one version of a file, never a mix of two: one that changes meanwhile ends in `conflict` or gives the version it began with.",
  },
  { id: "read.range", verb: "read", text: "Exactly the bytes asked for; a negative offset counts from the end." },
  { id: "read.range.clamped", verb: "read", text: "A range is clamped to the end of the file; length 0 is empty." },
  {
    id: "read.range.bad",
    verb: "read",
    text: "A range that starts at or past the end is `bad-range`, except at offset 0; with the size of the file where it is known.",
  },
  {
    id: "read.range.told",
    verb: "read",
    text: "`offset` and `length` of the result are what the bytes are after clamping; `entry.size` is that of the whole file.",
  },
  { id: "read.broken", verb: "read", text: "A body that breaks off is an error, never a short result." },
  { id: "read.directory", verb: "read", text: "A directory is `is-a-directory`." },
  { id: "read.missing", verb: "read", text: "Nothing there: `not-found`." },
  {
    id: "read.forms",
    verb: "read",
    text: "Iteration, bytes(), text(), stream() and nodeStream() give the same bytes; text is UTF-8 with its byte order mark kept.",
  },
  { id: "read.ownMemory", verb: "read", text: "bytes() is memory of the caller's own: changing it changes nothing in the store." },
  { id: "read.once", verb: "read", text: "The bytes of one result can be taken once; a second attempt is an error, never other bytes." },
  { id: "read.released", verb: "read", text: "A body that is left early is let go of, and the next read is whole." },
  { id: "read.pulled", verb: "read", text: "Bytes are pulled, never pushed: what nobody takes is not held in memory." },
  { id: "read.ifMatch", verb: "read", text: "ifMatch: only if the file has this etag, else `precondition-failed`." },
  { id: "read.ifNoneMatch", verb: "read", text: "ifNoneMatch: only if the file has another etag, else `not-modified`." },

  {
    id: "write.replaces",
    verb: "write",
    text: "Creates or replaces a file whole: afterwards it holds exactly the new bytes and stands in its directory once.",
  },
  { id: "write.entry", verb: "write", text: "The entry that a write gives: whatever is not null equals what `stat` says." },
  { id: "write.parents", verb: "write", text: "Missing parents are created." },
  {
    id: "write.atomic",
    verb: "write",
    text: "Nothing of a write is visible before it resolves; with `atomicWrites` native readers see the old or the new file, whatever happens.",
  },
  {
    id: "write.failed",
    verb: "write",
    text: 'A write that rejects leaves the old version or nothing, and no unfinished upload; only where `applied` is "unknown" the new version may be there, whole.',
  },
  {
    id: "write.aborted",
    verb: "write",
    text: "The signal is honoured until the last byte: `aborted`, with the reason as its cause, and nothing appears later.",
  },
  { id: "write.target", verb: "write", text: "Over a directory: `is-a-directory`; below a file: `not-a-directory`." },
  { id: "write.tooLarge", verb: "write", text: "Beyond `maxFileBytes`: `too-large`, before any request where the size is known." },
  { id: "write.unknownSize", verb: "write", text: "A body of unknown size is stored whole, up to `maxUnknownBytes`." },
  { id: "write.size", verb: "write", text: "A body shorter or longer than its declared size is `bad-body`; nothing is stored." },
  {
    id: "write.expect",
    verb: "write",
    text: "Bytes that do not hash to what `expect` says are `integrity`; nothing is stored. Every HashName is checked on every store.",
  },
  { id: "write.progress", verb: "write", text: "onProgress tells the bytes taken from the body so far, never falling within one attempt, ending at its size." },
  { id: "write.ifAbsent", verb: "write", text: "ifAbsent: only if nothing is there, else `already-exists`; of racing calls exactly one wins." },
  {
    id: "write.ifMatch",
    verb: "write",
    text: "ifMatch: only if the file has this etag, else `precondition-failed`, also when it is missing; of racing calls with one etag exactly one wins.",
  },
  { id: "write.conditionalSize", verb: "write", text: "A write with a condition beyond `maxConditionalBytes` is refused." },
  { id: "write.concurrent", verb: "write", text: "Calls that run at once do not mix: each file holds the bytes of one write, its own." },

  {
    id: "body.kinds",
    verb: "body",
    text: "A string (as UTF-8), Uint8Array, Blob, web stream, async iterable, Node stream, Reopenable or ReadResult of another store are bodies.",
  },
  { id: "body.fails", verb: "body", text: "A body that fails is `bad-body` with its error as the cause; nothing is stored." },
  {
    id: "body.owned",
    verb: "body",
    text: "`write` owns a stream from the moment it is called: it is read to its end or destroyed, whatever happens, and an error that it emits early ends the call instead of the process.",
  },
  {
    id: "body.borrowed",
    verb: "body",
    text: "Bytes are borrowed until the promise settles; afterwards the caller may change them without changing the store.",
  },
  { id: "body.chunks", verb: "body", text: "How a body is cut into chunks does not matter, empty ones included; chunks that are no bytes are refused." },
  { id: "body.pulled", verb: "body", text: "A body is pulled as fast as it is sent, not collected in memory." },

  { id: "entry.etag", verb: "entry", text: "Equal etags of one path mean equal bytes; with the capability `etag` every answer about a file carries one." },

  { id: "delete.ifMatch", verb: "delete", text: "ifMatch: only if the file has this etag, else `precondition-failed` and nothing is deleted." },
  { id: "copy.ifAbsent", verb: "copy", text: "ifAbsent: only if nothing is at the target, else `already-exists`; of racing calls exactly one wins." },
  {
    id: "move.ifAbsent",
    verb: "move",
    text: "ifAbsent: only if nothing is at the target, else `already-exists`, and the source stays; of racing calls exactly one wins.",
  },

  {
    id: "capability.refused",
    verb: "capability",
    text: "What is not declared is refused with `unsupported`, an option that does not exist with TypeError: nothing is ignored.",
  },
  {
    id: "error.signal",
    verb: "error",
    text: "A signal that fired before the call makes no request: `aborted`, or `timeout` where its reason is a TimeoutError.",
  },
];
