/** The simplest store that survives a kill: everything in one file, written beside it and renamed over it after each change. `bug` makes it one that does not. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CrashPlace, CrashSubject } from "../../../src/conformance/crash/index.ts";
import { memory } from "../../../src/providers/memory/index.ts";
import { layer } from "../../../src/store/index.ts";
import type { Backend, Operation, Store } from "../../../src/store/index.ts";
import { uniform } from "../../../src/store/uniform.ts";

export type Bug = "answers before it is saved" | "saves in place" | "saves the change before last" | "brings back what was deleted";

const changes: ReadonlySet<Operation> = new Set<Operation>(["write", "delete", "mkdir", "copy", "move"]);

export function wholeFile(bug?: Bug): CrashSubject {
  const fileOf = (place: CrashPlace): string => join(place.directory, "state.json");
  return {
    name: `whole file${bug === undefined ? "" : ` that ${bug}`}`,
    steps: ["changed", "half", "written", "saved"],
    open: async (place, step) => saving(await filled(fileOf(place)), fileOf(place), step, bug),
    remote: (place) => filled(fileOf(place)),
    flush: async () => {},
  };
}

async function filled(file: string): Promise<Store> {
  const store = memory();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return store;
    throw error;
  }
  for (const { path, bytes, type } of JSON.parse(text) as Saved[]) {
    if (bytes === null) await store.mkdir(path, { existOk: true });
    else await store.write(path, Buffer.from(bytes, "base64"), type === null ? {} : { contentType: type });
  }
  return store;
}

interface Saved {
  readonly path: string;
  readonly bytes: string | null;
  readonly type: string | null;
}

function saving(store: Store, file: string, step: (name: string) => void, bug: Bug | undefined): Store {
  let turn: Promise<unknown> = Promise.resolve();
  let before = "[]";
  const deleted: Saved[] = [];
  const save = async (backend: Store): Promise<void> => {
    step("changed");
    const all: Saved[] = [];
    for (const { path, kind, contentType } of await backend.list("/", { recursive: true }).toArray())
      all.push({
        path,
        bytes: kind === "directory" ? null : Buffer.from(await (await backend.read(path)).bytes()).toString("base64"),
        type: contentType,
      });
    const text = JSON.stringify(bug === "brings back what was deleted" ? [...deleted, ...all] : all);
    const written = bug === "saves the change before last" ? before : text;
    before = text;
    const target = bug === "saves in place" ? file : `${file}.new`;
    writeFileSync(target, written.slice(0, written.length >> 1));
    step("half");
    writeFileSync(target, written);
    step("written");
    if (target !== file) renameSync(target, file);
    step("saved");
  };
  return layer("whole-file", (inner: Backend, below: Store) => ({
    backend: uniform(inner, {
      async around(call, next) {
        if (!changes.has(call.operation)) return next(call);
        const mine = turn.then(async () => {
          if (call.operation === "delete" && bug === "brings back what was deleted") deleted.push({ path: call.path, bytes: "", type: null });
          const answer = await next(call);
          const saved = save(below);
          if (bug !== "answers before it is saved") await saved;
          else turn = saved;
          return answer;
        });
        turn = mine.then(
          () => {},
          () => {},
        );
        return mine;
      },
    }),
  }))(store);
}
