/** Before the first check against somebody else's service: the proof that what the suite writes and deletes lies in its own places and nowhere else. */
import { emptyPlace } from "./clean-up.ts";
import { HarnessError } from "./connections.ts";
import { openSite } from "./place.ts";
import type { Site } from "./place.ts";
import { hasCode } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import type { Subject } from "./subject.ts";

/**
 * Two places, both of which must be empty; what is written in one must not be seen in the other. Without that proof nothing is deleted and no check runs.
 * @throws HarnessError that says what is wrong with the subject, or what the service answered
 */
export async function provePlaces(subject: Subject, options: { readonly run: string; readonly seed: number }): Promise<void> {
  const sites: Site[] = [];
  const stores: Store[] = [];
  try {
    for (const label of ["places, one", "places, two"]) {
      const site = await openSite({ ...options, label, wire: subject.wire === true });
      sites.push(site);
      const store = await subject.open(await site.place(0));
      stores.push(store);
      await mustBeEmpty(store, site);
    }
    const [one, two] = stores as [Store, Store];
    if (one.capabilities.write === false || one.capabilities.delete === false) return;
    const mark = one.capabilities.filesAtRoot ? "/stratus-was-here.txt" : "/stratus-was-here/mark.txt";
    await one.write(mark, `A file of a conformance run, place ${sites[0]?.id}. It may be deleted.`);
    try {
      if (await seen(two, mark, "/stratus-was-here"))
        throw new HarnessError(
          "two places see each other's files: `open` must keep each place to a bucket, folder or prefix named after `place.id`. Nothing else was touched",
        );
    } finally {
      await one.delete(mark);
      if (!one.capabilities.filesAtRoot) await one.delete("/stratus-was-here");
    }
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    throw new HarnessError(`the service could not be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    for (const [i, store] of stores.entries()) {
      const site = sites[i] as Site;
      // The place was empty and holds nothing now; only the empty bucket or folder itself may be left, which the subject can remove.
      if (subject.remove !== undefined) await emptyPlace(async () => store, subject, site);
      await store.close();
    }
    for (const site of sites) {
      await site.cut();
      await site.remove();
    }
  }
}

async function mustBeEmpty(store: Store, site: Site): Promise<void> {
  if (store.capabilities.list === false) return;
  for await (const entry of store.list("/")) {
    throw new HarnessError(
      `the place ${site.id} is new and holds ${entry.path} already: \`open\` must keep each place to a bucket, folder or prefix named after \`place.id\`. Nothing was touched`,
    );
  }
}

async function seen(store: Store, path: string, dir: string): Promise<boolean> {
  for (const look of [path, dir]) {
    try {
      await store.stat(look);
      return true;
    } catch (error) {
      if (!hasCode(error, "not-found")) throw error;
    }
  }
  return false;
}
