/**
 * Repeats a piece that the caller could not repeat more cheaply: a part of an upload, a page of a listing, the abort of an own upload.
 *
 *   const page = await tries(session, signal, () => wire.list(query, signal));
 *
 * Three tries; between them what the service asks for, else 200 ms doubled with full jitter, at most 5 s. What a caller would have to wait
 * longer for than 30 s in all goes up. `worth` decides otherwise than by the error's being transient. Whole operations are the business of a retry layer.
 */
import { translate } from "./errors.ts";
import type { Session } from "./session.ts";

const TRIES = 3;
const FIRST_WAIT_MS = 200;
const MAX_WAIT_MS = 5_000;
const MAX_TOTAL_MS = 30_000;

export async function tries<T>(session: Session, signal: AbortSignal | undefined, attempt: () => Promise<T>, worth?: (error: unknown) => boolean): Promise<T> {
  const { clock, settings } = session;
  const start = clock.monotonic();
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (tried >= TRIES || signal?.aborted === true) throw error;
      const known = translate(error, { operation: "" }, clock.now());
      if (worth === undefined ? known?.transient !== true : !worth(error)) throw error;
      const wait = known?.retryAfterMs ?? settings.random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried - 1));
      if (clock.monotonic() - start + wait > MAX_TOTAL_MS) throw error;
      await clock.sleep(wait, signal);
    }
  }
}
