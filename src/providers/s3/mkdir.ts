/** Making a directory that stays although it is empty: an empty object whose key ends in "/". */
import { root, StoreError, type Entry, type MkdirCall, type StorePath } from "../../store/index.ts";
import { beforehand } from "./beforehand.ts";
import type { Context } from "./context.ts";
import { isFailure } from "./failure.ts";
import { bucketIsThere, directoryEntry, hasFolderMarker, lookFile } from "./look.ts";
import { keyPage } from "./pages.ts";
import { putBytes } from "./put.ts";

/** What AWS's own console, and most tools, give it. */
const MARKER = { contentType: "application/x-directory", metadata: undefined } as const;

export async function mkdir(context: Context, call: MkdirCall): Promise<Entry> {
  const { path, existOk, signal } = call;
  if (path === root) {
    await beforehand(context, call, bucketIsThere(context, signal));
    if (existOk) return directoryEntry(path);
    throw exists();
  }
  const key = context.keys.marker(path);
  const { objects } = await beforehand(context, call, keyPage(context, { prefix: key, max: 1 }, signal));
  const there = objects.length > 0 || (await beforehand(context, call, isMarkedBeside(context, path, signal)));
  if (there && !existOk) throw exists();
  // The first key of the prefix is the prefix itself where it is one: a marker already, or the file without a name. Neither is overwritten.
  if (objects[0]?.key === key) return directoryEntry(path);
  try {
    await putBytes(context, key, new Uint8Array(0), MARKER, { ifAbsent: context.vendor.putIfAbsent, ifMatch: undefined }, undefined, signal);
  } catch (error) {
    if (!isFailure(error, 412, "ConditionalRequestConflict")) throw error;
    if (!existOk) throw exists();
  }
  return directoryEntry(path);
}

/** By an object that is not below it: a marker of older Hadoop tools, or one of a directory's content type. */
async function isMarkedBeside(context: Context, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  if (context.settings.contentTypeMarkers && (await lookFile(context, path, signal))?.kind === "directory") return true;
  return await hasFolderMarker(context, path, signal);
}

function exists(): StoreError {
  return new StoreError("already-exists", "the directory exists");
}
