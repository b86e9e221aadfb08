/**
 * Deleting. A key is removed without being looked at, so what lies at a path is looked at first: S3 would call the deletion of a full
 * directory a success and do nothing.
 */
import { StoreError, inDoubt, inPart, type DeleteCall } from "../../store/index.ts";
import { beforehand } from "./beforehand.ts";
import type { Context } from "./context.ts";
import { translate } from "./errors.ts";
import { innerFailure, isFailure } from "./failure.ts";
import { hasFolderMarker, headOrNothing, isParentMarker, lookFile } from "./look.ts";
import { isEtag } from "./read.ts";
import { keyPage } from "./pages.ts";
import { tries } from "./tries.ts";
import { MAX_KEYS } from "./vendors.ts";
import type { FailedKey } from "./wire.ts";
import { unwritable } from "./xml.ts";

/** Keys that go one by one are on their way so many at once. */
const SINGLE_WIDTH = 8;

export async function remove(context: Context, call: DeleteCall): Promise<void> {
  const { path, recursive, ifMatch, signal } = call;
  const key = context.keys.file(path);
  if (ifMatch === undefined && recursive) return await removeTree(context, call, key);
  const found = await beforehand(context, call, lookFile(context, path, signal));
  if (found?.kind === "file") {
    if (ifMatch !== undefined && (found.facts.etag !== ifMatch || !isEtag(ifMatch))) throw new StoreError("precondition-failed", "the file has another etag");
    return await removeKey(context, key, ifMatch, signal);
  }
  // A key of its own content type marks the directory, and goes with it.
  await removeEmptyDirectory(context, call, found === undefined ? [] : [key]);
}

async function removeEmptyDirectory(context: Context, call: DeleteCall, markers: string[]): Promise<void> {
  const { path, ifMatch, signal } = call;
  const prefix = context.keys.directory(path);
  const { objects } = await beforehand(context, call, keyPage(context, { prefix, max: 2 }, signal));
  for (const { key, size } of objects) {
    if (key !== prefix || !isParentMarker(key, size))
      throw ifMatch === undefined ? new StoreError("not-empty", "the directory is not empty") : conditionOnDirectory();
    markers.push(key);
  }
  if (await beforehand(context, call, hasFolderMarker(context, path, signal))) markers.push(context.keys.folderMarker(path) as string);
  if (markers.length > 0 && ifMatch !== undefined) throw conditionOnDirectory();
  for (const marker of markers) await removeKey(context, marker, undefined, signal);
}

function conditionOnDirectory(): StoreError {
  return new StoreError("is-a-directory", "a condition on an etag is for files");
}

async function removeKey({ wire }: Context, key: string, ifMatch: string | undefined, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wire.remove(key, ifMatch, signal);
  } catch (error) {
    // Gone in between: that is what was wanted.
    if (!isFailure(error, 404) || error.code === "NoSuchBucket") throw error;
  }
}

/** Everything below, the markers, and a file of the same name: page by page, so that a second call finishes what one did not. */
async function removeTree(context: Context, call: DeleteCall, key: string): Promise<void> {
  const { path, signal } = call;
  const { session, keys, settings } = context;
  const prefix = keys.directory(path);
  let done = 0;
  try {
    for (let token: string | undefined; ;) {
      const query = { prefix, max: MAX_KEYS, token };
      // Where keys went before, "partly" is said below.
      const page = await beforehand(
        context,
        call,
        tries(session, signal, () => keyPage(context, query, signal)),
      );
      await removeAll(
        context,
        page.objects.map((object) => object.key),
        signal,
      );
      done += page.objects.length;
      if (page.next === null) break;
      token = page.next;
    }
    const marker = settings.folderMarkers ? keys.folderMarker(path) : undefined;
    if (marker !== undefined && (await beforehand(context, call, headOrNothing(context, marker, signal)))?.size === 0)
      await removeKey(context, marker, undefined, signal);
    await removeKey(context, key, undefined, signal);
  } catch (error) {
    if (done === 0 && !(error instanceof Partly)) throw error;
    const cause = error instanceof Partly ? error.failure : error;
    const known = translate(cause, call, session.clock.now());
    const failure = known ?? new StoreError(signal?.aborted === true ? "aborted" : "unknown", "a part of the tree is left", { cause });
    throw inPart(failure, "delete", { done: done + (error instanceof Partly ? error.done : 0), at: path });
  }
}

/** Some keys of a page went, others did not. */
class Partly extends Error {
  readonly done: number;
  readonly failure: unknown;
  constructor(done: number, failure: unknown) {
    super("a part of the keys is left");
    this.done = done;
    this.failure = failure;
  }
}

async function removeAll(context: Context, all: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  if (all.length === 0) return;
  const { vendor, wire, session } = context;
  const bulk = vendor.bulkDelete ? all.filter((key) => !unwritable(key)) : [];
  const single = vendor.bulkDelete ? all.filter(unwritable) : all;
  let left: readonly string[] = bulk;
  let failed: FailedKey | undefined;
  if (bulk.length > 0) {
    // Of a batch only the items that failed are sent again, and those that failed for good are not.
    await tries(
      session,
      signal,
      async () => {
        const failures = (await wire.removeMany(left, signal)).filter(({ code }) => code !== "NoSuchKey" && code !== "NoSuchVersion");
        failed = failures[0];
        left = failures.map(({ key }) => key);
        if (failed !== undefined) throw new Partly(bulk.length - left.length, innerFailure(failed.code, failed.message));
      },
      (error) => {
        const isAnswer = error instanceof Partly;
        const cause = isAnswer ? error.failure : error;
        // A batch without an answer can still land: it is not for us to send it again (`mayRepeat`).
        if (!isAnswer && leavesDoubt(context, cause)) return false;
        return translate(cause, { operation: "delete" }, session.clock.now())?.transient === true;
      },
    );
  }
  let done = bulk.length;
  let next = 0;
  const failures: unknown[] = [];
  // After a failure nothing new starts; when all have ended the first is told, or the first that leaves a doubt.
  const worker = async (): Promise<void> => {
    while (next < single.length && failures.length === 0) {
      try {
        await removeKey(context, single[next++] as string, undefined, signal);
        done++;
      } catch (failure) {
        failures.push(failure);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(SINGLE_WIDTH, single.length) }, worker));
  if (failures.length > 0) throw new Partly(done, failures.find((failure) => leavesDoubt(context, failure)) ?? failures[0]);
}

function leavesDoubt({ session }: Context, failure: unknown): boolean {
  const known = translate(failure, { operation: "delete" }, session.clock.now());
  return known === undefined || inDoubt(known.with({ operation: "delete" }));
}
