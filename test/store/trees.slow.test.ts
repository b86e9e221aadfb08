/** Listing, copying, moving and deleting trees of services that know only directories: with failures at every step, aborts, and others at work. */
import { expect, test } from "vitest";
import { StoreError, calls, parsePath, readText } from "../../src/store/index.ts";
import type { Backend, Capabilities, Entry, Page, Store, StorePath } from "../../src/store/index.ts";
import { directory, fakeStore, file, plain, thrown, tick } from "./make.ts";

async function fill(store: Store, dir = "/t"): Promise<void> {
  await store.write(`${dir}/a`, "1", { contentType: "text/x", metadata: { colour: "green" } });
  await store.write(`${dir}/d/b`, "2");
  await store.write(`${dir}/d/e/c`, "3");
  await store.mkdir(`${dir}/empty`);
}
const paths = async (store: Store, dir = "/"): Promise<string[]> =>
  (await store.list(dir, { recursive: true }).toArray()).map(({ path }) => path as string).sort();
const TREE = ["/a", "/d", "/d/b", "/d/e", "/d/e/c", "/empty"];
const below = (dir: string): string[] => [dir, ...TREE.map((path) => dir + path)];
const parent = { mkdir: "native", etag: true, exclusiveMkdir: true } satisfies Partial<Capabilities>;

/** The store again, where the nth call of these verbs fails before or after it was done. */
function failing(
  at: number,
  verbs: readonly ("mkdir" | "write" | "delete" | "read" | "list" | "stat")[],
  after: boolean,
  error: () => unknown,
): { readonly store: Store; readonly inner: Store; count(): number } {
  let count = 0;
  const made = plain({ afterlifeMs: 0 }, (backend) => {
    const over: Record<string, unknown> = {};
    for (const verb of verbs)
      over[verb] = async (call: never) => {
        const mine = ++count;
        if (mine === at && !after) throw error();
        const reply = Promise.resolve<unknown>(backend[verb](call));
        if (mine !== at) return reply;
        await reply.catch(() => {});
        throw error();
      };
    return over;
  });
  return { store: made.store, inner: made.inner, count: () => count };
}

// CF13, CF14
test("copy and move of a tree by hand: everything, properties too, empty directories too; the source stays or goes", async () => {
  const { store } = plain();
  await fill(store);
  const copied = await store.copy("/t", "/u/v");
  expect(copied).toMatchObject({ path: "/u/v", kind: "directory" });
  expect(await paths(store)).toEqual([...below("/t"), "/u", ...below("/u/v")].sort());
  expect(await store.stat("/u/v/a")).toMatchObject({ contentType: "text/x", metadata: { colour: "green" } });
  expect(await readText(store, "/u/v/d/e/c")).toBe("3");
  await store.move("/t", "/w");
  expect(await paths(store)).toEqual(["/u", ...below("/u/v"), ...below("/w")].sort());
});

test("the rules of rename(2), for copy and move by hand", async () => {
  const { store } = plain();
  for (const verb of ["copy", "move"] as const) {
    await fill(store);
    await store.write("/f", "f");
    await store.write("/g", "g");
    expect(await thrown(store[verb]("/f", "/t"))).toMatchObject({ code: "is-a-directory", applied: false, path: "/f", to: "/t" });
    expect(await thrown(store[verb]("/t", "/f"))).toMatchObject({ code: "not-a-directory" });
    expect(await thrown(store[verb]("/t/d", "/t"))).toMatchObject({ code: "not-empty" });
    expect(await thrown(store[verb]("/t", "/t/x"))).toMatchObject({ code: "invalid-path" });
    expect(await thrown(store[verb]("/missing", "/f"))).toMatchObject({ code: "not-found" });
    expect(await thrown(store[verb]("/f", "/g", { ifAbsent: true }))).toMatchObject({ code: "already-exists", entry: { path: "/g" } });
    expect(await readText(store, "/f")).toBe("f");
    expect((await store[verb]("/f", "/f")).path).toBe("/f");
    expect(await thrown(store[verb]("/f", "/f", { ifAbsent: true }))).toMatchObject({ code: "already-exists" });
    await store.mkdir("/target", { existOk: true });
    await store[verb]("/t/d", "/target");
    expect(await readText(store, "/target/e/c")).toBe("3");
    await store[verb]("/f", "/g");
    expect(await readText(store, "/g")).toBe("f");
    for (const path of ["/t", "/f", "/g", "/target"]) await store.delete(path, { recursive: true });
  }
});

