/** One-bug stores whose life is wrong: opening, closing, reconnecting, opening again, settings; M67. */
import { StoreError, control, createStore, hasCode, parsePath } from "../../store/index.ts";
import type { Control, ReadResult } from "../../store/index.ts";
import { ModelState, referenceProvider } from "../model/reference.ts";
import type { Place, Subject } from "../subject.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore, Bug, Original } from "./broken.ts";
import { at, bytesAt, put, turn } from "./tree.ts";

const closed = (operation: "open" | "close" | "stat" = "open"): StoreError =>
  new StoreError("closed", "the store is closed", { store: "broken", operation, applied: false });

/** A store whose service is found again: `bend` is called each time it is opened, with the number of times before. */
function reopening(
  bug: Pick<Bug, "id" | "bug" | "killedBy">,
  open: (place: Place, state: ModelState, times: number) => ReturnType<Subject["open"]>,
): BrokenStore {
  return {
    ...bug,
    subject: (): Subject => {
      const states = new Map<string, { readonly state: ModelState; times: number }>();
      return {
        name: `broken ${bug.id}`,
        open(place) {
          let here = states.get(place.id);
          if (here === undefined) states.set(place.id, (here = { state: new ModelState(), times: -1 }));
          here.times += 1;
          return open(place, here.state, here.times);
        },
      };
    },
  };
}

