/** The archive layer over local disk, killed at its steps. Nobody else writes here (refreshMs Infinity), so that a grace period may be short and sources are deleted in a run. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { local } from "../../../../src/providers/local/index.ts";
import { find, stack } from "../../../../src/store/index.ts";
import type { Store } from "../../../../src/store/index.ts";
import { Archive, archiveWith } from "../../../../src/wrappers/archive/archive.ts";
import type { ArchiveControl } from "../../../../src/wrappers/archive/index.ts";
import { rules } from "../../../../src/wrappers/archive/rules.ts";
import type { CrashPlace, CrashSubject } from "../../../../src/conformance/crash/index.ts";

const control = (store: Store): ArchiveControl => find(store, Archive) as ArchiveControl;

function opened({ directory, scenario }: CrashPlace, step: (name: string) => void, index: string): Store {
  const root = join(directory, "store");
  mkdirSync(root, { recursive: true });
  // Small archives and bodies on both sides of the limit; in every other run groups of one.
  const options = {
    directory: join(directory, index),
    smallBytes: 4096,
    maxBytes: 65_536,
    maxDelayMs: scenario % 2 === 0 ? 2 : 0,
    refreshMs: Infinity,
    minLiveRatio: 0.9,
  };
  return stack(local({ directory: root }), archiveWith(rules, options, { step }));
}

const subject: CrashSubject = {
  name: "archive(local)",
  open: (place, step) => opened(place, step, "index"),
  // Another installation, with an empty index: the manifests alone are the truth.
  remote: (place) => opened(place, () => {}, `other-${process.hrtime.bigint()}`),
  async flush(store) {
    await control(store).flush();
  },
  async stir(store) {
    await control(store).repack({ all: true });
    await control(store).collect({ graceMs: 0 });
  },
  steps: [
    "joined",
    "sealed",
    "intent",
    "sending",
    "chunk",
    "stored",
    "committed",
    "resolved",
    "solo stamped",
    "repack read",
    "repack stored",
    "unneeded",
    "delete sent",
    "deleted",
    "listed page",
    "learned",
  ],
  scenarios: 2,
};
export default subject;
