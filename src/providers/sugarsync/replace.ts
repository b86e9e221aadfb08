/** Something in the place of what is there: the old one to Deleted Files, the new one under its name, and the old one back where that fails. */
import { StoreError } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { erase, put, quietly, trash } from "./change.ts";
import type { Thing } from "./change.ts";
import { isThere } from "./delete.ts";
import { errorOf, translate } from "./errors.ts";
import { find, look, namesOf } from "./find.ts";
import { makeFolders } from "./make.ts";
import type { Made } from "./make.ts";
import { fold } from "./names.ts";
import type { Item, Resource } from "./resources.ts";
import type { Session } from "./session.ts";

/** Times that the target changes between the look and the change before we say so. */
const TRIES = 4;

export interface Replacing {
  readonly path: StorePath;
  readonly thing: Thing;
  /** Nobody else knows the thing. */
  readonly alone: boolean;
  readonly made: Made[];
  readonly signal: AbortSignal | undefined;
  /** What rename(2) says to this target. */
  allow(target: Item): void | Promise<void>;
  /** From now on something may have changed. */
  begin(): void;
}

export async function replace(
  session: Session,
  { path, thing, alone, made, signal, allow, begin }: Replacing,
): Promise<{ readonly resource: Resource; readonly parent: string }> {
  const names = namesOf(path);
  const name = names.at(-1) as string;
  for (let tries = 1; ; tries++) {
    const above = await find(session, path, { signal });
    const parent = await makeFolders(session, above, names.slice(0, -1), made, signal);
    const done = await session.turns.take(`${parent} ${fold(name)}`, signal, async () => {
      const place = await find(session, path, { signal, sure: true, fresh: tries > 1 });
      if (place.depth < names.length - 1 || place.parent !== parent) return undefined;
      const old = place.item === null || place.item.ref === thing.ref ? [] : [place.item, ...place.others.filter(({ ref }) => ref !== thing.ref)];
      for (const one of old) await allow(one);
      begin();
      return exchange(session, thing, alone, old, { name, parent }, signal);
    });
    if (done !== undefined && "done" in done) {
      session.index.made(parent, done.done);
      return { resource: done.done, parent };
    }
    // 400: something of this name came meanwhile. 404: the folder went.
    if (done !== undefined && ![400, 404, 409].includes(done.refused.status)) throw errorOf(done.refused);
    session.index.drop(parent, "", false);
    if (tries === TRIES) {
      const reason = "somebody else changes this at the moment";
      throw done === undefined ? new StoreError("conflict", reason, { applied: false }) : errorOf(done.refused, { code: "conflict", reason, applied: false });
    }
  }
}

async function exchange(
  session: Session,
  thing: Thing,
  alone: boolean,
  old: readonly Item[],
  to: { readonly name: string; readonly parent: string },
  signal: AbortSignal | undefined,
): ReturnType<typeof put> {
  const taken: Item[] = [];
  try {
    for (const [i, one] of old.entries()) {
      // The first was looked at by `find`.
      if (i > 0 && !(await isThere(session, to.parent, one, signal))) continue;
      taken.push(one);
      await trash(session, to.parent, one, signal);
    }
    const outcome = await put(session, thing, to, alone, signal);
    if ("refused" in outcome) await putBack(session, taken, to.parent, undefined, session.grace(signal));
    else if (session.settings.hardDelete) for (const one of taken) await quietly(erase(session, one.ref, session.grace(signal)));
    return outcome;
  } catch (error) {
    // What was given up may have happened: then it is done, and nothing goes back.
    const now = await look(session, thing.ref, session.grace(signal)).catch(() => undefined);
    if (now !== undefined && now !== null && now.name === to.name && now.parent === to.parent) return { done: now };
    await putBack(session, taken, to.parent, error, session.grace(signal));
    throw error;
  }
}

/** The old ones where they were. @throws StoreError `conflict` that says where they lie, where that fails */
async function putBack(session: Session, taken: readonly Item[], parent: string, why: unknown, signal: AbortSignal | undefined): Promise<void> {
  for (const one of taken) {
    const outcome = await put(session, one, { name: one.name, parent }, true, signal).catch((error: unknown) => {
      if (translate(error) === undefined) throw error;
      return undefined;
    });
    if (outcome === undefined || "refused" in outcome)
      throw new StoreError("conflict", "the change failed half way: what was there lies in Deleted Files under its name", {
        applied: "partly",
        transient: false,
        cause: why,
      });
    session.index.made(parent, outcome.done);
  }
}