test("a target whose first page is empty and whose second is not is not empty: never a merge", async () => {
  const { store } = plain({}, (backend) => ({
    list: async (call): Promise<Page> =>
      call.path === "/target" && call.cursor === undefined ? { entries: [], cursor: "more" } : backend.list({ ...call, cursor: undefined }),
  }));
  await fill(store);
  await store.write("/target/mine", "precious");
  expect(await thrown(store.copy("/t", "/target"))).toMatchObject({ code: "not-empty" });
  expect(await paths(store, "/target")).toEqual(["/target/mine"]);
});

test("a copy that fails at any step, before or after it was done, is taken back: applied false, and nothing is left", async () => {
  const { count, store: whole } = failing(-1, ["mkdir", "write", "read", "list"], false, () => undefined);
  await fill(whole);
  const before = count();
  await whole.copy("/t", "/u");
  const steps = count() - before;
  expect(steps).toBeGreaterThan(8);
  for (const after of [false, true])
    for (let step = 1; step <= steps; step++) {
      const { store, inner } = failing(before + step, ["mkdir", "write", "read", "list"], after, () => new StoreError("unavailable", "gone for now"));
      await fill(store);
      const error = await thrown(store.copy("/t", "/u"));
      expect(error).toMatchObject({ code: "unavailable", operation: "copy", path: "/t", to: "/u" });
      expect([step, after, await paths(inner)]).toEqual([step, after, below("/t")]);
      // Reading and listing change nothing, and what was made is gone again; where nothing had been made, what the step says stands.
      expect(["unknown", false]).toContain((error as StoreError).applied);
    }
});

test("an empty directory at the target is there again after a copy that failed", async () => {
  const { store, inner } = failing(8, ["write"], false, () => new Error("broken"));
  await fill(store);
  await fill(store, "/second");
  await inner.mkdir("/u");
  expect(await thrown(store.copy("/t", "/u"))).toMatchObject({ code: "unknown", applied: false });
  expect(await paths(inner, "/u")).toEqual([]);
});

test("what cannot be taken back is said: partly, how much, and where it stopped", async () => {
  let deletes = 0;
  const { store, inner } = plain({}, (backend) => ({
    write: async (call) => {
      if (call.path === "/u/d/e/c") throw new StoreError("no-space", "full");
      return backend.write(call);
    },
    delete: async (call) => {
      if (++deletes > 1) throw new StoreError("permission-denied", "no");
      return backend.delete(call);
    },
  }));
  await inner.write("/t/a", "1");
  await inner.write("/t/d/e/c", "3");
  const error = (await thrown(store.copy("/t", "/u"))) as StoreError;
  expect(error).toMatchObject({ code: "no-space", applied: "partly", partial: { at: "/u/d/e/c" } });
  expect(error.partial?.done).toBeGreaterThan(0);
});

/** Loses the answers to what is asked of these paths; the request itself may land whenever it likes. */
function losing(lost: (call: { readonly operation: string; readonly path: string }) => boolean, over: Partial<Capabilities> = {}): Store {
  return plain(over, (backend) => {
    const losingOne =
      <C extends { readonly operation: string; readonly path: string }, R>(run: (call: C) => Promise<R>) =>
      async (call: C): Promise<R> => {
        const reply = await run(call);
        if (lost(call)) throw new StoreError("unavailable", "the answer was lost");
        await tick();
        return reply;
      };
    return { write: losingOne((call) => backend.write(call)), delete: losingOne((call) => backend.delete(call)) };
  }).store;
}

// A request whose answer was lost may land on what is made later: a cache that is told "partly" goes on at once, and lost a file that way.
test("one lost answer leaves the whole of a tree in doubt, whatever is known of the rest", async () => {
  const isOne = (operation: string, path: string) => (call: { readonly operation: string; readonly path: string }) =>
    call.operation === operation && call.path === path;
  const remove = async (store: Store): Promise<unknown> => thrown(store.delete("/t", { recursive: true }));
  const copy = async (store: Store): Promise<unknown> => thrown(store.copy("/t", "/u"));
  const move = async (store: Store): Promise<unknown> => thrown(store.move("/t", "/u"));
  for (const [what, lost, act, applied] of [
    ["a file of a tree that is deleted", isOne("delete", "/t/d/b"), remove, "unknown"],
    ["its last directory", isOne("delete", "/t"), remove, "unknown"],
    ["a file of a copy that is taken back", isOne("write", "/u/d/b"), copy, "unknown"],
    ["the source of a move", isOne("delete", "/t/a"), move, "unknown"],
  ] as const) {
    const store = losing(lost);
    await fill(store);
    expect([what, await act(store)]).toMatchObject([what, { code: "unavailable", applied }]);
  }
  // Where nothing can land late, what was taken back is taken back.
  const prompt = losing(isOne("write", "/u/d/b"), { afterlifeMs: 0 });
  await fill(prompt);
  expect(await copy(prompt)).toMatchObject({ code: "unavailable", applied: false });
});

