/** One-bug stores that delete wrongly: M01 to M05. */
import { isInside, nameOf, parentOf, root } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore } from "./broken.ts";

export const broken: readonly BrokenStore[] = [
  bugged({
    id: "M01",
    bug: "delete does nothing and reports success",
    killedBy: ["paths.siblings.files"],
    below: () => () => ({ delete: async () => {} }),
  }),
  bugged({
    id: "M02",
    bug: 'deleting "a" deletes everything whose path begins with "a"',
    killedBy: ["paths.siblings.files", "paths.siblings"],
    below: () => (inner) => ({
      async delete(call) {
        await inner.delete(call);
        const { entries } = await inner.list({
          operation: "list",
          path: parentOf(call.path),
          signal: call.signal,
          fresh: true,
          recursive: false,
          cursor: undefined,
          ifNoneMatch: undefined,
        });
        for (const { path } of entries)
          if (nameOf(path).startsWith(nameOf(call.path))) await inner.delete({ ...call, path, recursive: true, ifMatch: undefined });
      },
    }),
  }),
  bugged({
    id: "M03",
    bug: "an error of delete is swallowed and reported as success",
    killedBy: ["conditions.delete"],
    below: () => (inner) => ({ delete: (call) => inner.delete(call).catch(() => {}) }),
  }),
  bugged({
    id: "M04",
    bug: "a deleted file is still listed",
    killedBy: ["paths.siblings.files"],
    below: () => {
      const ghosts = new Map<StorePath, Entry>();
      return (inner) => ({
        async delete(call) {
          const entry = await inner.stat({ operation: "stat", path: call.path, signal: call.signal, detail: "full", fresh: true }).catch(() => undefined);
          await inner.delete(call);
          if (entry?.kind === "file") ghosts.set(call.path, entry);
        },
        async write(call) {
          const entry = await inner.write(call);
          ghosts.delete(call.path);
          return entry;
        },
        async list(call) {
          const page = await inner.list(call);
          const late = [...ghosts.values()].filter(({ path }) => (call.recursive ? isInside(path, call.path) : parentOf(path) === call.path));
          return page.cursor === undefined && call.path !== root ? { ...page, entries: [...page.entries, ...late] } : page;
        },
      });
    },
  }),
  bugged({
    id: "M05",
    bug: "stat still answers for a deleted file",
    killedBy: ["paths.siblings.files"],
    below: () => {
      const ghosts = new Map<StorePath, Entry>();
      return (inner) => ({
        async delete(call) {
          const entry = await inner.stat({ operation: "stat", path: call.path, signal: call.signal, detail: "full", fresh: true }).catch(() => undefined);
          await inner.delete(call);
          if (entry?.kind === "file") ghosts.set(call.path, entry);
        },
        stat: (call) => inner.stat(call).catch((error: unknown) => ghosts.get(call.path) ?? Promise.reject(error as Error)),
      });
    },
  }),
];
