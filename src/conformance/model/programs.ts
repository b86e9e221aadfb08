/**
 * Programs over the whole Store interface, as data: made at random, run against a store and the oracle side by side, shrunk when they differ, and
 * kept as regressions.
 *
 *   { do: "write", on: 0, path: ["a", "b"], size: 17 }, { do: "move", on: 1, path: ["a"], to: ["b"] }, { do: "list", on: 0, path: [], recursive: true }
 *
 * A path is a list of names below a directory of the program's own; few names, so that programs meet what they made.
 */
import { StoreError, hasCode } from "../../store/index.ts";
import type { Capabilities, Entry, ErrorCode, Store, WriteOptions } from "../../store/index.ts";
import { CheckFailure, complete, equal, fail, listAll, pattern, readAll, sameBytes, show } from "../assert.ts";
import { broken, pieces, recorded } from "../bodies.ts";
import type { CheckContext } from "../check.ts";
import { Oracle } from "./oracle.ts";
import type { Condition, Known, Verdict } from "./oracle.ts";

type Path = readonly string[];
/** How a body comes: at once, in pieces of known or unknown size; or how it goes wrong. */
export type How = "bytes" | "pieces" | "unknown" | "fails" | "short" | "long" | "aborted" | "aborted before";
interface On {
  /** The connection: 0 or 1. */
  readonly on: 0 | 1;
}
export type Step =
  | (On & {
      readonly do: "write";
      readonly path: Path;
      readonly size: number;
      readonly how?: How;
      readonly ifAbsent?: true;
      readonly ifMatch?: "current" | "stale";
      readonly properties?: true;
    })
  | (On & { readonly do: "read"; readonly path: Path; readonly offset?: number; readonly length?: number; readonly take?: number })
  | (On & { readonly do: "stat"; readonly path: Path })
  | (On & { readonly do: "list"; readonly path: Path; readonly recursive?: true })
  | (On & { readonly do: "delete"; readonly path: Path; readonly recursive?: true; readonly ifMatch?: "current" | "stale" })
  | (On & { readonly do: "mkdir"; readonly path: Path; readonly existOk?: true })
  | (On & { readonly do: "copy" | "move"; readonly path: Path; readonly to: Path; readonly ifAbsent?: true })
  | { readonly do: "reopen" };
export type Program = readonly Step[];

const unsized = (how: How | undefined): boolean => how === "unknown" || how === "fails";

/** What a store must be able to do for a step; others are left out of its programs, since refusals are proved elsewhere. */
export function possible(step: Step, can: Capabilities): boolean {
  switch (step.do) {
    case "write":
      return (
        can.write !== false &&
        (step.ifAbsent === undefined || can.writeIfAbsent !== false) &&
        (step.ifMatch === undefined || (can.writeIfMatch !== false && can.etag)) &&
        (step.properties === undefined || (can.writeMetadata !== false && can.writeContentType !== false)) &&
        // Too large a body is another check's business. One that is one byte too long is not.
        step.size < Math.min(can.maxFileBytes, step.ifAbsent === undefined && step.ifMatch === undefined ? Infinity : can.maxConditionalBytes) &&
        (!unsized(step.how) || (can.writeUnknownSize !== false && step.size < can.maxUnknownBytes))
      );
    case "read":
      return step.offset === undefined || (step.offset < 0 ? can.readSuffix : can.readRange) !== false;
    case "list":
      return can.list !== false && (step.recursive === undefined || can.listRecursive !== false);
    case "delete":
      return (
        can.delete !== false &&
        (step.recursive === undefined || can.deleteRecursive !== false) &&
        (step.ifMatch === undefined || (can.deleteIfMatch !== false && can.etag))
      );
    case "mkdir":
      return can.mkdir !== false;
    case "copy":
      return can.copy !== false && (step.ifAbsent === undefined || can.copyIfAbsent !== false);
    case "move":
      return can.move !== false && (step.ifAbsent === undefined || can.moveIfAbsent !== false);
    default:
      return true;
  }
}

/** A program as a person reads it, one step per line, and as it is kept: JSON. */
export function printed(program: Program): string {
  return program.map((step) => JSON.stringify(step)).join(",\n");
}

export interface Ground {
  readonly t: CheckContext;
  /** The second connection. */
  readonly other: Store;
  /** A directory of this program's own, two levels deep, that is not there yet. */
  readonly base: string;
  /** Only where the subject reopens. */
  readonly reopen?: (() => Promise<Store>) | undefined;
}

