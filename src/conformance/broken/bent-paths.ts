/** Bugs in how a name becomes a key: every path of every call goes through one function, answers name the path that was asked for. */
import { join, nameOf, parentOf, parsePath, root } from "../../store/index.ts";
import type { Backend, StorePath } from "../../store/index.ts";
import type { Bent } from "./broken.ts";

/** Which verbs see the bent path. */
export type Bending = (path: StorePath, verb: "stat" | "read" | "write" | "list" | "delete" | "mkdir" | "copy" | "move") => StorePath;

/** All operations with the paths that `bend` makes of theirs; `shown` makes the name in a listing of the one that is stored. */
export function bentPaths(inner: Backend, bend: Bending, shown: (name: string) => string = (name) => name): Bent {
  return {
    stat: async (call) => ({ ...(await inner.stat({ ...call, path: bend(call.path, "stat") })), path: call.path }),
    async read(call) {
      const reply = await inner.read({ ...call, path: bend(call.path, "read") });
      return { ...reply, entry: { ...reply.entry, path: call.path } };
    },
    write: async (call) => ({ ...(await inner.write({ ...call, path: bend(call.path, "write") })), path: call.path }),
    async list(call) {
      const dir = bend(call.path, "list");
      const page = await inner.list({ ...call, path: dir });
      const cut = dir === root ? 1 : dir.length + 1;
      return {
        ...page,
        entries: page.entries.map((entry) => ({
          ...entry,
          path: entry.path
            .slice(cut)
            .split("/")
            .reduce<StorePath>((path, name) => join(path, shown(name)), call.path),
        })),
      };
    },
    delete: (call) => inner.delete({ ...call, path: bend(call.path, "delete") }),
    mkdir: async (call) => ({ ...(await inner.mkdir({ ...call, path: bend(call.path, "mkdir") })), path: call.path }),
    copy: async (call) => ({ ...(await inner.copy({ ...call, path: bend(call.path, "copy"), to: bend(call.to, "copy") })), path: call.to }),
    move: async (call) => ({ ...(await inner.move({ ...call, path: bend(call.path, "move"), to: bend(call.to, "move") })), path: call.to }),
  };
}

/** A path whose names each went through `change`; names that would be none stay as they are. */
export function eachName(change: (name: string) => string): (path: StorePath) => StorePath {
  return (path) => {
    const names: string[] = [];
    for (let rest = path; rest !== root; rest = parentOf(rest)) {
      const name = change(nameOf(rest));
      names.unshift(name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0") ? nameOf(rest) : name);
    }
    return parsePath(`/${names.join("/")}`);
  };
}
