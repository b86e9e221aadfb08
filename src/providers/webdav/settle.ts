/** Servers that show late what was written: it is looked for until it shows, at most `settleMs`. */
import type { Session } from "./session.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

export async function settled<T>(session: Session, signal: AbortSignal | undefined, lookAgain: () => Promise<T | null>): Promise<T | null> {
  const { clock, settleMs } = session.settings;
  const end = clock.monotonic() + settleMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
    const found = await lookAgain();
    const left = end - clock.monotonic();
    if (found !== null || left <= 0) return found;
    await clock.sleep(Math.min(wait, left), signal);
  }
}
