/** Reading: one GET. What went wrong is looked into only when it did. */
import { bytesFrom, rangeHeader, root, StoreError, type ProviderRead, type ReadCall } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { isFailure } from "./failure.ts";
import { bucketIsThere, fileEntry, headOrNothing, isDirectory, isParentMarker, isTypeMarker, lookFile, notFound } from "./look.ts";
import type { ObjectBody, ObjectFacts } from "./wire.ts";

export async function read(context: Context, call: ReadCall): Promise<ProviderRead> {
  const { path, range, signal } = call;
  if (path === root) {
    // Always a directory, also where nothing lies in it; and a bucket without a prefix has no key for it.
    await bucketIsThere(context, signal);
    throw aDirectory();
  }
  const key = context.keys.file(path);
  // What no etag can be equals none: ifMatch is lost before a request, ifNoneMatch needs no header.
  if (call.ifMatch !== undefined && !isEtag(call.ifMatch)) throw new StoreError("precondition-failed", "the file has another etag");
  const ifNoneMatch = call.ifNoneMatch !== undefined && isEtag(call.ifNoneMatch) ? call.ifNoneMatch : undefined;
  try {
    const answer = await context.wire.get(key, rangeHeader(range), call.ifMatch, ifNoneMatch, signal);
    try {
      const { facts, offset } = await understood(context, key, answer, signal);
      if (isParentMarker(key, facts.size) || isTypeMarker(context, facts)) return await refuse(context, call);
      return { entry: fileEntry(context, path, facts), body: answer.body, offset };
    } catch (error) {
      await bytesFrom(answer.body).close();
      throw error;
    }
  } catch (error) {
    if (isFailure(error, 416)) return await pastEnd(context, call);
    if (isFailure(error, 404) && error.code !== "NoSuchBucket") return await refuse(context, call);
    throw error;
  }
}

/** Which bytes of which size came. Neither is guessed: a part is not taken for the beginning, nor what broke off for the end. */
async function understood(
  context: Context,
  key: string,
  { facts, offset }: ObjectBody,
  signal: AbortSignal | undefined,
): Promise<{ readonly facts: ObjectFacts; readonly offset: number }> {
  if (offset === null) throw new StoreError("unavailable", "the service does not say which part of the file it sends");
  if (facts.size !== null) return { facts, offset };
  const now = await headOrNothing(context, key, signal);
  if (now?.etag !== facts.etag) throw new StoreError("conflict", "the file changed while it was read");
  return { facts: { ...facts, size: now.size }, offset };
}

async function refuse(context: Context, { path, signal }: ReadCall): Promise<never> {
  if (await isDirectory(context, path, signal)) throw aDirectory();
  throw notFound();
}

function aDirectory(): StoreError {
  return new StoreError("is-a-directory", "a directory has no bytes");
}

/** An empty object has no range at all for most services, although offset 0 and any suffix are fine. */
async function pastEnd(context: Context, { path, range, signal }: ReadCall): Promise<ProviderRead> {
  const found = await lookFile(context, path, signal);
  if (found?.kind !== "file") throw notFound();
  const facts: ObjectFacts = found.facts;
  const entry = fileEntry(context, path, facts);
  const offset = range?.offset ?? 0;
  if (facts.size === 0 && offset <= 0) return { entry, body: new Uint8Array(0) };
  if (facts.size !== null && offset < facts.size) throw new StoreError("conflict", "the file changed while it was read");
  throw new StoreError("bad-range", "the range starts at or past the end", { entry });
}

/** What may stand between the quotes of an etag. */
export function isEtag(text: string): boolean {
  return /^[\u0021\u0023-\u007e]*$/.test(text);
}
