/** Capabilities: plain data that says beforehand what a store can do, and how. */
import type { HashName } from "./entry.ts";

/**
 * native: the service does it. emulated: the same result with more requests or more bytes, never a weaker one. false: refused with `unsupported`.
 * A condition that cannot be kept against other clients is not emulated, it is false: what says otherwise may be used for locks.
 */
export type Support = "native" | "emulated" | false;

/**
 * Plain data, complete, fixed when the store is made (from options, never from probing). Enforced at every boundary between layers,
 * for callers and wrappers alike. Keys are verb + option; the conformance report has one row per key.
 */
export interface Capabilities {
  readonly read: Support;
  readonly write: Support;
  readonly list: Support;
  readonly delete: Support;
  readonly mkdir: Support;
  readonly copy: Support;
  readonly move: Support;
  readonly space: Support;
  readonly account: Support;

  readonly readRange: Support;
  readonly readSuffix: Support;
  readonly readIfMatch: Support;
  readonly readIfNoneMatch: Support;
  readonly writeIfAbsent: Support;
  readonly writeIfMatch: Support;
  /** A body of unknown size; emulated by spooling it first. */
  readonly writeUnknownSize: Support;
  readonly writeModified: Support;
  readonly writeContentType: Support;
  readonly writeMetadata: Support;
  readonly listRecursive: Support;
  readonly listIfNoneMatch: Support;
  readonly deleteRecursive: Support;
  readonly deleteIfMatch: Support;
  readonly copyTree: Support;
  readonly copyIfAbsent: Support;
  readonly moveTree: Support;
  readonly moveIfAbsent: Support;

  /** Entries of files carry an etag, in every answer. */
  readonly etag: boolean;
  /** Hashes on the entries of `stat`. */
  readonly hashes: readonly HashName[];
  /** Hashes the service itself checks on write, beyond the check that every `expect` gets on the way in. */
  readonly writeExpect: readonly HashName[];
  /** Entries of listings are complete. */
  readonly listComplete: boolean;
  /** Listings come in code-point order of the names (recursive: of the paths). */
  readonly listSorted: boolean;
  /** Null: no modified time at all. */
  readonly modifiedPrecisionMs: number | null;
  /** Two different names are two files, unless these two say that the service folds them. */
  readonly caseSensitive: boolean;
  readonly normalisation: "kept" | "nfc" | "nfd" | "nfkc";
  /** Characters that no name may hold, beyond "/" and NUL. */
  readonly forbidden: string;
  readonly maxNameBytes: number;
  readonly maxPathBytes: number;
  readonly maxFileBytes: number;
  readonly maxMetadataBytes: number;
  /** Body sizes at which uploads change their way (parts, sessions). The suite writes each, one less and one more. */
  readonly sizeSteps: readonly number[];
  /** A file and a directory of one name cannot coexist, and a file cannot be a parent. False only for flat key stores (reference/providers.md 1.5). */
  readonly strictHierarchy: boolean;
  /** real: a directory stays until it is deleted. implied: one that nobody made by `mkdir` exists only while something lies below it (flat key stores). */
  readonly directories: "real" | "implied";
  /** Files may lie directly in the root. */
  readonly filesAtRoot: boolean;
  /** native: readers see the old or the new file, whatever happens. emulated: temporary name, then the service's own replace; others may briefly find nothing. false: a failed write may leave a cut file. */
  readonly atomicWrites: Support;
  /** A directory is deleted without `recursive` only if it is empty. native: a child made in between survives (the service refuses, or keeps it). emulated: looked at first; a child made in between is deleted too. */
  readonly emptyOnlyDelete: "native" | "emulated";
  /** Of racing `mkdir` calls exactly one succeeds. */
  readonly exclusiveMkdir: boolean;
  /** Larger writes with a condition are refused. */
  readonly maxConditionalBytes: number;
  /** Largest body of unknown size. */
  readonly maxUnknownBytes: number;
  /** What `delete` leaves to come back to. */
  readonly undelete: "trash" | "versions" | false;
  /** eventual: a change may show up to `settleMs` late (0 where both are strong). A provider hides nothing of it; caches complete answers with their own changes. */
  readonly consistency: { readonly read: "strong" | "eventual"; readonly list: "strong" | "eventual"; readonly settleMs: number };
  /** How long a request whose answer was lost may still overtake a later call of the same client: idle time-outs of client, proxies and service together. 0: it ends with the process (memory, local disk). */
  readonly afterlifeMs: number;
  /** How many calls at once serve this store best. A layer that groups calls names thousands, and holds back bodies it has no room for. */
  readonly concurrency: number;
}

/** The capabilities that are a `Support` with a refusal: those a call can be refused for. */
export type SupportKey = {
  [K in keyof Capabilities]: Capabilities[K] extends Support ? (false extends Capabilities[K] ? (K extends "atomicWrites" ? never : K) : never) : never;
}[keyof Capabilities];