test("a doubt is told also where another part of the tree was refused before, and by whom a copy was taken back", async () => {
  const { store } = plain({ concurrency: 8 }, (backend) => ({
    delete: async (call) => {
      if (call.path === "/t/a") throw new StoreError("permission-denied", "no");
      await tick();
      if (call.path === "/t/d/b") throw new StoreError("unavailable", "the answer was lost");
      return backend.delete(call);
    },
  }));
  await fill(store);
  expect(await thrown(store.delete("/t", { recursive: true }))).toMatchObject({ code: "unavailable", applied: "unknown" });
  const kept = plain({}, (backend) => ({
    write: async (call) => {
      if (call.path === "/u/d/e/c") throw new StoreError("no-space", "full");
      return backend.write(call);
    },
    delete: async (call) => {
      if (call.path === "/u/a") throw new StoreError("unavailable", "the answer was lost");
      return backend.delete(call);
    },
  }));
  await fill(kept.store);
  expect(await thrown(kept.store.copy("/t", "/u"))).toMatchObject({ code: "no-space", applied: "unknown", partial: { at: "/u/d/e/c" } });
});

test("an abort in the middle of a copy takes it back, by a time of its own", async () => {
  for (const [signal, code] of [
    [
      () => {
        const stop = new AbortController();
        return { stop: () => stop.abort(), signal: stop.signal };
      },
      "aborted",
    ],
    [
      () => {
        const stop = new AbortController();
        return { stop: () => stop.abort(new DOMException("late", "TimeoutError")), signal: stop.signal };
      },
      "timeout",
    ],
  ] as const) {
    const { stop, signal: given } = signal();
    const { store, inner } = plain({ concurrency: 1 }, (backend) => ({
      write: async (call) => {
        const entry = await backend.write(call);
        if (call.path === "/u/d/b") stop();
        return entry;
      },
    }));
    await fill(store);
    expect(await thrown(store.copy("/t", "/u", { signal: given }))).toMatchObject({ code, applied: false });
    expect(await paths(inner)).toEqual(below("/t"));
  }
});

test("taking back spares what somebody else has written meanwhile, where the service can tell", async () => {
  const { store, inner } = plain({ deleteIfMatch: "native", concurrency: 1 }, (backend) => ({
    write: async (call) => {
      if (call.path === "/u/c") {
        await inner.write("/u/a", "theirs");
        throw new StoreError("no-space", "full");
      }
      return backend.write(call);
    },
  }));
  await inner.write("/t/a", "1");
  await inner.write("/t/b", "2");
  await inner.write("/t/c", "3");
  // Of the copy itself nothing is left; what stays is theirs, with the directory it lies in.
  expect(await thrown(store.copy("/t", "/u"))).toMatchObject({ code: "no-space", applied: "partly", partial: { at: "/u/c" } });
  expect(await paths(inner, "/u")).toEqual(["/u/a"]);
  expect(await readText(inner, "/u/a")).toBe("theirs");
});

// CF15
test("a move that fails at any step loses nothing: every byte is at one of the two", async () => {
  const verbs = ["mkdir", "write", "read", "list", "stat", "delete"] as const;
  const { count, store: whole } = failing(-1, verbs, false, () => undefined);
  await fill(whole);
  const before = count();
  await whole.move("/t", "/u");
  const steps = count() - before;
  for (const after of [false, true])
    for (let step = 1; step <= steps; step++) {
      const { store, inner } = failing(before + step, verbs, after, () => new StoreError("unavailable", "gone for now"));
      await fill(store);
      const error = (await thrown(store.move("/t", "/u"))) as StoreError;
      expect(error).toMatchObject({ code: "unavailable", operation: "move", path: "/t", to: "/u" });
      for (const [name, value] of [
        ["/a", "1"],
        ["/d/b", "2"],
        ["/d/e/c", "3"],
      ] as const) {
        const found = await Promise.all(["/t", "/u"].map((dir) => readText(inner, dir + name).catch(() => undefined)));
        expect([step, after, name, found.includes(value)]).toEqual([step, after, name, true]);
      }
      if (error.applied === false) expect(await paths(inner)).toEqual(below("/t"));
      if (error.applied === "partly") expect(error.partial?.done).toBeGreaterThan(0);
    }
});

