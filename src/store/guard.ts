/** The capabilities of a store, enforced: at the front for callers, and at each boundary between layers for wrappers. */
import type { Backend } from "./backend.ts";
import { calls } from "./calls.ts";
import type { Capabilities, SupportKey } from "./capabilities.ts";
import type { Entry } from "./entry.ts";
import { StoreError } from "./errors.ts";
import type { Call, CopyCall, MkdirCall, MoveCall } from "./operations.ts";
import { isInside, nameOf, root } from "./path.ts";
import type { StorePath } from "./path.ts";
import { uniform } from "./uniform.ts";

/** Throws `unsupported`, `invalid-path` or `too-large` for what the capabilities do not allow. Nothing has been asked of the service by then. */
export function refuse(call: Call, capabilities: Capabilities): void {
  switch (call.operation) {
    case "stat":
      break;
    case "read":
      need("read", capabilities);
      if (call.range !== undefined) need(call.range.offset < 0 ? "readSuffix" : "readRange", capabilities);
      if (call.ifMatch !== undefined) need("readIfMatch", capabilities);
      if (call.ifNoneMatch !== undefined) need("readIfNoneMatch", capabilities);
      break;
    case "write": {
      need("write", capabilities);
      if (call.ifAbsent) need("writeIfAbsent", capabilities);
      if (call.ifMatch !== undefined) need("writeIfMatch", capabilities);
      if (call.modifiedMs !== undefined) need("writeModified", capabilities);
      if (call.contentType !== undefined) need("writeContentType", capabilities);
      if (call.metadata !== undefined) {
        need("writeMetadata", capabilities);
        let bytes = 0;
        for (const [key, value] of Object.entries(call.metadata)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
        if (bytes > capabilities.maxMetadataBytes)
          throw new StoreError("too-large", `the metadata has ${bytes} bytes; at most ${capabilities.maxMetadataBytes} are kept`, { applied: false });
      }
      const { size } = call.body;
      if (size === null) need("writeUnknownSize", capabilities);
      else if (size > capabilities.maxFileBytes)
        throw new StoreError("too-large", `the body has ${size} bytes; a file has at most ${capabilities.maxFileBytes}`, { applied: false });
      else if (size > capabilities.maxConditionalBytes && (call.ifAbsent || call.ifMatch !== undefined))
        throw new StoreError("too-large", `the body has ${size} bytes; a write with a condition has at most ${capabilities.maxConditionalBytes}`, {
          applied: false,
        });
      // The root itself is answered as what it is: a directory.
      if (!capabilities.filesAtRoot && call.path !== root && call.path.lastIndexOf("/") === 0)
        throw new StoreError("invalid-path", "files cannot lie in the root");
      break;
    }
    case "list":
      need("list", capabilities);
      if (call.recursive) need("listRecursive", capabilities);
      if (call.ifNoneMatch !== undefined) need("listIfNoneMatch", capabilities);
      break;
    case "delete":
      need("delete", capabilities);
      if (call.recursive) need("deleteRecursive", capabilities);
      if (call.ifMatch !== undefined) need("deleteIfMatch", capabilities);
      break;
    case "mkdir":
      need("mkdir", capabilities);
      break;
    case "copy":
      need("copy", capabilities);
      if (call.ifAbsent) need("copyIfAbsent", capabilities);
      break;
    case "move":
      need("move", capabilities);
      if (call.ifAbsent) need("moveIfAbsent", capabilities);
      break;
    case "space":
    case "account":
      need(call.operation, capabilities);
      return;
  }
  checkPlace(call);
  checkNames(call.path, capabilities);
  if (call.operation === "copy" || call.operation === "move") checkNames(call.to, capabilities);
}

/** What no store does: change the root, or put a directory into itself. */
function checkPlace(call: Call): void {
  switch (call.operation) {
    case "write":
      if (call.path === root) throw new StoreError("is-a-directory", "the root is a directory");
      break;
    case "delete":
      if (call.path === root) throw new StoreError("invalid-path", "the root cannot be deleted");
      break;
    case "copy":
    case "move":
      if (call.path === root || call.to === root) throw new StoreError("invalid-path", "the root cannot be copied, moved or replaced");
      if (call.path !== call.to && isInside(call.to, call.path)) throw new StoreError("invalid-path", "a directory cannot go into itself");
  }
}

/** Calls that need no change: onto itself nothing happens, and the root is there. Undefined: ask the service. */
export function answered(call: MkdirCall | CopyCall | MoveCall, backend: Backend): Promise<Entry> | undefined {
  const { path, signal } = call;
  if (path !== (call.operation === "mkdir" ? root : call.to)) return undefined;
  if (call.operation === "mkdir") {
    if (!call.existOk) return Promise.reject(new StoreError("already-exists", "the root is always there"));
    return backend.stat(calls.stat(root, { signal }));
  }
  return backend.stat(calls.stat(path, { signal, fresh: true })).then((entry) => {
    if (call.ifAbsent) throw new StoreError("already-exists", "something is at the target", { entry });
    return entry;
  });
}

function need(key: SupportKey, capabilities: Capabilities): void {
  if (capabilities[key] === false) throw new StoreError("unsupported", `this store does not support ${key}`, { applied: false });
}

/** Lengths are compared in UTF-16 units first: a string of n units has at most 3n bytes. */
function checkNames(path: StorePath, { maxPathBytes, maxNameBytes, forbidden }: Capabilities): void {
  if (path.length * 3 > maxPathBytes && Buffer.byteLength(path) > maxPathBytes)
    throw new StoreError("invalid-path", `a path has at most ${maxPathBytes} bytes here`);
  if (path.length * 3 > maxNameBytes) {
    // The names above the last one as well: parents are created.
    if (Buffer.byteLength(nameOf(path)) > maxNameBytes || path.split("/").some((name) => Buffer.byteLength(name) > maxNameBytes))
      throw new StoreError("invalid-path", `a name has at most ${maxNameBytes} bytes here`);
  }
  if (forbidden !== "")
    for (const char of forbidden) if (path.includes(char)) throw new StoreError("invalid-path", "the name holds a character that this service cannot keep");
}

function refusedBy(capabilities: Capabilities, call: Call): Promise<never> | undefined {
  try {
    refuse(call, capabilities);
    return undefined;
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What a layer finds below itself: its inner backend, which refuses what it does not declare. */
export function guarded(inner: Backend): Backend {
  const { capabilities } = inner;
  return uniform(inner, {
    around(call, next) {
      return refusedBy(capabilities, call) ?? next(call);
    },
    mkdir: (call, next) => refusedBy(capabilities, call) ?? answered(call, inner) ?? next(call),
    copy: (call, next) => refusedBy(capabilities, call) ?? answered(call, inner) ?? next(call),
    move: (call, next) => refusedBy(capabilities, call) ?? answered(call, inner) ?? next(call),
  });
}
