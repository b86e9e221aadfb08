/** The caching store over a directory of this machine, for crash runs: both outlive the process that is killed. */
import { join } from "node:path";
import type { CrashPlace, CrashSubject } from "../../../../src/conformance/crash/index.ts";
import { local } from "../../../../src/providers/local/index.ts";
import { find } from "../../../../src/store/index.ts";
import type { Store } from "../../../../src/store/index.ts";
import { Caching, cachingWith } from "../../../../src/wrappers/caching/index.ts";
import type { CachingOptions } from "../../../../src/wrappers/caching/options.ts";
import { rules } from "../../../../src/wrappers/caching/rules.ts";
import { stepNames } from "../../../../src/wrappers/caching/steps.ts";
import { faultsOf } from "../model/caching-subject.ts";
import { swept, watchingSweep } from "./sweeping.ts";

const scenarios: readonly Partial<CachingOptions>[] = [
  { uploadDelayMs: 0, inlineBytes: 4096 },
  // Uploads wait for a while: much is pending at the kill.
  { uploadDelayMs: 40, inlineBytes: 4096 },
  // Everything leaves as soon as it may, and is read back.
  { uploadDelayMs: 0, inlineBytes: 256, cacheBytes: 0, freshMs: 0 },
  { uploadDelayMs: 5, inlineBytes: 1 << 20, cacheBytes: 200_000 },
];

function remote({ directory }: CrashPlace): Store {
  return local({ directory: join(directory, "remote"), createRoot: true, flush: false });
}

function control(store: Store): NonNullable<ReturnType<typeof find<NonNullable<(typeof Caching)["control"]>>>> {
  const found = find(store, Caching);
  if (found === undefined) throw new Error("there is no caching layer in this stack");
  return found;
}

export const overLocal: CrashSubject = {
  name: "caching over local",
  open: (place, step) =>
    watchingSweep((swept) =>
      cachingWith(
        rules,
        { directory: join(place.directory, "cache"), minFreeBytes: 0, unknownPaths: "ask", ...scenarios[place.scenario] },
        { step, swept },
      )(remote(place)),
    ),
  remote,
  async flush(store) {
    await control(store).flush();
    await swept(store);
  },
  pending(store) {
    const { barriers, inDoubt } = control(store).report();
    return control(store).dirty().length + Number(barriers) + Number(inDoubt);
  },
  async stir(store) {
    await control(store).evict();
    control(store).refresh();
  },
  check: ({ directory }) => faultsOf(join(directory, "cache")),
  steps: stepNames,
  scenarios: scenarios.length,
};
export default overLocal;
