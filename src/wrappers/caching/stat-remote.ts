/** Asking the remote where it keeps a path of the user's. */
import type { Entry, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";

export interface Question {
  readonly fresh?: boolean | undefined;
  readonly detail?: "basic" | "full" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Entry with the path that was asked for; null: nothing there. */
export async function statRemote(core: Core, path: StorePath, { fresh = false, detail = "basic", signal }: Question = {}): Promise<Entry | null> {
  for (const place of core.barriers.translate(path)) {
    if (place === null) continue;
    const found = await core.remote.stat(place, { fresh, detail, signal });
    if (found !== null) return { ...found, path };
  }
  return null;
}

/** For callers: as `statRemote`, without what belongs to another place. */
export async function statForCaller(core: Core, path: StorePath, question?: Question): Promise<Entry | undefined> {
  const found = await statRemote(core, path, question);
  return found === null ? undefined : askedAt(core, found);
}

/** While a file is on its way to its path, the service's etag and identity are those of another place. */
export function askedAt(core: Core, found: Entry): Entry {
  if (core.barriers.translate(found.path).every((place) => place === found.path)) return found;
  return { ...found, etag: null, id: null };
}
