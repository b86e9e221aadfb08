/** The provider over file hosts in a directory, as the suite wants it: hosts and index of its own for each place, which its connections share. */
import { existsSync } from "node:fs";
import fs from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "../../../src/conformance/index.ts";
import { plowshareBy } from "../../../src/providers/plowshare/by.ts";
import { run } from "../../../src/providers/plowshare/process.ts";
import type { Runner } from "../../../src/providers/plowshare/process.ts";
import type { PlowshareOptions } from "../../../src/providers/plowshare/index.ts";
import { commands, fileHosts } from "../../servers/plowshare/hosts.ts";
import type { HostTraits } from "../../servers/plowshare/hosts.ts";

export function plowshareSubject(
  more: Partial<Subject> = {},
  options: Partial<PlowshareOptions> = {},
  hosts: Readonly<Record<string, HostTraits>> = { alpha: {} },
  /** Processes, or what answers in their place. */
  runner: (root: string) => Runner = () => run,
): Subject {
  return {
    name: "plowshare",
    async open(place) {
      const root = join(place.directory, "hosts");
      if (!existsSync(join(root, "modules.d"))) await fileHosts(root, hosts, { recorded: false });
      return plowshareBy(runner(root), {
        directory: join(place.directory, "index"),
        createRoot: true,
        hosts: Object.keys(hosts),
        modules: join(root, "modules.d"),
        commandDirectory: commands,
        // Many small files on one disk, and no power cut in between.
        flush: false,
        maxProcesses: 6,
        maxProcessesPerHost: 6,
        clock: place.clock,
        random: place.random,
        ...options,
      });
    },
    /** Work places of commands and bodies of writes that did not go with their calls. What an open store stands on is none. */
    async leftovers(place) {
      const run = join(place.directory, "index", "run");
      const found = existsSync(run) ? (await fs.readdir(run, { recursive: true })).map(String) : [];
      return found.filter((name) => !/^\d+(?:\/(?:home|curl|config(?:\/.*)?))?$/.test(name));
    },
    ...more,
  };
}
