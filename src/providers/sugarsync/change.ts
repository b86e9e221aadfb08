/** The requests that change something, one each, and what became of one whose answer was lost. */
import { StoreError } from "../../store/index.ts";
import { errorOf, translate } from "./errors.ts";
import type { Refusal } from "./errors.ts";
import { look } from "./find.ts";
import { linkOf, pathOf, refOf } from "./links.ts";
import { resourceOf } from "./resources.ts";
import type { Item, Resource } from "./resources.ts";
import type { Session } from "./session.ts";
import { XmlError, request } from "./xml.ts";

export type Thing = Pick<Item, "ref" | "kind">;
export type Outcome = { readonly done: Resource } | { readonly refused: Refusal };

/** Tries of a change that may be sent again: it says where a thing of ours is to be, so that twice is once. */
const TRIES = 5;
const LONGEST_WAIT_MS = 5000;

/**
 * Name and folder of a thing. An answer that is lost, or says 5xx, is settled by a look: the thing is there, or it is not known. `again`: nobody else knows
 * the thing, so that it may be sent again.
 */
export async function put(
  session: Session,
  { ref, kind }: Thing,
  to: { readonly name: string; readonly parent: string },
  again: boolean,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const xml = request(kind === "file" ? "file" : "folder", { displayName: to.name, parent: linkOf(to.parent, session.settings) });
  const { clock, random } = session.settings;
  for (let tries = 1; ; tries++) {
    let failure: unknown;
    try {
      const answer = await session.ask({ method: "PUT", path: pathOf(ref), xml, signal });
      if (answer.status < 300) return { done: await shown(session, answer, ref, signal) };
      const busy = answer.status === 429 || answer.status === 503;
      if ((answer.status < 500 && !busy) || (busy && (!again || tries === TRIES || signal?.aborted === true))) return { refused: answer };
      failure = errorOf(answer, { applied: busy ? false : "unknown" });
    } catch (error) {
      failure = error;
    }
    const known = translate(failure);
    if (known?.code === "rate-limited") {
      // It did nothing, and all the bytes are there: worth a wait.
      await clock.sleep(Math.min(LONGEST_WAIT_MS, known.retryAfterMs ?? 100 * 2 ** tries), signal);
      continue;
    }
    if (!isAmbiguous(failure)) throw failure;
    // The caller's signal may be why there is something to settle.
    const now = await look(session, ref, session.grace(signal)).catch(() => undefined);
    if (now !== undefined && now !== null && now.name === to.name && now.parent === to.parent) return { done: now };
    if (!again || tries === TRIES || signal?.aborted === true) throw failure;
    await clock.sleep(100 * 2 ** tries * random(), signal);
  }
}

/** Of this change nobody knows whether it happened. */
export function isAmbiguous(failure: unknown): boolean {
  if (failure instanceof Error && failure.name === "AbortError") return true;
  // Of a change: what breaks a connection does not say by itself whether one was under way.
  const known = translate(failure)?.with({ operation: "move" });
  // What is not of ours is the caller's reason for giving up.
  return known === undefined || (known.applied !== false && ["unavailable", "timeout", "aborted"].includes(known.code));
}

/** What the answer to PUT shows, or where it shows nothing, a look. */
async function shown(session: Session, answer: Refusal, ref: string, signal: AbortSignal | undefined): Promise<Resource> {
  try {
    if (answer.text !== "") return resourceOf(answer.text, ref, session.settings);
  } catch (error) {
    if (!(error instanceof XmlError) && !StoreError.is(error)) throw error;
  }
  return made(session, ref, signal);
}

/** A look at what was just made or changed: what fails here fails after the change. */
export async function made(session: Session, ref: string, signal: AbortSignal | undefined): Promise<Resource> {
  const now = await look(session, ref, signal).catch((error: unknown) => {
    throw afterwards(error);
  });
  if (now === null) throw new StoreError("conflict", "somebody else took it away at this moment", { applied: "unknown" });
  return now;
}

export function afterwards(error: unknown): unknown {
  return translate(error)?.with({ applied: true }) ?? error;
}

/** What POST to a folder made; undefined: the answer does not name it. */
export async function post(
  session: Session,
  parent: string,
  xml: string,
  signal: AbortSignal | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly ref: string | undefined } | { readonly refused: Refusal }> {
  const answer = await session.ask({ method: "POST", path: pathOf(parent), xml, headers, signal });
  if (answer.status >= 500 && answer.status !== 503) throw errorOf(answer, { applied: "unknown" });
  if (answer.status >= 300) return { refused: answer };
  const location = answer.headers.get("location");
  return { ref: location === null ? undefined : refOf(location, session.settings) };
}

/** Gone for good. Nothing there is success; a lost answer is settled by a look. */
export async function erase(session: Session, ref: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    const answer = await session.ask({ method: "DELETE", path: pathOf(ref), signal });
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 410) throw errorOf(answer);
  } catch (error) {
    if (!isAmbiguous(error) || (await look(session, ref, session.grace(signal)).catch(() => undefined)) !== null) throw error;
  }
}

/** Gone for the user: into Deleted Files, or for good where that is wanted. Gone already is success. */
export async function discard(session: Session, parent: string, item: Item, signal: AbortSignal | undefined): Promise<void> {
  if (!session.settings.hardDelete) return trash(session, parent, item, signal);
  await erase(session, item.ref, signal);
  session.index.drop(parent, item.ref, true);
}

/** Into Deleted Files, where it can be fetched back from. */
export async function trash(session: Session, parent: string, item: Item, signal: AbortSignal | undefined): Promise<void> {
  const { deleted } = await session.links(signal);
  const outcome = await put(session, item, { name: item.name, parent: deleted }, false, signal);
  if ("refused" in outcome && outcome.refused.status !== 404 && outcome.refused.status !== 410) throw errorOf(outcome.refused);
  session.index.drop(parent, item.ref, true);
}

/** For calls beside the one that is asked for, which must not hide what went wrong before them. */
export async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // What cannot be taken back is no reason to forget why. What is not of the service is a defect of ours.
    if (translate(error) === undefined) throw error;
  }
}
