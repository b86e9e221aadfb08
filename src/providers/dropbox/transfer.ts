/**
 * copy_v2 and move_v2 by the rules of rename(2): a file over a file, a directory over nothing or an empty directory, never a merge.
 *
 * Dropbox refuses where anything is at the target. That is exact for `ifAbsent`; else source and target are looked at, the target goes in exactly the
 * version that was seen, and comes back if what follows fails. Between the two nothing is at the target.
 */
import { StoreError } from "../../store/index.ts";
import type { CopyCall, Entry, MoveCall } from "../../store/index.ts";
import { entryOf, fileIn, metadataIn } from "./entries.ts";
import type { FileMetadata, Metadata } from "./entries.ts";
import { ApiError, isRefusal, refusalOf } from "./errors.ts";
import { absent, metadataAt } from "./look.ts";
import { makeRoom } from "./room.ts";
import type { Session } from "./session.ts";
import { respell } from "./respell.ts";

type Transfer = CopyCall | MoveCall;
/** Times that source or target change between a look and the request before we say so. */
const TRIES = 4;
/** What was just made may be hidden from a move for so long. */
const HIDDEN_MS = 5000;
const LOOK_AGAIN_MS = 500;

export async function transfer(session: Session, call: Transfer): Promise<Entry> {
  const { path, to, operation, signal } = call;
  const from = session.names.native(path);
  const target = session.names.native(to);
  await session.needRoot(signal);
  const started = session.settings.clock.monotonic();
  for (let tries = 1; ; tries++) {
    try {
      const done = await session.commit(signal, () => send(session, operation, from, target, signal));
      return entryOf(to, operation === "move" ? await spelt(session, call, from, target, done) : done);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (isRefusal(error, "from_lookup/not_found")) {
        if ((await metadataAt(session, from, signal)) === null) throw await absent(session, signal, error);
        if (session.settings.clock.monotonic() - started > HIDDEN_MS)
          throw refusalOf(error, { code: "conflict", reason: "the source is there, and the service does not find it" });
        await session.settings.clock.sleep(LOOK_AGAIN_MS, signal);
        tries--;
        continue;
      }
      if (!isRefusal(error, "to/conflict/file", "to/conflict/folder")) throw refusalOf(error);
      if (call.ifAbsent) throw refusalOf(error, { code: "already-exists", reason: "something is at the target" });
      const [source, there] = await Promise.all([metadataAt(session, from, signal), metadataAt(session, target, signal)]);
      if (source === null) throw await absent(session, signal, error);
      if (tries === TRIES) throw refusalOf(error, { code: "conflict", reason: "somebody else changes source or target at this moment" });
      if (there === null) continue;
      // One file under two spellings.
      if (source.id === there.id) return entryOf(to, operation === "copy" ? source : await respell(session, from, target, source, signal));
      return entryOf(to, await session.commit(signal, () => replace(session, call, [from, source], [target, there])));
    }
  }
}

async function send(session: Session, operation: "copy" | "move", from: string, to: string, signal: AbortSignal | undefined): Promise<Metadata> {
  const args = { from_path: from, to_path: to, autorename: false };
  const { result } = await session.ask(operation === "copy" ? "filesCopyV2" : "filesMoveV2", args, signal, { quietMs: session.settings.treeTimeoutMs });
  return metadataIn((result as { readonly metadata?: unknown } | null)?.metadata);
}

/** Dropbox calls a move done that only changes the spelling, and does nothing. */
async function spelt(session: Session, { ifAbsent, signal }: Transfer, from: string, to: string, done: Metadata): Promise<Metadata> {
  if (done.name === session.names.last(to)) return done;
  if (ifAbsent) throw new StoreError("already-exists", "it is there under this name already", { applied: false });
  return respell(session, from, to, done, signal);
}

async function replace(
  session: Session,
  call: Transfer,
  [from, source]: readonly [string, Metadata],
  [to, there]: readonly [string, Metadata],
): Promise<Metadata> {
  const { operation, signal } = call;
  if (source[".tag"] === "file" && there[".tag"] === "folder")
    throw new StoreError("is-a-directory", "a file does not replace a directory", { applied: false });
  if (source[".tag"] === "folder" && there[".tag"] === "file")
    throw new StoreError("not-a-directory", "a directory does not replace a file", { applied: false });
  const room = await makeRoom(session, to, there, signal);
  return room.fill(() => send(session, operation, from, to, signal), {
    async made() {
      const now = await metadataAt(session, to, undefined);
      return now !== null && (operation === "move" ? now.id === source.id : sameBytes(now, source)) ? now : undefined;
    },
    // The source of a copy is where it was; a folder is never restored over another.
    recovered: async () => (operation === "move" && source[".tag"] === "file" ? recovered(session, from, to, source) : undefined),
  });
}

/** The file may have come to the target just before what had been there was put back over it: it is then no more at its old place, and a version of the target. */
async function recovered(session: Session, from: string, to: string, source: FileMetadata): Promise<Metadata | undefined> {
  try {
    if ((await metadataAt(session, from, undefined)) !== null) return undefined;
    const { result } = await session.ask("filesListRevisions", { path: to, limit: 10 }, undefined);
    const ours = (result as { readonly entries: readonly FileMetadata[] }).entries.find(
      (one) => one.id === source.id || sameBytes({ ".tag": "file", ...one }, { ".tag": "file", ...source }),
    );
    if (ours === undefined) throw new StoreError("unknown", "no version of the target has its bytes");
    return { ".tag": "file", ...fileIn((await session.ask("filesRestore", { path: to, rev: ours.rev }, undefined)).result) };
  } catch (cause) {
    throw new StoreError(
      "unavailable",
      "the file is at its old place, or it came to the target before the old file there was put back: then it is among the versions of the target",
      {
        applied: "unknown",
        cause,
      },
    );
  }
}

const sameBytes = (one: Metadata, other: Metadata): boolean =>
  one[".tag"] === "file" && other[".tag"] === "file" && one.content_hash !== undefined && one.content_hash === other.content_hash;
