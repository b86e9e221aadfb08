/**
 * Sends a request until it is answered: proves who we are, answers a challenge, replaces an idle connection that turned out to be closed. Nothing else is
 * ever sent twice here.
 */
import type { Authentication } from "./authentication.ts";
import { spoken } from "./errors.ts";
import type { Answer } from "./errors.ts";

/** How one sending goes out. */
export interface Attempt {
  /** The header Authorization. */
  readonly authorization: string | undefined;
  /** On a connection of its own: others in the pool may have gone with the one that was closed. */
  readonly fresh: boolean;
}
export interface Sending<A extends Answer> {
  readonly method: string;
  /** As it stands in the request line. */
  readonly href: string;
  send(attempt: Attempt): Promise<A>;
  /** After this error nothing was done, or sending it again does no harm. */
  mayRepeat(error: unknown): boolean;
  /** After a challenge: throws where it cannot be sent again. */
  again?(answer: A): void;
}

/** A nonce may go stale between a challenge and its answer; a server that asks for a third proof will not be content with any. */
const PROOFS = 2;

/** @throws StoreError `unauthenticated`, or what `send` throws */
export async function persist<A extends Answer>(authentication: Authentication, sending: Sending<A>): Promise<A> {
  let challenges = 0;
  let fresh = false;
  for (;;) {
    const proof = authentication.prove(sending.method, sending.href);
    let answer: A;
    try {
      answer = await sending.send({ authorization: proof.header, fresh });
    } catch (error) {
      if (fresh || !sending.mayRepeat(error)) throw error;
      fresh = true;
      continue;
    }
    if (answer.status !== 401) {
      authentication.accepted(proof);
      return answer;
    }
    if (++challenges > PROOFS || !authentication.challenged(proof, answer.headers.get("www-authenticate"))) throw authentication.refused(spoken(answer));
    sending.again?.(answer);
  }
}