/** Runs the steps that the store can do. @throws CheckFailure that names the step */
export async function runProgram(ground: Ground, program: Program): Promise<void> {
  const run = new Run(ground);
  for (const [index, step] of program.entries()) {
    if (!possible(step, ground.t.capabilities) || (step.do === "reopen" && ground.reopen === undefined)) continue;
    try {
      await run.step(step, index);
    } catch (error) {
      const at = `step ${index + 1} of ${program.length}, ${JSON.stringify(step)}`;
      if (error instanceof CheckFailure) throw new CheckFailure(`${at}: ${error.what}`, error.expected, error.actual, error);
      throw new CheckFailure(`${at}: it succeeds, and so does looking at what it left`, "success", show(error), error);
    }
  }
  await run.compare();
}

class Run {
  readonly #t: CheckContext;
  readonly #stores: [Store, Store];
  readonly #base: string;
  readonly #oracle: Oracle;
  readonly #reopen: (() => Promise<Store>) | undefined;

  constructor({ t, other, base, reopen }: Ground) {
    this.#t = t;
    this.#stores = [t.store, other];
    this.#base = base;
    this.#reopen = reopen;
    this.#oracle = new Oracle(t.capabilities);
  }

  async step(step: Step, index: number): Promise<void> {
    if (step.do === "reopen") {
      if (this.#reopen !== undefined) this.#stores[0] = await this.#reopen();
      return;
    }
    const store = this.#stores[step.on];
    const path = this.#at(step.path);
    const oracle = this.#oracle;
    switch (step.do) {
      case "stat": {
        const entry = await this.#question(oracle.stat(path), () => store.stat(path, { fresh: true }));
        if (entry !== undefined) this.#described(entry, path);
        return;
      }
      case "read": {
        const range =
          step.offset === undefined ? undefined : { offset: step.offset, ...(step.offset < 0 || step.length === undefined ? {} : { length: step.length }) };
        const verdict = oracle.read(path, range);
        const expected = verdict.bytes ?? new Uint8Array();
        const bytes = await this.#question(verdict, async () => {
          await using result = await store.read(path, { fresh: true, ...(range === undefined ? {} : { range }) });
          if (step.take === undefined) return await result.bytes();
          const chunks: Uint8Array[] = [];
          let taken = 0;
          for await (const chunk of result) {
            chunks.push(chunk.slice());
            taken += chunk.length;
            if (taken >= step.take) break;
          }
          return Buffer.concat(chunks);
        });
        if (bytes !== undefined) sameBytes(bytes, step.take === undefined ? expected : expected.subarray(0, bytes.length), "the bytes read");
        if (bytes !== undefined && step.take !== undefined && bytes.length < Math.min(step.take, expected.length))
          fail("as many bytes as were asked for", step.take, bytes.length);
        return;
      }
      case "list": {
        const verdict = oracle.list(path, step.recursive === true);
        await this.#question(verdict, async () =>
          this.#listed(await listAll(store, path, { fresh: true, recursive: step.recursive === true }), verdict.children ?? [], path),
        );
        return;
      }
      case "mkdir":
        await this.#change(oracle.mkdir(path, step.existOk === true), async () =>
          equal((await store.mkdir(path, { existOk: step.existOk === true })).kind, "directory", "what mkdir made"),
        );
        break;
      case "delete": {
        const ifMatch = step.ifMatch === undefined ? undefined : await this.#etag(store, path, step.ifMatch);
        const verdict = oracle.delete(path, { recursive: step.recursive === true, ifMatch: step.ifMatch });
        await this.#change(verdict, () => store.delete(path, { recursive: step.recursive === true, ...(ifMatch === undefined ? {} : { ifMatch }) }));
        break;
      }
      case "copy":
      case "move": {
        const to = this.#at(step.to);
        const verdict = oracle[step.do](path, to, step.ifAbsent === true);
        const entry = await this.#change(verdict, () => store[step.do](path, to, { ifAbsent: step.ifAbsent === true }));
        if (entry !== undefined && verdict.codes.length === 0) this.#described(entry, to);
        break;
      }
      case "write":
        await this.#write(step, index, store, path);
        break;
    }
    await this.#afterChange();
    for (const touched of "to" in step ? [path, this.#at(step.to)] : [path]) await this.#look(touched, this.#stores[1 - step.on] as Store);
  }

  /** What a change left, by the other connection. */
  async #look(path: string, store: Store): Promise<void> {
    const file = this.#oracle.file(path);
    const entry = await this.#question(this.#oracle.stat(path), () => store.stat(path, { fresh: true }));
    if (entry !== undefined) this.#described(entry, path);
    if (file !== undefined)
      await this.#settled(async () =>
        sameBytes(await readAll(store, path, { fresh: true }), file.bytes, `the bytes at ${path.slice(this.#base.length)} afterwards`),
      );
  }

  async #write(step: Step & { readonly do: "write" }, index: number, store: Store, path: string): Promise<void> {
    const { how = "bytes", size } = step;
    const bytes = pattern(size, `s${index}`);
    const properties = step.properties === true ? { contentType: `text/x-${index}`, metadata: { step: String(index) } } : {};
    const known: Known = { bytes, contentType: properties.contentType, metadata: properties.metadata };
    const condition: Condition = { ifAbsent: step.ifAbsent, ifMatch: step.ifAbsent === true ? undefined : step.ifMatch };
    const ifMatch = condition.ifMatch === undefined ? undefined : await this.#etag(store, path, condition.ifMatch);
    const options: WriteOptions = { ...properties, ...(step.ifAbsent === true ? { ifAbsent: true } : {}), ...(ifMatch === undefined ? {} : { ifMatch }) };
    const bad = badBody(how, bytes);
    if (bad === undefined) {
      const verdict = this.#oracle.write(path, known, condition);
      const body = how === "bytes" ? bytes : pieces(bytes, 700);
      const entry = await this.#change(verdict, () => store.write(path, body, how === "pieces" ? { ...options, size } : options));
      if (entry !== undefined) this.#described(entry, path);
      return;
    }
    // A body that goes wrong: nothing of it may be there afterwards, and it may fail of what the write would have failed of anyway.
    const asked = new Oracle(this.#t.capabilities);
    for (const [key, one] of this.#oracle.files) asked.files.set(key, one);
    for (const [key, one] of this.#oracle.directories) asked.directories.set(key, one);
    const otherwise = asked.write(path, known, condition).codes;
    const error = await this.#failure(
      () => store.write(path, bad.body, { ...options, ...bad.options }),
      how === "aborted before" ? ["aborted"] : [bad.code, ...otherwise],
    );
    if (how !== "aborted before" && otherwise.length === 0) this.#oracle.attempted(path);
    if (error.applied !== false) await this.#adopt(error, path, known);
  }

  /* ---- judging */

  /** A question, repeated where the service may be late by declaration. Gives nothing where an error was due and came. */
  async #question<T>(verdict: Verdict, ask: () => Promise<T>): Promise<T | undefined> {
    return await this.#settled(() => this.#outcome(verdict, ask));
  }
  /** For as long as one of the two may be late by declaration. */
  #settled<T>(look: () => Promise<T>): Promise<T> {
    return this.#t.settled(this.#t.capabilities.consistency.read === "eventual" ? "read" : "list", look);
  }
  async #change<T>(verdict: Verdict, act: () => Promise<T>): Promise<T | undefined> {
    return await this.#outcome(verdict, act);
  }
  async #outcome<T>(verdict: Verdict, act: () => Promise<T>): Promise<T | undefined> {
    if (verdict.codes.length === 0) return await act();
    if (verdict.or !== undefined) {
      let value: T;
      try {
        value = await act();
      } catch (error) {
        if (hasCode(error, ...verdict.codes)) return undefined;
        throw error;
      }
      verdict.or();
      return value;
    }
    const error = await this.#failure(act, verdict.codes);
    equal(error.applied, false, `a call that is refused with ${error.code} changes nothing, and says so`);
    return undefined;
  }
  async #failure(act: () => Promise<unknown>, codes: readonly ErrorCode[]): Promise<StoreError> {
    let value: unknown;
    try {
      value = await act();
    } catch (error) {
      if (!StoreError.is(error) || !codes.includes(error.code))
        throw error instanceof CheckFailure ? error : new CheckFailure("it fails as the contract says", `code ${codes.join(" or ")}`, show(error), error);
      complete(error, "the error");
      return error;
    }
    return fail("it fails as the contract says", `code ${codes.join(" or ")}`, `success: ${show(value)}`);
  }

  /** The new version may be there, whole, where the error does not exclude it. */
  async #adopt(error: StoreError, path: string, known: Known): Promise<void> {
    const now = await bytesAt(this.#stores[1], path);
    if (now === undefined || Buffer.compare(now, known.bytes) !== 0) return;
    equal(error.code, "aborted", "only a write that was given up may be there all the same");
    this.#oracle.write(path, known, {});
  }

  #described(entry: Entry, path: string): void {
    const file = this.#oracle.file(path);
    equal(
      [String(entry.path), entry.kind, entry.size],
      [path, file === undefined ? "directory" : "file", file?.bytes.length ?? 0],
      "path, kind and size of the entry",
    );
    if (file?.contentType !== undefined && entry.contentType !== null) equal(entry.contentType, file.contentType, "content type of the entry");
    if (file?.metadata !== undefined && entry.metadata !== null) equal({ ...entry.metadata }, { ...file.metadata }, "metadata of the entry");
  }

  #listed(entries: readonly Entry[], children: readonly { readonly key: string; readonly kind: string; readonly size: number }[], dir: string): void {
    const line = (path: string, kind: string, size: number | null): string => `${kind} ${path.slice(this.#base.length)} ${size ?? "?"}`;
    for (const { path } of entries) if (!path.startsWith(`${dir}/`)) fail("a listing joins the directory as asked with the names", `below ${dir}`, path);
    equal(
      entries.map(({ path, kind, size }) => line(this.#oracle.key(path), kind, size)).sort(),
      children.map(({ key, kind, size }) => line(key, kind, size)).sort(),
      "every entry once, with kind and size, and no other",
    );
  }

  /** What doubt is left is settled by looking, and late services get their time. */
  async #afterChange(): Promise<void> {
    // One at a time: where one is gone, the one above it comes into doubt.
    for (let [key] = this.#oracle.doubtful; key !== undefined; [key] = this.#oracle.doubtful) {
      const there = await this.#stores[0].stat(key, { fresh: true }).then(
        ({ kind }) => kind === "directory",
        (error: unknown) => (hasCode(error, "not-found") ? false : Promise.reject(error)),
      );
      this.#oracle.settle(key, there);
    }
    // The next step meets what this one left, not what was there before.
    if (this.#t.capabilities.consistency.settleMs > 0) await this.compare();
  }

  /** All of it, seen by both connections. */
  async compare(): Promise<void> {
    const { children, codes } = this.#oracle.list(this.#base, true);
    const can = this.#t.capabilities;
    for (const [index, store] of this.#stores.entries()) {
      const seen = `seen by connection ${index}`;
      const list = (): Promise<Entry[]> => listAll(store, this.#base, { recursive: true, fresh: true });
      await this.#settled(async () => {
        if (can.list === false || can.listRecursive === false) return;
        if (codes.length === 0) this.#listed(await list(), children ?? [], this.#base);
        else await this.#failure(list, codes);
      });
      await this.#settled(async () => {
        for (const { key, kind } of children ?? []) {
          const file = this.#oracle.file(key);
          if (kind === "file" && file !== undefined) sameBytes(await readAll(store, key, { fresh: true }), file.bytes, `${seen}: ${key}`);
          if (kind === "file") this.#described(await store.stat(key, { fresh: true }), key);
        }
      });
    }
  }

  #at(names: Path): string {
    return [this.#base, ...names].join("/");
  }

  /** The etag of what is there now, or one that it does not have. */
  async #etag(store: Store, path: string, which: "current" | "stale"): Promise<string | undefined> {
    const there = this.#oracle.file(path) !== undefined;
    const now = there ? (await store.stat(path, { fresh: true })).etag : null;
    if (which === "current" && now !== null) return now;
    // Not known from this answer: a condition has nothing to name, as while a cache still brings a copy to its place.
    if (which === "current" && there) return undefined;
    // The form of etags is the service's own: one that it could have given is better than one it never gives.
    const like = now ?? "0123456789abcdef0123456789abcdef";
    const last = like.at(-1) === "0" ? "1" : "0";
    return `${like.slice(0, -1)}${last}`;
  }
}

