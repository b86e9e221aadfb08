/** What the layer can do, from what the inner store can. */
import { StoreError } from "../../store/index.ts";
import type { Capabilities } from "../../store/index.ts";
import type { ArchiveSettings } from "./options.ts";

/** Longest path: each of its directories becomes a record with a path of its own, so that a deep one is much more than its own length. */
export const MAX_PATH_BYTES = 8192;
/** Headers, manifest and footer of a solo, at most. */
const OVERHEAD_BYTES = 1 << 20;

/** @throws StoreError `config`: the inner store lacks what archives are made of */
export function archiveCapabilities(inner: Capabilities, settings: Readonly<ArchiveSettings>): Capabilities {
  for (const verb of ["read", "write", "list", "delete"] as const)
    if (inner[verb] === false) throw new StoreError("config", `archive needs a store that can ${verb}`, { store: "archive" });
  const { smallBytes, maxBytes, maxMembers, refreshMs, settleMs } = settings;
  const maxFileBytes = inner.maxFileBytes - OVERHEAD_BYTES;
  if (maxFileBytes < maxBytes) throw new StoreError("config", "archive.maxBytes: the inner store does not hold files of this size", { store: "archive" });
  const strong = inner.consistency.list === "strong" && inner.consistency.read === "strong" && (refreshMs === 0 || refreshMs === Infinity);
  const range = inner.readRange === "native" ? "native" : "emulated";
  return Object.freeze<Capabilities>({
    read: "native",
    write: "native",
    list: "native",
    delete: "native",
    mkdir: "native",
    copy: "native",
    move: "native",
    space: inner.space,
    account: inner.account,
    readRange: range,
    readSuffix: range,
    readIfMatch: "native",
    readIfNoneMatch: "native",
    writeIfAbsent: false,
    writeIfMatch: false,
    writeUnknownSize: "emulated",
    writeModified: "native",
    writeContentType: "native",
    writeMetadata: "native",
    listRecursive: "native",
    listIfNoneMatch: false,
    deleteRecursive: "native",
    deleteIfMatch: false,
    copyTree: "native",
    copyIfAbsent: false,
    moveTree: "native",
    moveIfAbsent: false,
    etag: true,
    hashes: Object.freeze(["sha256" as const]),
    writeExpect: Object.freeze([]),
    listComplete: true,
    listSorted: true,
    modifiedPrecisionMs: 1,
    caseSensitive: true,
    normalisation: "kept",
    forbidden: "",
    maxNameBytes: MAX_PATH_BYTES - 1,
    maxPathBytes: MAX_PATH_BYTES,
    maxFileBytes,
    maxMetadataBytes: 8192,
    sizeSteps: Object.freeze([...new Set([smallBytes, maxBytes, ...inner.sizeSteps])].sort((a, b) => a - b)),
    strictHierarchy: true,
    directories: "real",
    filesAtRoot: true,
    // Half an object has no footer, and is no archive.
    atomicWrites: "native",
    emptyOnlyDelete: "native",
    exclusiveMkdir: false,
    maxConditionalBytes: 0,
    maxUnknownBytes: maxFileBytes,
    undelete: false,
    consistency: strong
      ? Object.freeze({ read: "strong", list: "strong", settleMs: 0 })
      : Object.freeze({ read: "eventual", list: "eventual", settleMs: (refreshMs === Infinity ? 0 : refreshMs) + settleMs }),
    afterlifeMs: inner.afterlifeMs,
    concurrency: 2 * maxMembers,
  });
}
