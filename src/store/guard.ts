/** The capabilities of a store, enforced: at the front for callers, and at each boundary between layers for wrappers. */
import type { Backend } from "./backend.ts";
import type { Capabilities, SupportKey } from "./capabilities.ts";
import { StoreError } from "./errors.ts";
import type { Call } from "./operations.ts";
import { nameOf, root } from "./path.ts";
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
      if (!capabilities.filesAtRoot && call.path !== root && call.path.lastIndexOf("/") === 0) throw new StoreError("invalid-path", "files cannot lie in the root");
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
  checkNames(call.path, capabilities);
  if (call.operation === "copy" || call.operation === "move") checkNames(call.to, capabilities);
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

/** What a layer finds below itself: its inner backend, which refuses what it does not declare. */
export function guarded(inner: Backend): Backend {
  const { capabilities } = inner;
  return uniform(inner, {
    around(call, next) {
      try {
        refuse(call, capabilities);
      } catch (error) {
        return Promise.reject(error);
      }
      return next(call);
    },
  });
}
