/**
 * The guarantees of the contract, each with a stable id: checks name the ids that they prove, docs/contract.md lists them.
 *
 *   guarantees.find((guarantee) => guarantee.id === "write.replaces")?.text
 */
import type { Operation } from "../store/index.ts";

export interface Guarantee {
  readonly id: string;
  /** The verb it belongs to, or the part of the contract that is no verb. */
  readonly verb: Operation | "path" | "body" | "entry" | "capability" | "error" | "life" | "layer";
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
  {
    id: "stat.directory",
    verb: "stat",
    text: 'The entry of a directory: kind "directory", size 0; with implied directories one that nobody made is there as long as something lies below it.',
  },
  { id: "stat.missing", verb: "stat", text: "Nothing there: `not-found`, and only then." },
  { id: "stat.root", verb: "stat", text: "The root is always there, and a directory." },
  { id: "stat.detail", verb: "stat", text: 'Detail "basic" tells kind, size, modifiedMs and etag as the service has them; "full" is complete.' },

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
  { id: "read.closed-early", verb: "read", text: "A body that is closed before its end lets go of its connection, and nothing more is transferred for it." },

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
  { id: "raw.same", verb: "body", text: "What the store wrote is what any other client of the service reads, under the same names, and the other way round." },

  {
    id: "list.children",
    verb: "list",
    text: "Exactly the direct children of the directory, never the directory itself, nothing of a neighbour whose name begins alike.",
  },
  { id: "list.once", verb: "list", text: "Each child exactly once, with the path under which `stat` finds it." },
  {
    id: "list.whole",
    verb: "list",
    text: "What is there throughout the listing is in it, however many pages it takes; a page that fails is an error, never the end.",
  },
  { id: "list.entries", verb: "list", text: "Entries of a listing carry kind, size, modifiedMs and etag as the service has them." },
  {
    id: "list.sorted",
    verb: "list",
    text: "With `listSorted` listings come in code-point order of the names, recursive ones of the paths; else in any order.",
  },
  { id: "list.recursive", verb: "list", text: "recursive: the whole subtree, directories included, the listed directory itself not." },
  { id: "list.missing", verb: "list", text: "A missing directory is `not-found`, never an empty listing." },
  { id: "list.file", verb: "list", text: "A file is `not-a-directory`." },
  {
    id: "list.lazy",
    verb: "list",
    text: "A listing runs when it is iterated; each iteration is a new one; `break` ends it, and what the caller throws comes back unchanged.",
  },
  { id: "list.cursor", verb: "list", text: "A cursor is immutable: the same page may be asked for again." },
  { id: "list.signal", verb: "list", text: "The signal ends a listing between and within its pages." },

  { id: "entry.etag", verb: "entry", text: "Equal etags of one path mean equal bytes; with the capability `etag` every answer about a file carries one." },
  { id: "entry.law", verb: "entry", text: "Whatever is not null in an answer equals what `stat` would say now, whichever operation gave it." },
  {
    id: "entry.shape",
    verb: "entry",
    text: 'Every member is always present; null says "not known from this answer". Entries are plain data that any two callers may share.',
  },
  {
    id: "entry.complete",
    verb: "entry",
    text: '`complete` is true only where `stat` would say no more; entries of `stat` with detail "full" always are, those of listings with `listComplete`.',
  },
  {
    id: "entry.modified",
    verb: "entry",
    text: "modifiedMs is when the content was written, in milliseconds of UTC to the declared precision, or what the caller set; never later than now by rounding.",
  },
  {
    id: "entry.contentType",
    verb: "entry",
    text: "With `writeContentType` the content type is kept as it was given, replaced with the file, and taken along by copy and move.",
  },
  {
    id: "entry.metadata",
    verb: "entry",
    text: "With `writeMetadata` metadata is kept exactly, replaced with the file, and taken along by copy and move; beyond `maxMetadataBytes` it is refused.",
  },
  { id: "entry.hashes", verb: "entry", text: "Declared hashes are those of the stored bytes, whichever way they came." },

