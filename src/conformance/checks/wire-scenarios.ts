/** What is broken on the wire: each operation as a scenario that knows what was there before and what is there after it. */
import { hasCode } from "../../store/index.ts";
import type { Entry, Store, WriteOptions } from "../../store/index.ts";
import { equal, fail, listAll, pattern, readAll, sameBytes, show } from "../assert.ts";
import type { CheckContext } from "../check.ts";
import { base } from "./base.ts";
import type { Scenario, State } from "./wire-sweep.ts";

/** Where a scenario works, and the connection that looks: to the same place, and never broken. */
export interface Ground {
  readonly t: CheckContext;
  readonly dir: string;
  readonly other: Store;
}

export async function ground(t: CheckContext): Promise<Ground> {
  return { t, dir: await base(t), other: await t.connect() };
}

/** What stands at the path; undefined: nothing. A failure to look is a failure, not "nothing". */
export async function bytesAt({ other }: Ground, path: string): Promise<Uint8Array | undefined> {
  try {
    return await readAll(other, path, { fresh: true });
  } catch (error) {
    if (hasCode(error, "not-found")) return undefined;
    throw error;
  }
}

async function kindAt({ other }: Ground, path: string): Promise<Entry["kind"] | undefined> {
  try {
    return (await other.stat(path, { fresh: true })).kind;
  } catch (error) {
    if (hasCode(error, "not-found")) return undefined;
    throw error;
  }
}

const same = (left: Uint8Array | undefined, right: Uint8Array | undefined): boolean =>
  left === undefined || right === undefined ? left === right : Buffer.compare(left, right) === 0;

/** Old bytes, new bytes, or what the capabilities allow of a write that failed. */
async function versionAt(g: Ground, path: string, before: Uint8Array | undefined, after: Uint8Array, failed: boolean): Promise<State> {
  return await g.t.settled("read", async () => {
    const now = await bytesAt(g, path);
    if (same(now, after)) return "after";
    if (same(now, before)) return "before";
    // Declared: a failed write may leave a cut file.
    if (failed && g.t.capabilities.atomicWrites === false && (now === undefined || same(now, after.subarray(0, now.length)))) return "partly";
    if (now === undefined)
      return fail(
        "the old version or the new one is there",
        `${before === undefined ? "nothing" : `${before.length} bytes`}, or ${after.length} bytes`,
        "nothing",
      );
    sameBytes(now, after, "the old version or the new one is there, whole");
    return "after";
  });
}

/** A write, over an older version where `before` is given. */
export function uploading(
  g: Ground,
  name: string,
  size: number,
  options: { readonly before?: number; readonly write?: (step: number) => WriteOptions; readonly body?: (bytes: Uint8Array) => AsyncIterable<Uint8Array> } = {},
): Scenario {
  const path = (step: number): string => `${g.dir}/${name}-${step}`;
  const old = (step: number): Uint8Array | undefined => (options.before === undefined ? undefined : pattern(options.before, `old${step}`));
  const bytes = (step: number): Uint8Array => pattern(size, `new${step}`);
  const etags = new Map<number, string>();
  const conditional = options.write !== undefined;
  return {
    ...(conditional ? { ambiguous: ["already-exists", "precondition-failed"] } : {}),
    // Open parts, temporary names.
    spares: ({ method }) => method === "DELETE",
    async prepare(step) {
      const before = old(step);
      if (before === undefined) return;
      const { etag } = await g.t.store.write(path(step), before);
      if (etag !== null) etags.set(step, etag);
    },
    async act(store, step, signal) {
      const content = bytes(step);
      const etag = etags.get(step);
      const condition: WriteOptions =
        options.write?.(step).ifMatch === undefined ? (options.write?.(step) ?? {}) : { ifMatch: etag ?? fail("a store with `writeIfMatch` gives etags") };
      const entry = await store.write(path(step), options.body?.(content) ?? content, { ...condition, signal });
      equal(entry.size, content.length, "the entry of a write has its size");
    },
    look: (step, failed) => versionAt(g, path(step), old(step), bytes(step), failed),
  };
}

/** A read of one file, whole or a part of it. */
export function downloading(g: Ground, name: string, size: number, range?: { readonly offset: number; readonly length?: number }): Scenario {
  const path = `${g.dir}/${name}`;
  const content = pattern(size, name);
  const expected = range === undefined ? content : content.subarray(range.offset, range.length === undefined ? undefined : range.offset + range.length);
  let written = false;
  return {
    async prepare() {
      if (written) await g.t.store.stat(path);
      else await g.t.store.write(path, content);
      written = true;
    },
    async act(store, _step, signal) {
      await using result = await store.read(path, { ...(range === undefined ? {} : { range }), fresh: true, signal });
      const bytes = await result.bytes();
      // A service that ends a whole file early, cleanly and with a length to match has told another file: only where anything it said differs can that be known.
      if (
        range === undefined &&
        bytes.length < size &&
        result.entry.size === bytes.length &&
        g.t.wire?.exchanges.some(({ fault }) => fault === "short") === true
      )
        return sameBytes(bytes, expected.subarray(0, bytes.length), "what the service sent");
      sameBytes(bytes, expected, "the bytes read");
      if (result.entry.size !== null) equal(result.entry.size, size, "the size told with the bytes is that of the whole file");
      equal(result.offset, range?.offset ?? 0, "the offset told with the bytes");
    },
  };
}

