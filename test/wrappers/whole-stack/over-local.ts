/** `stats(metadataCache(caching(archive(local))))`, for crash runs: everything that persists at once, each with a directory of its own. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CrashPlace, CrashSubject } from "../../../src/conformance/crash/index.ts";
import { local } from "../../../src/providers/local/index.ts";
import { find, stack } from "../../../src/store/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { Archive, archiveWith } from "../../../src/wrappers/archive/archive.ts";
import { rules as archiveRules } from "../../../src/wrappers/archive/rules.ts";
import type { ArchiveControl } from "../../../src/wrappers/archive/index.ts";
import { Caching, cachingWith } from "../../../src/wrappers/caching/index.ts";
import type { CacheControl } from "../../../src/wrappers/caching/index.ts";
import { rules as cachingRules } from "../../../src/wrappers/caching/rules.ts";
import { stepNames } from "../../../src/wrappers/caching/steps.ts";
import { metadataCache, stats } from "../../../src/wrappers/index.ts";
import archiveSubject from "../archive/crash/archive.ts";
import { faultsOf } from "../caching/model/caching-subject.ts";
import { swept, watchingSweep } from "../caching/crash/sweeping.ts";

type Step = (name: string) => void;

/** Nobody else writes here, as in the runs of the archive alone: a grace period may be short, and sources are deleted in a run. */
function packed({ directory, scenario }: CrashPlace, index: string, step: Step): Store {
  const root = join(directory, "store");
  mkdirSync(root, { recursive: true });
  const options = {
    directory: join(directory, index),
    smallBytes: 4096,
    maxBytes: 65_536,
    maxDelayMs: scenario % 2 === 0 ? 2 : 0,
    refreshMs: Infinity,
    minLiveRatio: 0.9,
  };
  return stack(local({ directory: root }), archiveWith(archiveRules, options, { step }));
}

const cacheOf = (store: Store): CacheControl => find(store, Caching) as CacheControl;
const archiveOf = (store: Store): ArchiveControl => find(store, Archive) as ArchiveControl;

const subject: CrashSubject = {
  name: "stats(metadataCache(caching(archive(local))))",
  open: (place, step) =>
    watchingSweep((swept) =>
      stack(
        packed(place, "index", step),
        cachingWith(
          cachingRules,
          {
            directory: join(place.directory, "cache"),
            minFreeBytes: 0,
            unknownPaths: "ask",
            uploadDelayMs: place.scenario < 2 ? 0 : 40,
            inlineBytes: 4096,
            cacheBytes: place.scenario === 1 ? 0 : 1 << 30,
          },
          { step, swept },
        ),
        metadataCache({ file: join(place.directory, "metadata.db") }),
        stats(),
      ),
    ),
  // Another installation, with an empty index: the manifests alone are the truth.
  remote: (place) => packed(place, `other-${process.hrtime.bigint()}`, () => {}),
  async flush(store) {
    await cacheOf(store).flush();
    await swept(store);
  },
  pending(store) {
    const { barriers, inDoubt } = cacheOf(store).report();
    return cacheOf(store).dirty().length + Number(barriers) + Number(inDoubt);
  },
  async stir(store) {
    await cacheOf(store).evict();
    await archiveOf(store).repack({ all: true });
    await archiveOf(store).collect({ graceMs: 0 });
  },
  check: ({ directory }) => faultsOf(join(directory, "cache")),
  steps: [...stepNames, ...archiveSubject.steps],
  scenarios: 4,
};
export default subject;
