/** What leaves when the cache is full: clean content, that which was read the longest time ago first. Never what is pending, or open. */
import type { StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { freeBytes } from "./disk.ts";
import type { NodeRow } from "./rows.ts";

const AT_ONCE = 256;
/** From this size on a full cache is emptied a bit further, so that it is not full again with the next file. */
const LARGE_BYTES = 10e6;

const ROWS_LOOK_EVERY = 1000;
const FORGET_AT_ONCE = 10_000;

/** Candidates are those whose bytes are at the remote: `used` is null for all others. */
interface Candidate {
  readonly id: number;
  readonly size: number;
  readonly used: number;
}

export function evictIfNeeded(core: Core): void {
  const { cacheBytes, maxRows } = core.settings();
  const isFull = core.content.bytes > cacheBytes;
  // Counting a million rows takes its time: not after each change.
  const isLooked = core.rowsLook.changes++ % ROWS_LOOK_EVERY === 0;
  if ((!isFull && !isLooked) || core.evicting) return;
  core.evicting = true;
  core.background(async () => {
    try {
      if (isFull) await evictTo(core, cacheBytes >= LARGE_BYTES ? cacheBytes * 0.8 : cacheBytes);
      else if (isLooked) await spareDisk(core);
      if (isLooked) forgetRows(core, maxRows);
    } finally {
      core.evicting = false;
    }
  });
}

/** When the disk runs short, clean content goes before anybody's write fails. */
async function spareDisk(core: Core): Promise<void> {
  const short = 2 * core.settings().minFreeBytes - (await freeBytes(core.directory));
  if (short > 0) await evictTo(core, Math.max(core.content.pendingBytes, core.content.bytes - short));
}

/** Rows without content are knowledge only: the oldest go, with directories that they leave empty. */
function forgetRows(core: Core, maxRows: number): void {
  const { rows } = core.journal.get<{ rows: number }>("select count(*) as rows from node where dirty = 0") as { rows: number };
  if (rows <= maxRows) return;
  core.group.record(() => {
    let left = rows - maxRows;
    const candidates = core.journal.all<NodeRow>(
      `select * from node where dirty = 0 and id <> 1 and content is null and not exists(select 1 from node c where c.parent = node.id)
       and not exists(select 1 from flight where node = node.id) order by checked, id limit ?`,
      Math.min(left, FORGET_AT_ONCE),
    );
    for (const row of candidates) {
      if (left-- <= 0 || core.barriers.touches(core.tree.pathOf(row))) continue;
      core.tree.remove(row);
    }
  });
}

/** In steps, so that nobody waits long. Gives the number of bytes that left. */
export async function evictTo(core: Core, target: number): Promise<number> {
  const { content, journal, rules } = core;
  let left = 0;
  core.group.record(() => content.flushReads());
  for (let last: Pick<Candidate, "used" | "id"> = { used: -1, id: 0 }; content.bytes > target;) {
    const candidates = rules.evictsOnlyClean
      ? journal.all<Candidate>(
          "select id, size, used from content where used is not null and (used, id) > (?, ?) order by used, id limit ?",
          last.used,
          last.id,
          AT_ONCE,
        )
      : journal.all<Candidate>(
          "select id, size, coalesce(used, 0) as used from content where (coalesce(used, 0), id) > (?, ?) order by 3, 1 limit ?",
          last.used,
          last.id,
          AT_ONCE,
        );
    if (candidates.length === 0) break;
    last = candidates.at(-1) as Candidate;
    core.group.record(() => {
      for (const { id, size } of candidates) {
        if (content.bytes <= target) break;
        if (evictContent(core, id)) left += size;
      }
    });
    core.step("evict.committed");
    await core.group.flush();
    core.step("evict.unlinked");
  }
  return left;
}

/** Inside of a transaction. The rows stay, with what is known of the remote. */
export function evictContent(core: Core, id: number): boolean {
  if (core.content.isPinned(id)) return false;
  const rows = core.journal.all<NodeRow>("select * from node where content = ?", id);
  const paths = rows.map((row) => core.tree.pathOf(row));
  if (paths.some((path) => core.barriers.touches(path))) return false;
  for (const [i, row] of rows.entries()) {
    core.content.unref(id);
    if (core.rules.evictionKeepsBase) core.tree.update(row, { content: null });
    else core.tree.remove(row);
    core.journal.after(() => core.events.tell("evicted", paths[i] as StorePath, { bytes: row.size ?? 0 }));
  }
  return true;
}

/** All clean content below a path. */
export async function evictBelow(core: Core, path: StorePath): Promise<void> {
  const node = core.tree.at(path);
  if (node === undefined) return;
  core.group.record(() => {
    for (const { content } of core.tree.subtree(node.id)) {
      if (content === null || core.content.facts(content)?.used === null) continue;
      evictContent(core, content);
    }
  });
  await core.group.flush();
}
