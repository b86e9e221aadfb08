/**
 * Writing in a session. It says where the file will be before its bytes are there, and those may take hours, so:
 *  - where the directory is missing the file goes under a name of its own into what is there of the path, and is moved when all of it has arrived: a body
 *    that fails leaves no directory behind;
 *  - before the last piece the path is looked at again. What came meanwhile is replaced, and a file that went elsewhere is not written to.
 */
import { createHash } from "node:crypto";
import { StoreError, nameOf, parentOf, root } from "../../store/index.ts";
import type { WriteCall } from "../../store/index.ts";
import type { FileBody } from "./api.ts";
import { discard, untold } from "./delete.ts";
import { isAmbiguous, isMissing } from "./errors.ts";
import { inParent, outdated } from "./folders.ts";
import type { Gatherer, Piece } from "./gather.ts";
import { giveWay } from "./give-way.ts";
import { directoryAt, leaf, rootPlace } from "./lookup.ts";
import { native, temporaryName } from "./names.ts";
import type { Place } from "./paths.ts";
import { replacing } from "./metadata.ts";
import type { DriveFile } from "./resource.ts";
import { SessionLost, Upload } from "./resumable.ts";
import { put } from "./put.ts";
import type { Session } from "./session.ts";
import { UNTYPED, homeOf, replaceable, replacedAll, same, untrashed } from "./stored.ts";

/** Where the session puts the file. */
interface Aim {
  readonly parent: Place;
  /** The file that gets the new bytes. */
  readonly there: DriveFile | undefined;
  readonly id: string | undefined;
  readonly name: string;
  /** It is moved to its path afterwards. */
  readonly aside: boolean;
}

export async function writeLarge(session: Session, call: WriteCall, facts: FileBody, pieces: Gatherer, first: Piece | undefined): Promise<DriveFile> {
  const { body } = call;
  const { chunkBytes } = session.settings;
  const { aim, upload } = await begun(session, call, facts);
  const md5 = createHash("md5");
  try {
    for (let kept = first?.bytes.byteLength ?? 0; ; kept = 0) {
      const piece = await pieces.next(chunkBytes * Math.max(1, Math.ceil(kept / chunkBytes)), kept);
      md5.update(piece.bytes);
      if (!piece.isLast) {
        await upload.piece(piece.bytes, piece.offset);
        continue;
      }
      const bytes = piece.offset + piece.bytes.byteLength;
      const sum = md5.digest("hex");
      return same(await finished(session, call, aim, upload, piece, sum), bytes, sum);
    }
  } catch (error) {
    if (!(error instanceof SessionLost)) throw error;
    throw new StoreError("unavailable", "Drive lost the upload before its end", { applied: false, cause: error.cause, transient: body.replayable });
  } finally {
    await upload.cancel();
  }
}

async function begun(session: Session, call: WriteCall, facts: FileBody): Promise<{ readonly aim: Aim; readonly upload: Upload }> {
  const { path, signal, body } = call;
  for (let again = true; ; again = false) {
    const aim = await aimed(session, call);
    const { there, id, name, parent } = aim;
    const about: FileBody =
      there === undefined
        ? { ...facts, ...(id === undefined ? {} : { id }), name, parents: [homeOf(parent)] }
        : { ...facts, appProperties: replacing(there.appProperties, facts.appProperties as Record<string, string>) };
    try {
      return { aim, upload: await Upload.begin(session, there?.id, about, body.size, signal) };
    } catch (error) {
      if (!isMissing(error) || !again) throw error;
      await outdated(session, parentOf(path), signal);
    }
  }
}

async function aimed(session: Session, { path, signal }: WriteCall): Promise<Aim> {
  const name = native(nameOf(path));
  const parent = await directoryAt(session, parentOf(path), signal);
  if (parent === "file") throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
  if (parent !== null) {
    const there = replaceable(await leaf(session, parent, path, signal));
    return { parent, there, id: there === undefined ? await session.newId(homeOf(parent), name, signal) : undefined, name, aside: false };
  }
  let above = parentOf(path);
  for (let place: Place | "file" | null = null; ;) {
    above = parentOf(above);
    place = above === root ? await rootPlace(session, signal) : await directoryAt(session, above, signal);
    if (place === null || place === "file") continue;
    const temporary = temporaryName(session.settings.random);
    return { parent: place, there: undefined, id: await session.newId(homeOf(place), temporary, signal), name: temporary, aside: true };
  }
}

