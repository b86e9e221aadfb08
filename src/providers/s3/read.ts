/** Reading: one GET. What went wrong is looked into only when it did. */
import { rangeHeader, StoreError, type ProviderRead, type ReadCall } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { isFailure } from "./failure.ts";
import { fileEntry, isDirectory, isParentMarker, isTypeMarker, lookFile, notFound } from "./look.ts";
import type { ObjectFacts } from "./wire.ts";

export async function read(context: Context, call: ReadCall): Promise<ProviderRead> {
  const { path, range, signal } = call;
  const key = context.keys.file(path);
  // What no etag can be equals none: ifMatch is lost before a request, ifNoneMatch needs no header.
  if (call.ifMatch !== undefined && !isEtag(call.ifMatch)) throw new StoreError("precondition-failed", "the file has another etag");
  const ifNoneMatch = call.ifNoneMatch !== undefined && isEtag(call.ifNoneMatch) ? call.ifNoneMatch : undefined;
  try {
    const { facts, offset, body } = await context.wire.get(key, rangeHeader(range), call.ifMatch, ifNoneMatch, signal);
    if (isParentMarker(key, facts.size) || isTypeMarker(context, facts)) return await refuse(context, call);
    return { entry: fileEntry(context, path, facts), body, offset };
  } catch (error) {
    if (isFailure(error, 416)) return await pastEnd(context, call);
    if (isFailure(error, 404) && error.code !== "NoSuchBucket") return await refuse(context, call);
    throw error;
  }
}

async function refuse(context: Context, { path, signal }: ReadCall): Promise<never> {
  if (await isDirectory(context, path, signal)) throw new StoreError("is-a-directory", "a directory has no bytes");
  throw notFound();
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
