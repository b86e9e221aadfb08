/** The persistent metadata cache over a directory of this machine, for crash runs: what its file remembers must never outlive what a killed process changed. */
import { join } from "node:path";
import type { CrashPlace, CrashSubject } from "../../../../src/conformance/crash/index.ts";
import { local } from "../../../../src/providers/local/index.ts";
import { find, stack } from "../../../../src/store/index.ts";
import type { Store } from "../../../../src/store/index.ts";
import { MetadataCache, metadataCache } from "../../../../src/wrappers/metadata-cache/index.ts";

const remote = ({ directory }: CrashPlace): Store => local({ directory: join(directory, "remote"), createRoot: true, flush: false });

const subject: CrashSubject = {
  name: "metadataCache(local)",
  open: (place) =>
    // Whatever is remembered is believed: the longer, the worse for a wrong one.
    stack(remote(place), metadataCache({ file: join(place.directory, "metadata.db"), ttlMs: 86_400_000, maxStaleMs: 86_400_000 })),
  remote,
  flush: async () => {},
  async stir(store) {
    // The whole tree is remembered; the next change must reach the file in time, or the file must not be believed.
    await store.list("/", { recursive: true }).toArray();
    find(store, MetadataCache)?.report();
  },
  // A copied tree is the work of local disk, file by file.
  wholeTrees: false,
  steps: [],
};
export default subject;
