/** All children of a folder, page by page. */
import { StoreError } from "../../store/index.ts";
import { errorOf, translate } from "./errors.ts";
import { pathOf } from "./links.ts";
import { pageOf } from "./resources.ts";
import type { Item, Page } from "./resources.ts";
import type { Session } from "./session.ts";

const PAGE = 500;
/** Times that a folder is listed again because things were taken out of it meanwhile. */
const TRIES = 5;
/** Times that a later page is asked for: without it everything before would be asked for again. */
const PAGE_TRIES = 3;
const LONGEST_WAIT_MS = 5000;

/**
 * Null: the folder is not there. Pages are counted by index, so what is taken out while listing moves the rest forward, and entries would be missed. Each
 * page therefore begins with the last entry of the one before; when none of that page is in it any more, the listing begins again.
 */
export async function listFolder(session: Session, ref: string, signal: AbortSignal | undefined): Promise<readonly Item[] | null> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const items = await once(session, ref, signal);
    if (items === null) return null;
    if (items === "moved") continue;
    const { deleted } = await session.links(signal);
    const own = items.filter((item) => item.ref !== deleted);
    session.index.listed(ref, own);
    return own;
  }
  throw new StoreError("conflict", "the folder changes faster than it can be listed", { applied: false });
}

async function once(session: Session, ref: string, signal: AbortSignal | undefined): Promise<readonly Item[] | null | "moved"> {
  const all = new Map<string, Item>();
  let start = 0;
  for (let before: Page | undefined; ;) {
    const page = await pageAt(session, ref, start, signal);
    if (page === null) return null;
    if (before !== undefined && page.items.length === 0) return "moved";
    const seen = new Set(before?.items.map((item) => item.ref));
    if (before !== undefined && !page.items.some((item) => seen.has(item.ref))) return "moved";
    for (const item of page.items) all.set(item.ref, item);
    if (!page.hasMore) return [...all.values()];
    // With one page of one entry nothing would ever move on.
    if (page.end <= start) throw new StoreError("unavailable", "the listing does not go on: the service gave the same page again");
    before = page;
    start = page.end;
  }
}

async function pageAt(session: Session, ref: string, start: number, signal: AbortSignal | undefined): Promise<Page | null> {
  const { clock, random } = session.settings;
  for (let tries = 1; ; tries++) {
    try {
      return await session.get(`${pathOf(ref)}/contents?start=${start}&max=${PAGE}`, signal, (answer) => {
        // Asked as a folder, a file is 400.
        if (answer.status === 404 || answer.status === 400) return null;
        if (answer.status !== 200) throw errorOf(answer);
        return pageOf(answer.text, session.settings);
      });
    } catch (error) {
      const known = translate(error);
      if (start === 0 || tries === PAGE_TRIES || known?.transient !== true || signal?.aborted === true) throw error;
      await clock.sleep(Math.min(LONGEST_WAIT_MS, known.retryAfterMs ?? 200 * 2 ** tries * random()), signal);
    }
  }
}
