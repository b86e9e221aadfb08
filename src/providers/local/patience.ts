/** For systems where another program (a virus scanner, an indexer) holds a file for a moment. */
import { StoreError } from "../../store/index.ts";
import type { Clock } from "../../store/index.ts";
import { errnoOf } from "./disk.ts";

const TRIES = 10;
const PAUSE_MS = 100;

/** Tries again for a second while the file is in use; then `conflict`. */
export async function patiently<T>(work: () => Promise<T>, clock: Clock): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "EPERM" && errno !== "EBUSY" && errno !== "EACCES") throw error;
      if (tries === TRIES) throw new StoreError("conflict", "another program holds the file", { applied: false, cause: error });
      await clock.sleep(PAUSE_MS);
    }
  }
}
