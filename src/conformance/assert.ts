/**
 * What checks assert with: every function throws a CheckFailure that says what must hold, what was expected and what was found.
 *
 *   const content = pattern(70_000, "a.bin");
 *   await store.write("/a.bin", content);
 *   sameBytes(await readAll(store, "/a.bin"), content, "what was written is what is read");
 *   await rejects("not-found", () => store.stat("/b.bin"), "stat of a missing file");
 */
import { isDeepStrictEqual } from "node:util";
import { StoreError } from "../store/index.ts";
import type { Entry, ErrorCode, ListOptions, ReadOptions, Store } from "../store/index.ts";
import { CheckFailure } from "./failure.ts";
import { show, showBytes } from "./show.ts";

/** @throws CheckFailure always. For branches that must not be reached. */
export function fail(what: string, expected: unknown = "", actual: unknown = "", cause?: unknown): never {
  throw new CheckFailure(what, typeof expected === "string" ? expected : show(expected), typeof actual === "string" ? actual : show(actual), cause);
}

/** Deep and strict equality. Bytes go to `sameBytes`. */
export function equal<T>(actual: T, expected: T, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) throw new CheckFailure(what, show(expected), show(actual));
}

/** `value` is true (or truthy); `found` is shown when it is not. */
export function ok(value: unknown, what: string, found?: unknown): asserts value {
  if (value) return;
  throw new CheckFailure(what, found === undefined ? "" : "the above to hold", found === undefined ? "" : show(found));
}

/** Byte for byte, with the first difference in the message: shifted, cut, zero-filled and foreign content read differently. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const length = Math.min(actual.length, expected.length);
  let at = 0;
  // Compared in one native call first: a check of 70 MB must not spend its time in a loop.
  if (actual.length === expected.length && Buffer.compare(actual, expected) === 0) return;
  while (at < length && actual[at] === expected[at]) at += 1;
  throw new CheckFailure(
    `${what} (${actual.length} of ${expected.length} bytes, first difference at byte ${at})`,
    `${expected.length} bytes, ${showBytes(expected, at)}`,
    `${actual.length} bytes, ${showBytes(actual, at)}`,
  );
}

/**
 * The promise, or what the function returns, rejects with a StoreError of one of these codes; gives that error for further looks. The error must
 * be complete: store, operation and path are named, the message begins with them, and it is an Error that an application can log.
 */
export async function rejects(codes: ErrorCode | readonly ErrorCode[], action: Promise<unknown> | (() => unknown), what: string): Promise<StoreError> {
  const wanted = typeof codes === "string" ? [codes] : codes;
  const expected = `a StoreError with code ${wanted.join(" or ")}`;
  let promise: Promise<unknown>;
  try {
    promise = typeof action === "function" ? Promise.resolve(action()) : action;
  } catch (error) {
    throw new CheckFailure(what, `${expected}, as a rejected promise`, `thrown synchronously: ${show(error)}`, error);
  }
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (!StoreError.is(error)) throw new CheckFailure(what, expected, show(error), error);
    if (!wanted.includes(error.code)) throw new CheckFailure(what, expected, show(error), error);
    complete(error, what);
    return error;
  }
  await dispose(value);
  throw new CheckFailure(what, expected, `success: ${show(value)}`);
}

/** The action rejects or throws with a TypeError: for arguments that the types forbid. */
export async function rejectsType(action: () => unknown, what: string): Promise<void> {
  let value: unknown;
  try {
    value = await action();
  } catch (error) {
    if (error instanceof TypeError) return;
    throw new CheckFailure(what, "a TypeError", show(error), error);
  }
  await dispose(value);
  throw new CheckFailure(what, "a TypeError", `success: ${show(value)}`);
}

/** What every error of a store owes its reader, whatever its code. */
export function complete(error: StoreError, what: string): void {
  ok(error instanceof Error, `${what}: the error is an Error`, error);
  ok(error.store !== null && error.store !== "", `${what}: the error names its store`, error);
  ok(error.operation !== null, `${what}: the error names its operation`, error);
  const withPath = !["open", "reconnect", "close"].includes(error.operation);
  if (!withPath) return;
  ok(error.path !== null, `${what}: the error names its path`, error);
  ok(error.message.includes(error.reason) && error.message.includes(error.operation), `${what}: the message holds operation and reason`, error.message);
  // Control characters and spaces are quoted, long paths are cut: the message is one readable line.
  const escaped = (text: string): string =>
    text
      .replace(/[^\x20-\x7e]/g, "")
      .replace(/\\(?:u[0-9a-f]{4}|[bfnrt])/g, "")
      .replaceAll("\\", "");
  ok(
    error.message.includes(error.path.slice(0, 100)) || escaped(error.message).includes(escaped(error.path).slice(0, 100)),
    `${what}: the message holds the path`,
    error.message,
  );
}

/** A whole listing, in the order of the store. */
export function listAll(store: Store, dir: string, options?: ListOptions): Promise<Entry[]> {
  return store.list(dir, options).toArray();
}

/** All bytes of a file or of a range of it. */
export async function readAll(store: Store, path: string, options?: ReadOptions): Promise<Uint8Array> {
  await using result = await store.read(path, options);
  return await result.bytes();
}

async function dispose(value: unknown): Promise<void> {
  if (typeof value === "object" && value !== null && Symbol.asyncDispose in value) await (value as AsyncDisposable)[Symbol.asyncDispose]();
}

export { broken, chunked, endless, pieces, probed, recorded } from "./bodies.ts";
export type { ProbedBody } from "./bodies.ts";
export { CheckFailure } from "./failure.ts";
export { byCodePoint, names, paths } from "./names.ts";
export { binary, pattern, patternStream, verifyPattern } from "./pattern.ts";
export { show } from "./show.ts";
export { sameTree, snapshot } from "./snapshot.ts";
export type { Snapshot } from "./snapshot.ts";
