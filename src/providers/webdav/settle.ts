/** The look after a change that the server has called done. */
import { StoreError } from "../../store/index.ts";
import { translate } from "./errors.ts";
import type { Session } from "./session.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

/**
 * Servers that show late what was written: it is looked for until it shows, at most `settleMs`. What fails here fails after the change: `applied` is true.
 */
export async function settled<T>(session: Session, signal: AbortSignal | undefined, lookAgain: () => Promise<T | null>): Promise<T | null> {
  try {
    return await search(session, signal, lookAgain);
  } catch (error) {
    if (signal?.aborted === true) throw new StoreError("aborted", "the caller gave up after the change was done", { applied: true, cause: signal.reason });
    throw translate(error)?.with({ applied: true }) ?? error;
  }
}

/** The same for what is ours alone: a temporary file. */
export async function search<T>(session: Session, signal: AbortSignal | undefined, lookAgain: () => Promise<T | null>): Promise<T | null> {
  const { clock, settleMs } = session.settings;
  const end = clock.monotonic() + settleMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
    const found = await lookAgain();
    const left = end - clock.monotonic();
    if (found !== null || left <= 0) return found;
    await clock.sleep(Math.min(wait, left), signal);
  }
}

/** Success, and nothing is there: taken away at this moment, or never stored. SabreDAV says 201 to both of two moves of one file. */
export function vanished(): StoreError {
  return new StoreError("conflict", "the server called it done, and nothing is there: somebody else took it away at this moment, or it was not done", {
    applied: "unknown",
  });
}