test("what is new in the source while it is moved stays, and the move says conflict", async () => {
  let added = false;
  const { store, inner } = plain({}, (backend) => ({
    write: async (call) => {
      const entry = await backend.write(call);
      if (!added && call.path.startsWith("/u/")) {
        added = true;
        await inner.write("/t/d/new", "new");
      }
      return entry;
    },
  }));
  await fill(inner);
  const error = await thrown(store.move("/t", "/u"));
  expect(error).toMatchObject({ code: "conflict", applied: "partly" });
  expect(await readText(inner, "/t/d/new")).toBe("new");
  expect(await readText(inner, "/u/d/e/c")).toBe("3");
});

test("a single file that changed while it was moved stays", async () => {
  const { store, inner } = plain({}, (backend) => ({
    write: async (call) => {
      const entry = await backend.write(call);
      await inner.write("/a", "newer");
      return entry;
    },
  }));
  await inner.write("/a", "old");
  expect(await thrown(store.move("/a", "/b"))).toMatchObject({ code: "conflict" });
  expect([await readText(inner, "/a"), await readText(inner, "/b")]).toEqual(["newer", "old"]);
});

test("a copy takes the properties of the version whose bytes it copies", async () => {
  const { store, inner } = plain({}, (backend) => ({
    read: async (call) => {
      await inner.write("/a", "newer", { contentType: "text/new" });
      return backend.read(call);
    },
  }));
  await inner.write("/a", "old", { contentType: "text/old" });
  await store.copy("/a", "/b");
  expect([await readText(inner, "/b"), (await inner.stat("/b")).contentType]).toEqual(["newer", "text/new"]);
});

test("a move keeps the time of the file where it can be set; a copy is as new as it is", async () => {
  const { store, inner } = plain({ writeModified: "native" });
  await inner.write("/a", "x", { modifiedMs: 1000 });
  await store.copy("/a", "/b");
  await store.move("/a", "/c");
  expect([(await inner.stat("/b")).modifiedMs === 1000, (await inner.stat("/c")).modifiedMs]).toEqual([false, 1000]);
});

// CF12
test.each<[string, Partial<Capabilities>, string, string]>([
  ["case", { caseSensitive: false }, "/Name", "/nAME"],
  ["case of a parent", { caseSensitive: false }, "/D/x", "/d/x"],
  ["Unicode forms", { normalisation: "nfc" }, "/\u00e9", "/e\u0301"],
  ["Unicode forms, decomposed", { normalisation: "nfd" }, "/\u00e9", "/e\u0301"],
  ["compatible characters", { normalisation: "nfkc" }, "/\ufb01", "/fi"],
  ["both", { caseSensitive: false, normalisation: "nfc" }, "/\u00c9", "/e\u0301"],
])(
  "two spellings that are one name for a service that folds %s: a copy is nothing, a move is refused; the file is never lost",
  async (_, capabilities, one, other) => {
    const touched: string[] = [];
    const entries = new Map([[one, file(one, 1, { etag: "e" })]]);
    const store = fakeStore({
      capabilities: { ...parent, writeIfAbsent: "native", ...capabilities },
      mkdir: async () => directory("/d"),
      stat: async ({ path }) => {
        void path;
        return [...entries.values()][0] as Entry;
      },
      write: async ({ path }) => {
        touched.push(`write ${path}`);
        return file(path);
      },
      delete: async ({ path }) => void touched.push(`delete ${path}`),
    });
    expect(await store.copy(one, other)).toMatchObject({ path: other, size: 1 });
    expect(await thrown(store.copy(one, other, { ifAbsent: true }))).toMatchObject({ code: "already-exists" });
    expect(await thrown(store.move(one, other))).toMatchObject({ code: "unsupported", applied: false });
    expect(await thrown(store.move(one, `${other}/below`))).toMatchObject({ code: "invalid-path" });
    expect(touched).toEqual([]);
  },
);

test("a tree whose names become too long for the service at the target is refused and taken back", async () => {
  const { store, inner } = plain({ maxPathBytes: 20 });
  await inner.write("/t/a", "1");
  await inner.write("/t/0123456789", "2");
  expect(await thrown(store.copy("/t", "/longer-name"))).toMatchObject({ code: "invalid-path", applied: false });
  expect(await paths(inner)).toEqual(["/t", "/t/0123456789", "/t/a"]);
});

