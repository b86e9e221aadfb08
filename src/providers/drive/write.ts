/**
 * Writing. A file that fits into one request goes up in one, in the turn of its path: looked for, then made or given new bytes. A larger one goes up in a
 * session, which holds nothing up; in the turn of the path it is looked for again, and the last piece makes the file.
 */
import { createHash } from "node:crypto";
import { StoreError, nameOf } from "../../store/index.ts";
import type { Entry, WriteCall } from "../../store/index.ts";
import type { FileBody } from "./api.ts";
import { isAmbiguous } from "./errors.ts";
import { creating, inParent } from "./folders.ts";
import { Gatherer } from "./gather.ts";
import type { Piece } from "./gather.ts";
import { leaf } from "./lookup.ts";
import { packed, replacing } from "./metadata.ts";
import { multipart } from "./multipart.ts";
import { native } from "./names.ts";
import { entryOf, isGoogle } from "./resource.ts";
import type { DriveFile } from "./resource.ts";
import type { Session } from "./session.ts";
import { UNTYPED, homeOf, replaceable, replacedAll, same, untrashed } from "./stored.ts";
import { writeLarge } from "./write-large.ts";

/** RFC 9110, section 8.3.1. */
const TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[\t\x20-\x21\x23-\x5b\x5d-\x7e]*"))*$/;

export async function write(session: Session, call: WriteCall): Promise<Entry> {
  const facts = factsOf(call);
  await using pieces = await Gatherer.of(call.body);
  const { multipartBytes } = session.settings;
  // Known to be larger: not gathered twice.
  const first = call.body.size !== null && call.body.size > multipartBytes ? undefined : await pieces.next(multipartBytes + 1);
  const file =
    first !== undefined && first.isLast && first.bytes.byteLength <= multipartBytes
      ? await writeWhole(session, call, facts, first)
      : await writeLarge(session, call, facts, pieces, first);
  return entryOf(call.path, { file, target: file });
}

/** What is said of the file beside its name. @throws StoreError `unsupported`, `too-large` before any request */
export function factsOf({ contentType, modifiedMs, metadata }: WriteCall): FileBody {
  if (contentType !== undefined && (!TYPE.test(contentType) || isGoogle(contentType)))
    throw new StoreError("unsupported", "Drive takes media types, and none of Google's own documents", { applied: false });
  return {
    mimeType: contentType ?? UNTYPED,
    ...(modifiedMs === undefined ? {} : { modifiedTime: new Date(modifiedMs).toISOString() }),
    appProperties: packed(metadata ?? {}),
  };
}

async function writeWhole(session: Session, call: WriteCall, facts: FileBody, { bytes }: Piece): Promise<DriveFile> {
  const { path, signal } = call;
  const name = native(nameOf(path));
  const md5 = createHash("md5").update(bytes).digest("hex");
  const { file } = await inParent(session, path, signal, async (parent) => {
    const found = await leaf(session, parent, path, signal);
    const there = replaceable(found);
    if (there !== undefined) return { file: await replace(session, there, facts, bytes, md5, signal) };
    const home = homeOf(parent);
    const made = await creating(
      session,
      home,
      name,
      signal,
      (id) => multipart(sender(session), undefined, { ...facts, id, name, parents: [home] }, bytes, signal),
      (earlier) => replace(session, earlier, facts, bytes, md5, signal),
    );
    // Found by its id after a lost answer: what an earlier try of the same id left is not this one.
    return { file: made.md5Checksum === md5 || made.md5Checksum === undefined ? made : await replace(session, made, facts, bytes, md5, signal) };
  });
  return same(file, bytes.byteLength, md5);
}

const sender = ({ api, settings: { random } }: Session): Parameters<typeof multipart>[0] => ({ api, random });

/** New bytes and properties for a file that is there. */
async function replace(session: Session, there: DriveFile, facts: FileBody, bytes: Uint8Array, md5: string, signal: WriteCall["signal"]): Promise<DriveFile> {
  const body: FileBody = { ...facts, appProperties: replacing(there.appProperties, facts.appProperties as Record<string, string>) };
  let file: DriveFile;
  try {
    file = await multipart(sender(session), there.id, body, bytes, signal);
  } catch (error) {
    if (!isAmbiguous(error)) throw error;
    file = await replacedAll(session, there, md5, signal, error);
  }
  return untrashed(session, file, signal);
}