  { id: "delete.ifMatch", verb: "delete", text: "ifMatch: only if the file has this etag, else `precondition-failed` and nothing is deleted." },
  {
    id: "delete.gone",
    verb: "delete",
    text: "After a delete nothing is at the path, for every question and for every connection, within the declared time; nothing else is touched.",
  },
  { id: "delete.missing", verb: "delete", text: "Success if nothing is there." },
  { id: "delete.notEmpty", verb: "delete", text: "A directory that is not empty needs `recursive`, else `not-empty` and nothing is deleted." },
  { id: "delete.recursive", verb: "delete", text: "recursive: the directory with everything below it; a file or an empty directory all the same." },
  { id: "delete.root", verb: "delete", text: "The root is `invalid-path`, also with `recursive`." },

  { id: "mkdir.makes", verb: "mkdir", text: "Makes the directory, its parents too; below a file: `not-a-directory`." },
  { id: "mkdir.exists", verb: "mkdir", text: "An existing path is `already-exists`, unless `existOk` and a directory." },
  {
    id: "mkdir.stays",
    verb: "mkdir",
    text: "A directory stays although it is empty; with real directories the parents of a deleted or moved file stay as well.",
  },
  { id: "mkdir.exclusive", verb: "mkdir", text: "With `exclusiveMkdir` of racing calls exactly one succeeds." },

  { id: "copy.ifAbsent", verb: "copy", text: "ifAbsent: only if nothing is at the target, else `already-exists`; of racing calls exactly one wins." },
  {
    id: "copy.whole",
    verb: "copy",
    text: "A file or a whole tree, contents and properties; the source stays as it is, and later changes to one are not seen in the other.",
  },
  { id: "copy.parents", verb: "copy", text: "Missing parents of the target are created." },
  {
    id: "copy.target",
    verb: "copy",
    text: "What is at the target, by the rules of rename(2): a file replaces a file, a directory replaces an empty directory; else `is-a-directory`, `not-a-directory`, `not-empty`. Never a merge.",
  },
  { id: "copy.itself", verb: "copy", text: "Onto itself: nothing happens, and its entry is the answer; of nothing: `not-found`." },
  { id: "copy.subtree", verb: "copy", text: "Into its own subtree, or from or to the root: `invalid-path`." },
  { id: "copy.missing", verb: "copy", text: "A missing source is `not-found` and leaves the target as it was." },
  {
    id: "copy.failed",
    verb: "copy",
    text: 'A tree that fails half way is taken back; where that fails too, `applied` is "partly" and `partial` says how far it came.',
  },

  {
    id: "move.ifAbsent",
    verb: "move",
    text: "ifAbsent: only if nothing is at the target, else `already-exists`, and the source stays; of racing calls exactly one wins.",
  },
  { id: "move.whole", verb: "move", text: "As copy, and then nothing is at the source." },
  { id: "move.parents", verb: "move", text: "Missing parents of the target are created." },
  {
    id: "move.target",
    verb: "move",
    text: "What is at the target, by the rules of rename(2): a file replaces a file, a directory replaces an empty directory; else `is-a-directory`, `not-a-directory`, `not-empty`. Never a merge.",
  },
  { id: "move.itself", verb: "move", text: "Onto itself: nothing happens, and its entry is the answer; of nothing: `not-found`." },
  { id: "move.subtree", verb: "move", text: "Into its own subtree, or from or to the root: `invalid-path`." },
  { id: "move.missing", verb: "move", text: "A missing source is `not-found` and leaves the target as it was." },
  {
    id: "move.failed",
    verb: "move",
    text: 'However it fails, all bytes are still at one of the two; a tree that fails half way is taken back, or `applied` is "partly".',
  },

  {
    id: "space.figures",
    verb: "space",
    text: "Used, free and total in bytes; null where the service tells none, Infinity where there is no limit; used and free do not exceed total.",
  },

  { id: "account.text", verb: "account", text: "One line for people that names the provider; the user where the service tells one; no secret." },