test("no trees without mkdir, and no file in a root that holds none", async () => {
  const { store, inner } = plain({ filesAtRoot: false });
  await inner.write("/d/a", "1");
  expect(await thrown(store.copy("/d/a", "/a"))).toMatchObject({ code: "invalid-path" });
  const flat = fakeStore({
    stat: async ({ path }) => {
      if (path === "/u") throw new StoreError("not-found", "nothing is there");
      return directory(path);
    },
  });
  expect(flat.capabilities).toMatchObject({ copy: "emulated", copyTree: false, moveTree: false, mkdir: false, directories: "implied" });
  expect(await thrown(flat.copy("/t", "/u"))).toMatchObject({ code: "unsupported" });
  expect(await thrown(flat.mkdir("/t"))).toMatchObject({ code: "unsupported" });
});

test("a service that copies files and refuses directories has its trees walked; one that says so of the target is believed", async () => {
  let copies = 0;
  const { store, inner } = plain({}, (backend) => ({
    copy: async (call) => {
      if ((await backend.stat(calls.stat(call.path))).kind === "directory") throw new StoreError("is-a-directory", "files only");
      copies++;
      return backend.copy(call);
    },
  }));
  await fill(inner);
  await store.copy("/t", "/u");
  expect([await paths(inner, "/u"), copies]).toEqual([TREE.map((path) => `/u${path}`), 3]);
  expect(await thrown(store.copy("/t/a", "/u"))).toMatchObject({ code: "is-a-directory" });
  await store.move("/t", "/w");
  expect([(await paths(inner)).includes("/t"), copies]).toEqual([false, 7]);
});

// CF10
test("a recursive delete by hand: all of it, also over pages, with others adding and removing meanwhile", async () => {
  const { store, inner } = plain();
  await fill(inner);
  await store.delete("/t", { recursive: true });
  expect(await paths(inner)).toEqual([]);
  await store.delete("/t", { recursive: true });
  let added = 0;
  const busy = plain({}, (backend) => ({
    delete: async (call) => {
      await backend.delete(call);
      if (call.path === "/t/d/b" && added++ === 0) await backend.write(calls.write(parsePath("/t/d/late"), "late"));
    },
  }));
  await fill(busy.inner);
  await busy.store.delete("/t", { recursive: true });
  expect(await paths(busy.inner)).toEqual([]);
  const gone = plain({}, (backend) => ({
    delete: async (call) => {
      await backend.delete({ ...call, path: parsePath("/t"), recursive: true });
    },
  }));
  await fill(gone.inner);
  await gone.store.delete("/t", { recursive: true });
  expect(await paths(gone.inner)).toEqual([]);
});

test("a tree that is never empty, because somebody keeps adding, ends in a conflict that says how far it came", async () => {
  let n = 0;
  const { store, inner } = plain({}, (backend) => ({
    delete: async (call) => {
      if (call.path === "/t") await backend.write(calls.write(parsePath(`/t/new${n++}`), "x"));
      return backend.delete(call);
    },
  }));
  await fill(inner);
  expect(await thrown(store.delete("/t", { recursive: true }))).toMatchObject({ code: "conflict", transient: true, applied: "partly", partial: { at: "/t" } });
});

test("a directory that vanishes in the middle of a delete, and one that another client makes anew, are not mistaken for success", async () => {
  let broken = true;
  const { store, inner } = plain({}, (backend) => ({
    list: async (call): Promise<Page> => {
      if (call.path === "/t/d" && call.cursor === undefined) {
        const { entries } = await backend.list(call);
        return { entries: entries.slice(0, 1), cursor: 1 };
      }
      if (call.path === "/t/d" && broken) {
        broken = false;
        throw new StoreError("not-found", "gone for a moment");
      }
      if (call.path === "/t/d") {
        const { entries } = await backend.list({ ...call, cursor: undefined });
        return { entries: entries.slice(1) };
      }
      return backend.list(call);
    },
  }));
  await fill(inner);
  await store.delete("/t", { recursive: true });
  expect(await paths(inner)).toEqual([]);
});