/** `count` small files in one directory, listed in as many pages as the service has. */
export function listing(g: Ground, name: string, files: readonly string[], recursive: boolean): Scenario {
  const dir = `${g.dir}/${name}`;
  let written = false;
  return {
    async prepare() {
      if (written) return void (await g.t.store.stat(dir));
      const work = files.values();
      await Promise.all(
        Array.from({ length: Math.min(16, g.t.capabilities.concurrency) }, async () => {
          for (const file of work) await g.t.store.write(`${dir}/${file}`, pattern(8, file));
        }),
      );
      await g.t.settled("list", async () =>
        equal((await listAll(g.other, dir, { recursive, fresh: true })).filter(({ kind }) => kind === "file").length, files.length, "all files are listed"),
      );
      written = true;
    },
    async act(store, _step, signal) {
      const found = (await listAll(store, dir, { recursive, fresh: true, signal }))
        .filter(({ kind }) => kind === "file")
        .map(({ path }) => path.slice(dir.length + 1));
      const missing = files.filter((file) => !found.includes(file));
      const twice = found.filter((file, index) => found.indexOf(file) !== index);
      if (missing.length > 0)
        fail("a listing that ends without an error has every file", files.length, `${found.length}; missing: ${show(missing.slice(0, 5))}`);
      if (twice.length > 0) fail("a listing has every file once", "no repeats", show(twice.slice(0, 5)));
      equal(found.length, files.length, "a listing has no other file");
    },
  };
}

export function asking(g: Ground): Scenario {
  const path = `${g.dir}/asked`;
  const content = pattern(321, "asked");
  let written = false;
  return {
    async prepare() {
      if (!written) await g.t.store.write(path, content);
      written = true;
      await g.t.store.stat(path);
    },
    async act(store, _step, signal) {
      const entry = await store.stat(path, { fresh: true, signal });
      equal([entry.kind, entry.size], ["file", content.length], "kind and size by stat");
    },
  };
}

export function makingDirectory(g: Ground): Scenario {
  const path = (step: number): string => `${g.dir}/made-${step}`;
  return {
    ambiguous: ["already-exists"],
    prepare: async () => void (await g.t.store.stat("/")),
    async act(store, step, signal) {
      equal((await store.mkdir(path(step), { signal })).kind, "directory", "what mkdir made");
    },
    look: (step) => g.t.settled("read", async () => ((await kindAt(g, path(step))) === "directory" ? "after" : "before")),
  };
}

/** The files of a tree that is deleted, copied or moved. */
const leaves = ["a", "b", "in/c"];
const leaf = (step: number, name: string): Uint8Array => pattern(40 + name.length, `${name}${step}`);

export function deleting(g: Ground, tree: boolean): Scenario {
  const path = (step: number): string => `${g.dir}/${tree ? "tree" : "file"}-${step}`;
  const files = (step: number): readonly string[] => (tree ? leaves.map((name) => `${path(step)}/${name}`) : [path(step)]);
  return {
    async prepare(step) {
      for (const file of files(step)) await g.t.store.write(file, leaf(step, file));
    },
    act: (store, step, signal) => store.delete(path(step), { signal, ...(tree ? { recursive: true } : {}) }),
    look: (step) =>
      g.t.settled("read", async () => {
        let there = 0;
        for (const file of files(step)) {
          const now = await bytesAt(g, file);
          if (now === undefined) continue;
          there += 1;
          sameBytes(now, leaf(step, file), "what was not deleted is whole");
        }
        if (there === files(step).length) return "before";
        return there === 0 && (await kindAt(g, path(step))) === undefined ? "after" : "partly";
      }),
  };
}

export function transferring(g: Ground, verb: "copy" | "move", tree: boolean): Scenario {
  const from = (step: number): string => `${g.dir}/${verb}-${tree ? "tree" : "file"}-${step}`;
  const to = (step: number): string => `${from(step)}-to`;
  const names = tree ? leaves.map((name) => `/${name}`) : [""];
  return {
    ambiguous: verb === "move" ? ["conflict"] : [],
    async prepare(step) {
      for (const name of names) await g.t.store.write(from(step) + name, leaf(step, name));
    },
    async act(store, step, signal) {
      equal((await store[verb](from(step), to(step), { signal })).kind, tree ? "directory" : "file", `what ${verb} made`);
    },
    look: (step, failed) =>
      g.t.settled("read", async () => {
        let sources = 0;
        let targets = 0;
        for (const name of names) {
          const content = leaf(step, name);
          const [source, target] = [await bytesAt(g, from(step) + name), await bytesAt(g, to(step) + name)];
          if (source !== undefined) sameBytes(source, content, "the source is whole");
          if (target !== undefined && !(failed && g.t.capabilities.atomicWrites === false && source !== undefined))
            sameBytes(target, content, "the target is whole");
          if (source === undefined && target === undefined)
            fail("however it fails, all bytes are still at one of the two", "source or target", `neither of ${from(step)}${name} and ${to(step)}${name}`);
          sources += source === undefined ? 0 : 1;
          targets += target === undefined ? 0 : 1;
        }
        // Directories that a tree leaves behind are seen as well.
        const [sourceLeft, targetLeft] = [await kindAt(g, from(step)), await kindAt(g, to(step))];
        if (targets === names.length && (verb === "copy" ? sources === names.length : sourceLeft === undefined)) return "after";
        return sources === names.length && targetLeft === undefined ? "before" : "partly";
      }),
  };
}

/** A body that goes up in parts where the service has parts: one byte beyond the first step, if that is not too much for a test. */
export function largeSize({ capabilities, tier }: CheckContext): number {
  const step = Math.min(...capabilities.sizeSteps.filter((size) => size > 0));
  const most = Math.min(capabilities.maxFileBytes, (tier === "torture" ? 256 : 20) * 1024 * 1024);
  return step < most ? step + 1 : Math.min(most, 1024 * 1024 + 1);
}
