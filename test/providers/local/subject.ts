/** Local disk as a subject of the suite: a place is a directory, and the second channel is node:fs on it. */
import fs from "node:fs/promises";
import type { Place, SecondChannel, Subject } from "../../../src/conformance/index.ts";
import { local } from "../../../src/providers/local/index.ts";
import type { LocalOptions } from "../../../src/providers/local/index.ts";

export function localSubject(more: Partial<Subject> = {}, options: Partial<LocalOptions> = {}): Subject {
  return {
    name: "local",
    // Not flushed: thousands of small files, and no power cut in between.
    open: (place) => local({ directory: place.directory, clock: place.clock, random: place.random, flush: false, ...options }),
    raw: channel,
    leftovers: async (place) =>
      ((await fs.readdir(place.directory, { recursive: true }).catch(() => [])) as string[]).filter((name) => /\.stratus-[0-9a-z]{20}\.tmp$/.test(name)),
    ...more,
  };
}

/** As any other program sees the disk. */
function channel({ directory }: Place): SecondChannel {
  return {
    async put(path, bytes) {
      await fs.mkdir(`${directory}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await fs.writeFile(directory + path, bytes);
    },
    get: (path) =>
      fs.readFile(directory + path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      }),
    list: (dir) => fs.readdir(directory + dir),
    async [Symbol.asyncDispose]() {},
  };
}
