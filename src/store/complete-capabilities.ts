/** What a provider left out of its capabilities, by the rules written on Provider. */
import type { Capabilities, Support } from "./capabilities.ts";
import { StoreError } from "./errors.ts";
import type { Provider } from "./provider.ts";

export function completeCapabilities(provider: Provider): Capabilities {
  const said = provider.capabilities;
  const { mkdir, copy, move, space, account } = provider;
  const methods: readonly (readonly [keyof Capabilities, unknown])[] = [
    ["mkdir", mkdir],
    ["copy", copy],
    ["move", move],
    ["space", space],
    ["account", account],
  ];
  for (const [key, method] of methods) {
    if (said[key] === "native" && method === undefined)
      throw new StoreError("config", `the provider declares ${key} native and has no such method`, { store: provider.kind });
    // Only copies and moves can be made of the other operations.
    if (said[key] === "emulated" && method === undefined && key !== "copy" && key !== "move")
      throw new StoreError("config", `the provider declares ${key} emulated and has no such method`, { store: provider.kind });
    if (said[key] === false && method !== undefined)
      throw new StoreError("config", `the provider has a method ${key} and declares it false`, { store: provider.kind });
  }
  const byMethod = (method: unknown, otherwise: Support): Support => (method === undefined ? otherwise : "native");
  const etag = said.etag ?? false;
  const makesDirectories = (said.mkdir ?? byMethod(mkdir, false)) !== false;
  const copies = said.copy ?? byMethod(copy, said.read === false || said.write === false ? false : "emulated");
  const moves = said.move ?? byMethod(move, copies === false || said.delete === false ? false : "emulated");
  // A copy that is a write can be as exclusive as the write; a tree only where its directory can be made exclusively.
  const exclusiveCopy: Support =
    copies === "emulated" && (said.writeIfAbsent ?? false) !== false && (!makesDirectories || said.exclusiveMkdir === true) ? "emulated" : false;
  const complete: Capabilities = {
    read: "native",
    write: "native",
    list: "native",
    delete: "native",
    mkdir: byMethod(mkdir, false),
    copy: copies,
    move: moves,
    space: byMethod(space, false),
    account: byMethod(account, false),
    readRange: "emulated",
    readSuffix: "emulated",
    readIfMatch: etag ? "emulated" : false,
    readIfNoneMatch: etag ? "emulated" : false,
    writeIfAbsent: false,
    writeIfMatch: false,
    writeUnknownSize: "emulated",
    writeModified: false,
    writeContentType: false,
    writeMetadata: false,
    listRecursive: "emulated",
    listIfNoneMatch: false,
    deleteRecursive: "emulated",
    deleteIfMatch: false,
    copyTree: copies !== false && makesDirectories ? "emulated" : false,
    copyIfAbsent: exclusiveCopy,
    moveTree: moves !== false && copies !== false && makesDirectories ? "emulated" : false,
    moveIfAbsent: moves === "emulated" ? exclusiveCopy : false,
    etag,
    hashes: [],
    writeExpect: [],
    listComplete: false,
    listSorted: false,
    modifiedPrecisionMs: null,
    caseSensitive: true,
    normalisation: "kept",
    forbidden: "",
    maxNameBytes: Infinity,
    maxPathBytes: Infinity,
    maxFileBytes: Infinity,
    maxMetadataBytes: 0,
    sizeSteps: [],
    strictHierarchy: true,
    directories: makesDirectories ? "real" : "implied",
    filesAtRoot: true,
    atomicWrites: false,
    emptyOnlyDelete: "emulated",
    exclusiveMkdir: false,
    maxConditionalBytes: Infinity,
    maxUnknownBytes: Infinity,
    undelete: false,
    consistency: { read: "strong", list: "strong", settleMs: 0 },
    afterlifeMs: 60_000,
    concurrency: 8,
  };
  for (const [key, value] of Object.entries(said))
    if (!meansSomething(complete, key, value))
      throw new StoreError("config", `the provider declares ${key}: ${JSON.stringify(value)}, which means nothing`, { store: provider.kind });
  return frozen({ ...complete, ...withoutUndefined(said) });
}

const FLAGS: ReadonlySet<string> = new Set<keyof Capabilities>([
  "etag",
  "listComplete",
  "listSorted",
  "caseSensitive",
  "strictHierarchy",
  "filesAtRoot",
  "exclusiveMkdir",
]);

/** For authors whose compiler did not look: a capability of another name, or one that is `true`, would be taken for something else. */
function meansSomething(complete: Capabilities, key: string, value: unknown): boolean {
  if (value === undefined) return true;
  if (!Object.hasOwn(complete, key)) return false;
  const usual: unknown = complete[key as keyof Capabilities];
  if (FLAGS.has(key)) return typeof value === "boolean";
  if (key === "undelete") return value === "trash" || value === "versions" || value === false;
  if (typeof usual === "number" || usual === null) return value === usual || (typeof value === "number" && value >= 0);
  if (usual === false || usual === "native" || usual === "emulated") return value === "native" || value === "emulated" || value === false;
  return typeof value === typeof usual;
}

function withoutUndefined(said: Partial<Capabilities>): Partial<Capabilities> {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** Nobody changes them for others: not through a list that the provider shares between its stores either. */
function frozen(complete: Capabilities): Capabilities {
  const { hashes, writeExpect, sizeSteps, consistency } = complete;
  return Object.freeze({
    ...complete,
    hashes: Object.freeze([...hashes]),
    writeExpect: Object.freeze([...writeExpect]),
    sizeSteps: Object.freeze([...sizeSteps]),
    consistency: Object.freeze({ ...consistency }),
  });
}