async function finished(session: Session, call: WriteCall, aim: Aim, upload: Upload, last: Piece, md5: string): Promise<DriveFile> {
  const { path, signal } = call;
  if (aim.aside) {
    const made = await end(session, aim, upload, last, md5, signal).catch(async (error: unknown) => {
      // It may have come to be all the same, under a name that nobody knows.
      await takeAway(session, aim);
      throw error;
    });
    return moved(session, call, made);
  }
  let made: DriveFile | undefined;
  const { file } = await inParent(session, path, signal, async (parent) => {
    if (made === undefined) {
      const found = await leaf(session, parent, path, signal);
      const now = replaceable(found);
      if (aim.there !== undefined && now?.id !== aim.there.id) await mayStillBeWritten(session, aim.there, signal);
      made = await end(session, aim, upload, last, md5, signal);
      const there = aim.there === undefined ? made : await untrashed(session, made, signal);
      // Others that came to bear the name while the bytes were on their way are replaced, as they would be by a write that begins now.
      if (found !== null && now?.id !== aim.there?.id && there.trashed !== true)
        await giveWay(session, path, found.all, there, signal, () => (aim.there === undefined ? discard(session, there, undefined) : trashed(session, there)));
      return { file: there };
    }
    // Its folder was deleted meanwhile: there is a new one.
    return { file: await put(session, made, parent, native(nameOf(path)), signal) };
  });
  return file;
}

/** What stands aside is nobody's file. */
async function takeAway(session: Session, { id, name }: Aim): Promise<void> {
  if (id === undefined) return;
  await untold(() => discard(session, { id, name, mimeType: UNTYPED }, undefined));
}

/** The file that was there when the upload began is not at the path any more. In the trash it may be written to, elsewhere it is another's. */
async function mayStillBeWritten(session: Session, there: DriveFile, signal: WriteCall["signal"]): Promise<void> {
  const changed = (): StoreError => new StoreError("conflict", "the file was moved or deleted while its new bytes were on their way", { applied: false });
  let now: DriveFile;
  try {
    now = await session.api.get(there.id, signal);
  } catch (error) {
    throw isMissing(error) ? changed() : error;
  }
  if (now.trashed !== true || now.name !== there.name || now.parents?.[0] !== there.parents?.[0]) throw changed();
}

/** The last piece. Where its answer is lost and the session does not tell, the file itself is asked for. */
async function end(
  session: Session,
  { there, id, parent, name }: Aim,
  upload: Upload,
  { bytes, offset }: Piece,
  md5: string,
  signal: WriteCall["signal"],
): Promise<DriveFile> {
  try {
    const file = await upload.finish(bytes, offset);
    if (id !== undefined) session.settled(homeOf(parent), name);
    session.recent.put(file);
    if (file.md5Checksum !== undefined && file.md5Checksum !== md5) same(file, offset + bytes.byteLength, md5);
    return file;
  } catch (error) {
    const lostAnswer =
      error instanceof SessionLost ? new StoreError("unavailable", "Drive lost the upload at its end", { applied: "unknown", cause: error.cause }) : error;
    if (id !== undefined && (signal?.aborted === true || isAmbiguous(lostAnswer))) session.doubt(homeOf(parent), name, id);
    if (!isAmbiguous(lostAnswer)) throw error;
    if (there !== undefined) return replacedAll(session, there, md5, signal, lostAnswer);
    const made = await session.api.get(id as string, signal).catch(() => {
      throw lostAnswer;
    });
    session.settled(homeOf(parent), name);
    session.recent.put(made);
    if (made.md5Checksum !== md5) throw lostAnswer;
    return made;
  }
}

/** Back to where it was when it got its bytes, whatever `deletes` says: it is no file of this write alone. */
async function trashed(session: Session, { id }: DriveFile): Promise<void> {
  session.recent.put(await session.api.update(id, { trashed: true }, undefined));
}

/** From aside to its path, whose directories are made now. */
async function moved(session: Session, { path, signal }: WriteCall, made: DriveFile): Promise<DriveFile> {
  let isThere = false;
  try {
    const { file } = await inParent(session, path, signal, async (parent) => {
      const found = await leaf(session, parent, path, signal);
      replaceable(found);
      const there = await put(session, made, parent, native(nameOf(path)), signal);
      if (found !== null && there.trashed !== true) {
        isThere = true;
        await giveWay(session, path, found.all, there, signal, () => discard(session, there, undefined));
      }
      return { file: there };
    });
    return file;
  } catch (error) {
    // It is nobody's file where it is; from its path it was taken back where that was right.
    if (!isThere) await untold(() => discard(session, made, undefined));
    throw error;
  }
}
