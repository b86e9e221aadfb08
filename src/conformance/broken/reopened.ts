/** Stores whose bug shows only in a later life: when a connection to the same place is opened again. */
import { createStore, calls } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { ModelState, referenceProvider } from "../model/reference.ts";
import type { Place, Subject } from "../subject.ts";
import type { BrokenStore } from "./broken.ts";

interface Life {
  readonly state: ModelState;
  /** What was done last, as a journal that is never cut. */
  last: { readonly path: StorePath; readonly bytes: Uint8Array } | undefined;
  deleted: StorePath | undefined;
}

/** One service per place, and what its first connection remembers from one life to the next. */
function reopening(name: string, begin: (life: Life) => Promise<void>): Subject {
  const lives = new Map<string, Life>();
  return {
    name,
    open(place: Place) {
      let life = lives.get(place.id);
      if (life === undefined) lives.set(place.id, (life = { state: new ModelState(), last: undefined, deleted: undefined }));
      const here = life;
      const provider = referenceProvider({ state: here.state, clock: place.clock });
      return createStore({
        ...provider,
        async open() {
          if (place.connection === 0) await begin(here);
        },
        async write(call) {
          const entry = await provider.write(call);
          const { body } = await provider.read(calls.read(call.path));
          here.last = { path: call.path, bytes: body as Uint8Array };
          return entry;
        },
        async delete(call) {
          await provider.delete(call);
          here.deleted = call.path;
        },
      });
    },
  };
}

export const broken: readonly BrokenStore[] = [
  {
    id: "R01",
    bug: "after reopening, the last write is done again, although its file was deleted or moved since",
    killedBy: ["model.reopened"],
    subject: () =>
      reopening("broken R01", async ({ state, last }) => {
        if (last !== undefined) await referenceProvider({ state }).write(calls.write(last.path, last.bytes));
      }),
  },
  {
    id: "R02",
    bug: "after reopening, the last deletion is done again, although something new was written there since",
    killedBy: ["model.reopened"],
    subject: () =>
      reopening("broken R02", async ({ state, deleted }) => {
        if (deleted !== undefined) await referenceProvider({ state }).delete(calls.delete(deleted, { recursive: true }));
      }),
  },
];
