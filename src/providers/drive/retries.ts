/** What the caller cannot repeat more cheaply is tried again here: a page in the middle of a listing, a piece of an upload. Nothing else is. */
import { StoreError } from "../../store/index.ts";
import type { Clock } from "../../store/index.ts";
import type { Signal } from "./api.ts";

const TRIES = 3;
const FIRST_MS = 200;
const LONGEST_MS = 5000;
/** All waits of one piece together. */
const IN_ALL_MS = 30_000;

export interface Patience {
  /** Waits, or throws the error where it will not pass, or has been waited for long enough. */
  wait(error: unknown, signal: Signal): Promise<void>;
  /** It went on: the counting begins anew. */
  reset(): void;
}

export function patience({ clock, random }: { readonly clock: Clock; readonly random: () => number }): Patience {
  let tries = 1;
  let waited = 0;
  return {
    async wait(error, signal) {
      if (!StoreError.is(error) || !error.transient || signal?.aborted === true || tries >= TRIES) throw error;
      const ms = error.retryAfterMs ?? Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1)) * random();
      if (waited + ms > IN_ALL_MS) throw error;
      tries++;
      waited += ms;
      if (ms > 0) await clock.sleep(ms, signal);
    },
    reset() {
      tries = 1;
    },
  };
}