/** Every operation of a store, guarded. */
function guarded(store: Original, guard: () => void): Partial<Original> {
  const checked =
    <A extends readonly unknown[], R>(method: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
    async (...args) => {
      guard();
      return await method(...args);
    };
  return {
    stat: checked(store.stat),
    read: checked(store.read),
    write: checked(store.write),
    delete: checked(store.delete),
    mkdir: checked(store.mkdir),
    copy: checked(store.copy),
    move: checked(store.move),
  };
}

const life: readonly BrokenStore[] = [
  bugged({
    id: "N39",
    bug: "close does nothing",
    killedBy: ["stat", "read", "write", "list", "delete", "mkdir", "copy", "move", "space", "account", "open", "reconnect"].map(
      (verb) => `lifecycle.closed.${verb}`,
    ),
    above: () => () => ({ close: async () => {} }),
  }),
  bugged({
    id: "N44",
    bug: "a store that is open cannot be opened",
    killedBy: ["lifecycle.open.again"],
    above: () => (store) => {
      let open = false;
      return {
        async open(options) {
          if (open) throw closed();
          open = true;
          return await store.open(options);
        },
      };
    },
  }),
  bugged({
    id: "N185",
    bug: "a call that comes while the first one opens the store fails",
    killedBy: ["lifecycle.open.implicit"],
    above: () => (store) => {
      let state: "new" | "opening" | "open" = "new";
      const first = async <T>(method: () => Promise<T>): Promise<T> => {
        if (state === "opening") throw new StoreError("unavailable", "the store is not open yet", { store: "broken" });
        if (state === "new") {
          state = "opening";
          await turn();
          state = "open";
        }
        return await method();
      };
      return { read: (path, options) => first(() => store.read(path, options)), stat: (path, options) => first(() => store.stat(path, options)) };
    },
  }),
  bugged({
    id: "N186",
    bug: "an open that was aborted leaves the store locked",
    killedBy: ["lifecycle.open.aborted"],
    above: () => (store) => {
      let locked = false;
      return {
        async open(options) {
          if (locked) throw new StoreError("unavailable", "the store is locked", { store: "broken", operation: "open" });
          if (options?.signal?.aborted === true) locked = true;
          return await store.open(options);
        },
      };
    },
  }),
  bugged({
    id: "N38",
    bug: "a store that is closed cannot be closed",
    killedBy: ["lifecycle.close.again"],
    above: () => (store) => {
      let closes = 0;
      return {
        async close(options) {
          if ((closes += 1) > 1) throw closed("close");
          await store.close(options);
        },
      };
    },
  }),
  bugged({
    id: "N187",
    bug: "a store that was never used cannot be closed",
    killedBy: ["lifecycle.close.unused"],
    above: () => (store) => {
      let used = false;
      return {
        ...guarded(store, () => (used = true)),
        async close(options) {
          await store.close(options);
          if (!used) throw new StoreError("unknown", "there is no session to end", { store: "broken", operation: "close" });
        },
      };
    },
  }),
  bugged({
    id: "N10",
    bug: "a body whose store is closed ends early, as if it were complete",
    killedBy: ["lifecycle.close.bodies"],
    reference: { chunkBytes: 50_000 },
    above: () => (store) => ({
      async read(path, options): Promise<ReadResult> {
        const result = await store.read(path, options);
        const chunks = async function* (): AsyncGenerator<Uint8Array> {
          try {
            yield* result;
          } catch (error) {
            if (!hasCode(error, "closed")) throw error;
          }
        };
        const bytes = async (): Promise<Uint8Array<ArrayBuffer>> => {
          const all: Uint8Array[] = [];
          for await (const chunk of chunks()) all.push(chunk);
          return new Uint8Array(Buffer.concat(all));
        };
        return {
          entry: result.entry,
          offset: result.offset,
          length: result.length,
          bytes,
          stream: () => result.stream(),
          nodeStream: () => result.nodeStream(),
          text: async () => new TextDecoder().decode(await bytes()),
          [Symbol.asyncIterator]: () => chunks(),
          [Symbol.asyncDispose]: () => result[Symbol.asyncDispose](),
        };
      },
    }),
  }),
  bugged({
    id: "N188",
    bug: "close does not wait for calls that run",
    killedBy: ["lifecycle.close.running"],
    above: () => (store) => ({
      async close(options) {
        void store.close(options);
      },
    }),
  }),
  bugged({
    id: "N189",
    bug: "a close whose signal has fired leaves the store open",
    killedBy: ["lifecycle.close.signal"],
    above: () => (store) => ({ close: async (options) => (options?.signal?.aborted === true ? undefined : await store.close(options)) }),
  }),
  bugged({
    id: "N191",
    bug: "closing one connection closes them all",
    killedBy: ["lifecycle.close.other"],
    above: () => {
      let over = false;
      return (store) => ({
        ...guarded(store, () => {
          if (over) throw closed("stat");
        }),
        async close(options) {
          over = true;
          await store.close(options);
        },
      });
    },
  }),
  bugged({
    id: "N192",
    bug: "after a reconnect nothing is found",
    killedBy: ["lifecycle.reconnect"],
    above: () => (store) => {
      let lost = false;
      return {
        ...guarded(store, () => {
          if (lost) throw new StoreError("not-found", "nothing is there", { store: "broken" });
        }),
        async reconnect(options) {
          await store.reconnect(options);
          lost = true;
        },
      };
    },
  }),
  bugged({
    id: "N193",
    bug: "calls during a reconnect find the store closed",
    killedBy: ["lifecycle.reconnect.parallel"],
    above: () => (store) => {
      let away = false;
      return {
        ...guarded(store, () => {
          if (away) throw closed("stat");
        }),
        async reconnect(options) {
          away = true;
          await turn();
          await store.reconnect(options);
          away = false;
        },
      };
    },
  }),
  bugged({
    id: "M67",
    bug: "a read of what is missing leaves a rejection that nobody handles",
    killedBy: ["lifecycle.quiet"],
    below: () => (inner) => ({
      read(call) {
        const reply = inner.read(call);
        void reply.then((come) => come);
        return reply;
      },
    }),
  }),
  bugged({
    id: "M67b",
    bug: "the first read starts a timer that close does not stop",
    killedBy: ["lifecycle.quiet"],
    below: () => (inner) => {
      let started = false;
      return {
        async read(call) {
          // Long enough to be seen; then it ends by itself.
          if (!started) setTimeout(() => {}, 4000);
          started = true;
          return await inner.read(call);
        },
      };
    },
  }),
];

const again: readonly BrokenStore[] = [
  reopening({ id: "N35", bug: "a store that is opened again has lost its empty files", killedBy: ["lifecycle.reopen"] }, (place, state, times) => {
    if (times > 0)
      state.change(place.clock.now(), (files) => {
        for (const [key, file] of files) if (file.bytes.length === 0) files.delete(key);
      });
    return createStore(referenceProvider({ state, clock: place.clock }));
  }),
  (() => {
    // What was deleted, by place: the journal that is replayed from its start.
    const journal = new Map<string, Map<string, Uint8Array>>();
    return bugged({
      id: "N35b",
      bug: "a store that is opened again has what was deleted",
      killedBy: ["lifecycle.reopen.deleted"],
      subject: { reopens: true },
      below: () => (inner, place) => {
        const mine = journal.get(place.id) ?? new Map<string, Uint8Array>();
        const replay = journal.has(place.id) ? [...mine] : [];
        journal.set(place.id, mine);
        return {
          async delete(call) {
            if ((await at(inner, call.path))?.kind === "file") mine.set(call.path, await bytesAt(inner, call.path));
            await inner.delete(call);
          },
          async stat(call) {
            for (const [path, bytes] of replay.splice(0)) await put(inner, parsePath(path), bytes);
            return await inner.stat(call);
          },
        };
      },
    });
  })(),
  reopening({ id: "N194", bug: "the identity of a store is another one each time", killedBy: ["lifecycle.reopen.identity"] }, (place, state, times) =>
    createStore({ ...referenceProvider({ state, clock: place.clock }), identity: () => `session-${times}` }),
  ),
];

/** The reference with another control. */
function controlled(bug: Pick<Bug, "id" | "bug" | "killedBy">, change: (own: Control) => Control): BrokenStore {
  return reopening(bug, (place, state) => createStore(referenceProvider({ state, clock: place.clock }), { control: change(control("reference", {}, {})) }));
}

const said: readonly BrokenStore[] = [
  reopening({ id: "N195", bug: "the text of a store holds its password", killedBy: ["lifecycle.text"] }, (place, state) =>
    createStore({ ...referenceProvider({ state, clock: place.clock }), describe: () => "user=me password=hunter2" }),
  ),
  controlled({ id: "N196", bug: "a report has objects in it", killedBy: ["lifecycle.layers"] }, (own) => ({
    ...own,
    report: () => ({ cache: { bytes: 1 } }) as unknown as Record<string, number>,
  })),
  controlled({ id: "N37", bug: "settings that do not exist are accepted", killedBy: ["lifecycle.settings"] }, (own) => ({ ...own, configure: async () => {} })),
  (() => {
    const left = new Map<string, string[]>();
    return bugged({
      id: "N197",
      bug: "a write that fails leaves its unfinished upload at the service",
      killedBy: ["lifecycle.leftovers"],
      subject: { leftovers: async (place: Place) => left.get(place.id) ?? [] },
      below: () => (inner, place) => ({
        async write(call) {
          try {
            return await inner.write(call);
          } catch (error) {
            left.set(place.id, [...(left.get(place.id) ?? []), `upload of ${call.path}`]);
            throw error;
          }
        },
      }),
    });
  })(),
];

export const broken: readonly BrokenStore[] = [...life, ...again, ...said];
