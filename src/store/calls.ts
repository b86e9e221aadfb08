/** Makes call objects from paths and options, as the front does. For wrappers that call their inner store on their own account. */
import { toSource, withRules } from "./body.ts";
import type { Body } from "./body.ts";
import { checkFlag, checkHashes, checkMetadata, checkRange, checkSignal, checkSize, checkText, checkTime, knownOptions } from "./check-options.ts";
import type { AccountCall, CopyCall, DeleteCall, ListCall, MkdirCall, MoveCall, ReadCall, SpaceCall, StatCall, WriteCall } from "./operations.ts";
import type { CallOptions, CopyOptions, DeleteOptions, ListOptions, MkdirOptions, ReadOptions, StatOptions, WriteOptions } from "./options.ts";
import { root } from "./path.ts";
import type { StorePath } from "./path.ts";
import type { BodyRules, Source } from "./source.ts";

const NONE = {};
const known = (...names: string[]): ReadonlySet<string> => new Set(["signal", ...names]);
const PLAIN = known();
const STAT = known("fresh", "detail");
const READ = known("fresh", "range", "ifMatch", "ifNoneMatch");
const WRITE = known("ifAbsent", "ifMatch", "size", "modifiedMs", "contentType", "metadata", "expect", "onProgress");
const LIST = known("fresh", "recursive", "cursor", "ifNoneMatch");
const DELETE = known("recursive", "ifMatch");
const MKDIR = known("existOk");
const COPY = known("ifAbsent");

function stat(path: StorePath, options: StatOptions = NONE): StatCall {
  knownOptions(options, STAT, "stat");
  const { detail } = options;
  if (detail !== undefined && detail !== "basic" && detail !== "full") throw new TypeError('detail is "basic" or "full"');
  return { operation: "stat", path, signal: checkSignal(options.signal), detail: detail ?? "full", fresh: checkFlag(options.fresh, "fresh") };
}

function read(path: StorePath, options: ReadOptions = NONE): ReadCall {
  knownOptions(options, READ, "read");
  return {
    operation: "read",
    path,
    signal: checkSignal(options.signal),
    fresh: checkFlag(options.fresh, "fresh"),
    range: checkRange(options.range),
    ifMatch: checkText(options.ifMatch, "ifMatch"),
    ifNoneMatch: checkText(options.ifNoneMatch, "ifNoneMatch"),
  };
}

function write(path: StorePath, body: Body | Source, options: WriteOptions = NONE): WriteCall {
  const { ifAbsent, ifMatch, modifiedMs, contentType, metadata } = options;
  knownOptions(options, WRITE, "write");
  if (options.onProgress !== undefined && typeof options.onProgress !== "function") throw new TypeError("onProgress is a function");
  const call = {
    operation: "write" as const,
    path,
    signal: checkSignal(options.signal),
    ifAbsent: checkFlag(ifAbsent, "ifAbsent"),
    ifMatch: checkText(ifMatch, "ifMatch"),
    modifiedMs: checkTime(modifiedMs),
    contentType: checkText(contentType, "contentType"),
    metadata: checkMetadata(metadata),
    expect: checkHashes(options.expect),
  };
  if (call.ifAbsent && call.ifMatch !== undefined) throw new TypeError("ifAbsent and ifMatch exclude each other");
  const rules: BodyRules = { size: checkSize(options.size), expect: call.expect, signal: call.signal, onProgress: options.onProgress };
  return { ...call, body: isSource(body) ? sourceWith(body, rules) : toSource(body, rules) };
}

/** The call of another layer goes on with its own Source, which has been checked against the same `expect` already. */
function sourceWith(source: Source, rules: BodyRules): Source {
  return rules.size === undefined && rules.expect === undefined && rules.onProgress === undefined ? source : withRules(source, rules);
}

function isSource(body: Body | Source): body is Source {
  return typeof body === "object" && body !== null && "replayable" in body && "inMemory" in body;
}

function list(path: StorePath, options: ListOptions & { readonly cursor?: unknown; readonly ifNoneMatch?: string | undefined } = NONE): ListCall {
  knownOptions(options, LIST, "list");
  return {
    operation: "list",
    path,
    signal: checkSignal(options.signal),
    fresh: checkFlag(options.fresh, "fresh"),
    recursive: checkFlag(options.recursive, "recursive"),
    cursor: options.cursor ?? undefined,
    ifNoneMatch: checkText(options.ifNoneMatch, "ifNoneMatch"),
  };
}

function del(path: StorePath, options: DeleteOptions = NONE): DeleteCall {
  knownOptions(options, DELETE, "delete");
  return {
    operation: "delete",
    path,
    signal: checkSignal(options.signal),
    recursive: checkFlag(options.recursive, "recursive"),
    ifMatch: checkText(options.ifMatch, "ifMatch"),
  };
}

function mkdir(path: StorePath, options: MkdirOptions = NONE): MkdirCall {
  knownOptions(options, MKDIR, "mkdir");
  return { operation: "mkdir", path, signal: checkSignal(options.signal), existOk: checkFlag(options.existOk, "existOk") };
}

function copy(path: StorePath, to: StorePath, options: CopyOptions = NONE): CopyCall {
  knownOptions(options, COPY, "copy");
  return { operation: "copy", path, signal: checkSignal(options.signal), to, ifAbsent: checkFlag(options.ifAbsent, "ifAbsent") };
}

function move(path: StorePath, to: StorePath, options: CopyOptions = NONE): MoveCall {
  knownOptions(options, COPY, "move");
  return { operation: "move", path, signal: checkSignal(options.signal), to, ifAbsent: checkFlag(options.ifAbsent, "ifAbsent") };
}

function space(options: CallOptions = NONE): SpaceCall {
  knownOptions(options, PLAIN, "space");
  return { operation: "space", path: root, signal: checkSignal(options.signal) };
}

function account(options: CallOptions = NONE): AccountCall {
  knownOptions(options, PLAIN, "account");
  return { operation: "account", path: root, signal: checkSignal(options.signal) };
}

/** Makes calls from paths and options, as the front does. For wrappers that call their inner store on their own account. */
export const calls: {
  stat(path: StorePath, options?: StatOptions): StatCall;
  read(path: StorePath, options?: ReadOptions): ReadCall;
  write(path: StorePath, body: Body | Source, options?: WriteOptions): WriteCall;
  list(path: StorePath, options?: ListOptions & { readonly cursor?: unknown; readonly ifNoneMatch?: string | undefined }): ListCall;
  delete(path: StorePath, options?: DeleteOptions): DeleteCall;
  mkdir(path: StorePath, options?: MkdirOptions): MkdirCall;
  copy(path: StorePath, to: StorePath, options?: CopyOptions): CopyCall;
  move(path: StorePath, to: StorePath, options?: CopyOptions): MoveCall;
  space(options?: CallOptions): SpaceCall;
  account(options?: CallOptions): AccountCall;
} = { stat, read, write, list, delete: del, mkdir, copy, move, space, account };