  {
    id: "capability.refused",
    verb: "capability",
    text: "What is not declared is refused with `unsupported`, an option that does not exist with TypeError: nothing is ignored.",
  },
  {
    id: "capability.complete",
    verb: "capability",
    text: "Capabilities are plain data, complete, frozen, and the same from the moment the store is made to its end.",
  },
  { id: "capability.kept", verb: "capability", text: "What is declared is kept: natively or emulated, with the same result." },
  {
    id: "consistency.declared",
    verb: "capability",
    text: "Changes are seen at once where consistency is strong, else within `settleMs`; by other connections too.",
  },
  { id: "cost.declared", verb: "capability", text: "No operation makes more requests than its provider says, and a range moves no more bytes than its own." },

  {
    id: "error.signal",
    verb: "error",
    text: "A signal that fired before the call makes no request: `aborted`, or `timeout` where its reason is a TimeoutError.",
  },
  { id: "error.code", verb: "error", text: "Each failure has the code that the contract gives it, on every verb alike." },
  {
    id: "error.facts",
    verb: "error",
    text: "Errors name store, operation and the path of the call that was made, say whether it was applied, and hold no secret; they never change once thrown.",
  },
  {
    id: "error.asked",
    verb: "error",
    text: "A change that has only asked so far (every request of it a GET, HEAD, OPTIONS or PROPFIND, earlier tries included) has changed nothing: however it fails, `applied` is false.",
  },
  {
    id: "error.doubt",
    verb: "error",
    text: 'Of a change that takes many requests one without an answer leaves the whole in doubt: `applied` is "unknown", with `partial` where some of it was done, never "partly".',
  },
  { id: "error.unchanged", verb: "error", text: "A call that is refused changes nothing." },
  { id: "error.unavailable", verb: "error", text: "What cannot be reached is `unavailable` and transient, never `not-found`." },
  { id: "errors.retry-after", verb: "error", text: "What the service says about when to come back is `retryAfterMs`." },
  { id: "signal.honoured", verb: "error", text: "The signal of a call ends it wherever it waits, and what it held is let go of." },
  {
    id: "wire.honest",
    verb: "error",
    text: "Whatever happens to a request on its way: the result is right, or a typed error says so; never wrong bytes, never a false success, nothing left behind.",
  },

  {
    id: "life.open",
    verb: "life",
    text: "`open` does the local work of the first operation, once; without it the first operation does. One that fails leaves nothing open, and the next call tries again.",
  },
  {
    id: "life.close",
    verb: "life",
    text: "`close` waits for running calls, brings what was acknowledged to the bottom, closes what it wraps, and may be called twice; its signal ends the waiting.",
  },
  { id: "close.ends", verb: "life", text: "After `close` no connection, timer or file of the store is left." },
  { id: "life.closed", verb: "life", text: "Later calls reject with `closed`." },
  { id: "life.closedBodies", verb: "life", text: "Open bodies end with `closed`." },
  { id: "life.reopen", verb: "life", text: "The same place opened again has what was there." },
  { id: "life.reconnect", verb: "life", text: "`reconnect` obtains connections and credentials anew, and calls go on." },
  { id: "life.settings", verb: "life", text: 'Settings are read and changed at run time; a wrong one is `config` and changes nothing; secrets read "***".' },
  { id: "life.text", verb: "life", text: "toString names the stack with its parameters and without secrets." },
  {
    id: "leaks.none",
    verb: "life",
    text: "Nothing is left in the process or at the service after a call, however it ended: no socket, timer, temporary file, open upload.",
  },

  {
    id: "layer.transparent",
    verb: "layer",
    text: "A layer that changes nothing is not seen: same results, same error codes, same capabilities, applied once or twice.",
  },
  { id: "layer.calls", verb: "layer", text: "A layer sees every call, its body and its end, exactly once, with all members of the call." },
  { id: "layer.paths", verb: "layer", text: "A layer that changes paths shows none of its own: entries and errors name the path that the caller asked for." },
  { id: "layer.owned", verb: "layer", text: "A layer owns what it wraps: a store is wrapped once, closing the layer closes it, and borrow closes nothing." },
  { id: "model.equal", verb: "layer", text: "Any program of calls gives what the reference model of this contract gives under the declared capabilities." },
];