async function bytesAt(store: Store, path: string): Promise<Uint8Array | undefined> {
  try {
    return await readAll(store, path, { fresh: true });
  } catch (error) {
    if (hasCode(error, "not-found", "is-a-directory")) return undefined;
    throw error;
  }
}

interface Bad {
  readonly body: AsyncIterable<Uint8Array>;
  readonly options: WriteOptions;
  readonly code: ErrorCode;
}

function badBody(how: How, bytes: Uint8Array): Bad | undefined {
  const stop = new AbortController();
  switch (how) {
    case "fails":
      return { body: broken(bytes, Math.floor(bytes.length / 2)), options: {}, code: "bad-body" };
    case "short":
      return { body: pieces(bytes, 700), options: { size: bytes.length + 1 }, code: "bad-body" };
    case "long":
      return { body: pieces(pattern(bytes.length + 1), 700), options: { size: bytes.length }, code: "bad-body" };
    case "aborted":
      return {
        body: recorded(bytes, 300, (offset) => {
          if (offset * 2 >= bytes.length) stop.abort(new Error("the program gives up"));
        }),
        options: { size: bytes.length, signal: stop.signal },
        code: "aborted",
      };
    case "aborted before":
      return { body: pieces(bytes, 700), options: { size: bytes.length, signal: AbortSignal.abort(new Error("the program has given up")) }, code: "aborted" };
    default:
      return undefined;
  }
}
