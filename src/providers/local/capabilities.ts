/** What local disk can do, as data. */
import type { Capabilities } from "../../store/index.ts";
import { TEMPORARY_BYTES } from "./names.ts";
import type { Profile } from "./profiles.ts";

export interface DiskTraits {
  readonly profile: Profile;
  readonly caseSensitive: boolean;
  readonly normalisation: Capabilities["normalisation"];
  readonly hardLinks: boolean;
}

/** No conditions on an etag for changes: another process could come in between. No hashes: they cost more than the work. */
export function capabilitiesOf({ profile, caseSensitive, normalisation, hardLinks }: DiskTraits, directory: string): Partial<Capabilities> {
  return {
    mkdir: "native",
    copy: "native",
    move: "native",
    space: "native",
    account: "native",
    readRange: "native",
    readSuffix: "native",
    readIfMatch: "native",
    readIfNoneMatch: "native",
    writeIfAbsent: hardLinks ? "native" : false,
    writeUnknownSize: "native",
    writeModified: "native",
    listRecursive: "emulated",
    deleteRecursive: "native",
    copyTree: "emulated",
    copyIfAbsent: hardLinks ? "native" : false,
    moveTree: "native",
    moveIfAbsent: hardLinks ? "native" : false,
    etag: true,
    listComplete: true,
    modifiedPrecisionMs: 1,
    caseSensitive,
    normalisation,
    maxNameBytes: profile.maxNameBytes,
    // Room for a temporary name in the place of a shorter one.
    maxPathBytes: profile.maxNativePathBytes - Buffer.byteLength(directory) - TEMPORARY_BYTES - 1,
    directories: "real",
    atomicWrites: "native",
    emptyOnlyDelete: "native",
    exclusiveMkdir: true,
    afterlifeMs: 0,
    concurrency: 8,
  };
}
