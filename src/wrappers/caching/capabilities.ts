/** What the layer promises, from what the remote does. */
import type { Capabilities } from "../../store/index.ts";
import type { CacheSettings } from "./options.ts";

export function capabilitiesOver(remote: Capabilities, { mode, unknownPaths }: Pick<CacheSettings, "mode" | "unknownPaths">): Capabilities {
  const base: Capabilities = {
    ...remote,
    readRange: remote.readRange === false ? "emulated" : remote.readRange,
    readSuffix: remote.readSuffix === false ? "emulated" : remote.readSuffix,
    // A listing is put together from two sources: in no order, and with an etag of neither.
    listSorted: false,
    listIfNoneMatch: false,
    // Hashes that were computed here are told; an entry of a listing may be one of ours.
    exclusiveMkdir: false,
    // The view is a tree, whatever the service has.
    strictHierarchy: remote.strictHierarchy || (unknownPaths === "ask" && mode !== "read-only"),
    concurrency: 64,
  };
  if (mode !== "read-only") return { ...base, writeUnknownSize: remote.write === false ? false : "native", maxUnknownBytes: remote.maxFileBytes };
  return {
    ...base,
    write: false,
    delete: false,
    mkdir: false,
    copy: false,
    move: false,
    writeIfAbsent: false,
    writeIfMatch: false,
    writeUnknownSize: false,
    writeModified: false,
    writeContentType: false,
    writeMetadata: false,
    deleteRecursive: false,
    deleteIfMatch: false,
    copyTree: false,
    copyIfAbsent: false,
    moveTree: false,
    moveIfAbsent: false,
    writeExpect: [],
  };
}