test("a recursive delete that fails says how far it came; aborted too; a condition is for files", async () => {
  const { store, inner } = plain({ deleteIfMatch: "native", concurrency: 1 }, (backend) => ({
    delete: async (call) => {
      if (call.path === "/t/d/b") throw new StoreError("permission-denied", "no");
      return backend.delete(call);
    },
  }));
  await fill(inner);
  expect(await thrown(store.delete("/t", { recursive: true }))).toMatchObject({
    code: "permission-denied",
    applied: "partly",
    partial: { done: 1 },
    path: "/t",
    operation: "delete",
  });
  expect(await thrown(store.delete("/t", { recursive: true, ifMatch: "e" }))).toMatchObject({ code: "is-a-directory" });
  const entry = await inner.write("/f", "x");
  expect(await thrown(store.delete("/f", { recursive: true, ifMatch: "other" }))).toMatchObject({ code: "precondition-failed" });
  await store.delete("/f", { recursive: true, ifMatch: entry.etag as string });
  expect(await paths(inner)).not.toContain("/f");
});

// CF18
test("a recursive listing by walking: parents first, each once, over pages that are empty, in any mix", async () => {
  const { store, inner } = plain({}, (backend) => ({
    list: async (call): Promise<Page> => {
      const { entries } = await backend.list({ ...call, cursor: undefined });
      const at = (call.cursor as number | undefined) ?? 0;
      return { entries: at % 2 === 1 ? entries.slice((at - 1) / 2, (at + 1) / 2) : [], cursor: at < entries.length * 2 ? at + 1 : null };
    },
  }));
  await fill(inner);
  const found = (await store.list("/", { recursive: true }).toArray()).map(({ path }) => path as string);
  expect(found.toSorted()).toEqual(below("/t"));
  for (const path of found) if (path !== "/t") expect(found.indexOf(path)).toBeGreaterThan(found.indexOf(path.slice(0, path.lastIndexOf("/"))));
  const pages: number[] = [];
  for await (const page of store.list("/t").pages()) pages.push(page.length);
  expect(pages).toEqual([1, 1, 1]);
});

test("a page that fails is an error, never the end, and the same page may be asked for again", async () => {
  let fails = true;
  const { store, inner } = plain({}, (backend: Backend) => ({
    list: async (call): Promise<Page> => {
      if (call.path === "/t/d" && fails) throw new StoreError("unavailable", "gone for now");
      return backend.list(call);
    },
  }));
  await fill(inner);
  const seen: string[] = [];
  const walk = async (): Promise<void> => {
    for await (const { path } of store.list("/t", { recursive: true })) seen.push(path);
  };
  expect(await thrown(walk())).toMatchObject({ code: "unavailable", operation: "list", path: "/t" });
  expect(seen).toEqual(["/t/a", "/t/d", "/t/empty"]);
  fails = false;
  const first = await (await import("./make.ts")).backendOf(store).list(calls.list(parsePath("/t"), { recursive: true }));
  const again = async (cursor: unknown): Promise<Page> =>
    (await import("./make.ts")).backendOf(store).list(calls.list(parsePath("/t"), { recursive: true, cursor }));
  expect(await again(first.cursor)).toEqual(await again(first.cursor));
});

test("a service that gives the same cursor again is not read for ever", async () => {
  const store = fakeStore({ list: async () => ({ entries: [file("/a")], cursor: "same" }) });
  expect(await thrown(store.list("/").toArray())).toMatchObject({ code: "unavailable", operation: "list" });
});

test("a listing runs when it is iterated, anew each time, and ends with the loop", async () => {
  let lists = 0;
  const { store, inner } = plain({}, (backend) => ({
    list: async (call): Promise<Page> => {
      lists++;
      const page = await backend.list({ ...call, cursor: undefined });
      return { ...page, cursor: call.cursor === undefined ? "next" : undefined };
    },
  }));
  await inner.write("/a", "x");
  const listing = store.list("/");
  await tick();
  expect(lists).toBe(0);
  for await (const _ of listing) break;
  expect(lists).toBe(1);
  expect((await listing.toArray()).length).toBe(2);
  expect((await listing.toArray()).length).toBe(2);
});

test("a directory of 200,000 files in one page is listed, walked and deleted", async () => {
  const left = new Set(Array.from({ length: 200_000 }, (_, i) => `/t/${i}` as StorePath));
  const store = fakeStore({
    capabilities: { concurrency: 1000 },
    stat: async ({ path }) => directory(path),
    list: async () => ({ entries: [...left].map((path) => file(path)) }),
    delete: async ({ path }) => void left.delete(path),
  });
  expect((await store.list("/t", { recursive: true }).toArray()).length).toBe(200_000);
  await store.delete("/t", { recursive: true });
  expect(left.size).toBe(0);
});
