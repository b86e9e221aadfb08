/** Writing: the bytes under a temporary name, looked at, and then put in the place of what was there. */
import { StoreError, undone } from "../../store/index.ts";
import type { Entry, WriteCall } from "../../store/index.ts";
import { erase, post, quietly } from "./change.ts";
import { errorOf, translate } from "./errors.ts";
import { find, look, namesOf } from "./find.ts";
import { pathOf } from "./links.ts";
import { listFolder } from "./list.ts";
import { makeFolders, takeBack } from "./make.ts";
import type { Made } from "./make.ts";
import { isTemporary, temporaryName } from "./names.ts";
import { replace } from "./replace.ts";
import { entryOf } from "./resources.ts";
import type { Session } from "./session.ts";
import { spaceOf } from "./space.ts";
import type { Upload } from "./wire.ts";
import { request } from "./xml.ts";

export async function write(session: Session, call: WriteCall): Promise<Entry> {
  const { path, body, signal } = call;
  await session.removeOrphans(signal);
  let place = await find(session, path, { signal });
  if (place.item?.kind === "directory" || place.blocked) place = await find(session, path, { signal, fresh: true });
  if (place.blocked) throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
  if (place.item !== null) allow(place.item);
  const made: Made[] = [];
  const temporary = new Temporary(session);
  let isMoving = false;
  try {
    const { root } = await session.links(signal);
    // Folders above are made when the bytes are there: a body that fails leaves nothing. But no file, not even a temporary one, lies at the top.
    const home = place.parent === root ? await makeFolders(session, place, namesOf(path).slice(0, -1), made, signal) : place.parent;
    const ref = await temporary.make(home, request("file", { displayName: temporary.name, mediaType: "application/octet-stream" }), signal);
    const sent = await session.upload(`${pathOf(ref)}/data`, body, signal);
    if (sent.status >= 300) throw await refused(session, sent, body.size, signal);
    await proven(session, ref, sent.bytes, signal);
    const { resource } = await replace(session, { path, thing: { ref, kind: "file" }, alone: true, made, signal, allow, begin: () => (isMoving = true) });
    if (resource.size !== sent.bytes) throw new StoreError("conflict", "somebody else wrote the file at this moment", { applied: true });
    return entryOf(path, resource);
  } catch (error) {
    await quietly(temporary.remove(isMoving, session.grace(signal)));
    if (isMoving) throw error;
    await quietly(takeBack(session, made, session.grace(signal)));
    throw undone(error, signal, translate);
  }
}

function allow(target: { readonly kind: string }): void {
  if (target.kind === "directory") throw new StoreError("is-a-directory", "there is a directory of this name", { applied: false });
}

/** Between tries to remove a temporary file. */
const WAITS_MS = [0, 100, 200, 400, 800];

/** A file that nobody else knows, by its name and then by its id. */
export class Temporary {
  readonly name: string;
  readonly #session: Session;
  #home: string | undefined;
  #ref: string | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.name = temporaryName(session.settings.random);
  }

  async make(home: string, xml: string, signal: AbortSignal | undefined): Promise<string> {
    this.#home = home;
    const answer = await post(this.#session, home, xml, signal);
    if ("refused" in answer) {
      const { status } = answer.refused;
      // Something of this name is there, and nobody else takes such a name: the request came twice.
      const twice = status === 400 || status === 409 ? await this.#found(home, signal) : undefined;
      if (twice !== undefined) return (this.#ref = twice);
      this.#home = undefined;
      if (status !== 404) throw errorOf(answer.refused);
      this.#session.index.drop(home, "", false);
      throw errorOf(answer.refused, { code: "conflict", reason: "the directory went at this moment", applied: false });
    }
    const ref = answer.ref ?? (await this.#found(home, signal));
    if (ref === undefined) throw new StoreError("unavailable", "the service called the file made and does not have it", { applied: false });
    this.#ref = ref;
    return ref;
  }

  /**
   * On its own account: the caller's signal may be why there is something to remove. One that may have got its name is looked at first, and stays if it has.
   * What fails for now is tried again for a while, for nobody else would remove it.
   */
  async remove(mayBeNamed: boolean, signal: AbortSignal | undefined): Promise<void> {
    for (const [i, wait] of WAITS_MS.entries()) {
      try {
        if (wait > 0) await this.#session.settings.clock.sleep(wait, signal);
        return await this.#remove(mayBeNamed, signal);
      } catch (error) {
        if (translate(error)?.transient === true && signal?.aborted !== true && i < WAITS_MS.length - 1) continue;
        this.#session.orphans.add(this);
        throw error;
      }
    }
  }

  async #remove(mayBeNamed: boolean, signal: AbortSignal | undefined): Promise<void> {
    const ref = this.#ref ?? (this.#home === undefined ? undefined : await this.#found(this.#home, signal));
    if (ref === undefined) return;
    const now = mayBeNamed ? await look(this.#session, ref, signal) : undefined;
    if (now === undefined || (now !== null && isTemporary(now.name))) await erase(this.#session, ref, signal);
  }

  /** The answer that names it was lost. */
  async #found(home: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    return (await listFolder(this.#session, home, signal))?.find(({ name }) => name === this.name)?.ref;
  }
}

/** @throws StoreError `integrity` where bytes are missing: nothing has the file's name yet */
async function proven(session: Session, ref: string, bytes: number, signal: AbortSignal | undefined): Promise<void> {
  const stored = await look(session, ref, signal);
  if (stored === null) throw new StoreError("conflict", "somebody else took the file away while it was written", { applied: false });
  if (stored.size !== bytes || !stored.present)
    throw new StoreError("integrity", `the service stored ${stored.size} of ${bytes} bytes and called that success`, { applied: false, transient: true });
}

/** 403 may be the quota, which the user's own figures tell. */
async function refused(session: Session, sent: Upload, size: number | null, signal: AbortSignal | undefined): Promise<StoreError> {
  if (sent.status === 403) {
    const { free } = spaceOf(await session.user(signal));
    if (free !== null && free < (size ?? sent.bytes)) return errorOf(sent, { code: "no-space", reason: "the account is full", applied: false });
  }
  return errorOf(sent, { applied: false });
}
