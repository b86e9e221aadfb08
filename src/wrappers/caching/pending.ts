/** What the holder of a stack can ask about what is pending, and do about it. */
import { constants, copyFile, writeFile } from "node:fs/promises";
import { StoreError, isInside, parsePath, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { PARKED_DUE } from "./barrier-run.ts";
import { pendingRows } from "./candidates.ts";
import type { Conflict, FileState, FileStateName, PendingFile } from "./control-types.ts";
import type { Core } from "./core.ts";
import { codeOf } from "./error-code.ts";
import { hasFlight } from "./journal-changes.ts";
import { errorOf } from "./retry-policy.ts";
import { ABSENT, DIRECTORY, FILE, SUBTREE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import type { Uploader } from "./uploader.ts";
import { notFound } from "./learn.ts";

export function dirty(
  core: Core,
  given: { readonly path?: string | undefined; readonly after?: string | undefined; readonly limit?: number | undefined } = {},
): readonly PendingFile[] {
  const below = parsePath(given.path ?? root);
  const { limit = 1000 } = given;
  return pendingBelow(core, below)
    .map((row) => ({ row, path: core.tree.pathOf(row) }))
    .filter(({ path }) => given.after === undefined || path > given.after)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .slice(0, limit)
    .map(({ row, path }) => ({
      path,
      change: row.kind === FILE ? ("write" as const) : row.kind === ABSENT ? ("delete" as const) : ("mkdir" as const),
      size: row.kind === FILE ? (row.size ?? 0) : 0,
      sinceMs: row.since ?? 0,
    }));
}

function pendingBelow(core: Core, below: StorePath): NodeRow[] {
  if (below === root) return core.journal.all<NodeRow>(pendingRows("*"));
  const top = core.tree.at(below);
  return top === undefined ? [] : core.tree.subtree(top.id).filter((one) => one.dirty === 1);
}

export function stateOf(core: Core, uploader: Uploader, text: string): FileState {
  const path = parsePath(text);
  const node = core.tree.at(path);
  if (node === undefined)
    return { state: "absent", dirty: false, size: null, sinceMs: null, dueAtMs: null, attempts: 0, error: null, sentBytes: 0, totalBytes: null };
  const transfer = uploader.claimOf(node.id);
  const isDirty = node.dirty === 1;
  return {
    state: nameOf(core, node, path, transfer !== undefined),
    dirty: isDirty,
    size: node.kind === FILE ? node.size : null,
    sinceMs: node.since,
    dueAtMs: isDirty ? node.due : null,
    attempts: node.tries,
    error: errorOf(node.error),
    sentBytes: transfer?.sent ?? 0,
    totalBytes: transfer?.total ?? null,
  };
}

function nameOf(core: Core, node: NodeRow, path: StorePath, isRunning: boolean): FileStateName {
  if (core.journal.get("select 1 from flight where (node = ? or path = ?) and doubt = 1", node.id, path) !== undefined) return "in-doubt";
  if (node.dirty === 0) return "clean";
  if (node.due === null) return "parked";
  if (node.kind === ABSENT) return "deleting";
  if (isRunning || hasFlight(core, node)) return "uploading";
  return core.barriers.over(path) === undefined ? "waiting" : "blocked";
}

/** Now, whatever the pauses say; below a path or all. */
export function retry(core: Core, text: string | undefined): void {
  const path = parsePath(text ?? root);
  const now = core.clock.now();
  core.group.record(() => {
    for (const row of pendingBelow(core, path)) if (row.error !== null || row.due === null) core.tree.update(row, { due: now, tries: 0, error: null });
    for (const { seq, src, dst, error } of core.barriers.all)
      if (error !== null && (isInside(src, path) || (dst !== null && isInside(dst, path)))) core.barriers.update(seq, { due: null, tries: 0, error: null });
  });
  core.uploader.wake();
}

/** The local change goes, the remote's version shows. */
export async function discard(core: Core, text: string): Promise<void> {
  const path = parsePath(text);
  await core.group.add(() => {
    const node = core.tree.at(path);
    const barriers = core.barriers.all.filter(({ src, dst, due }) => due === PARKED_DUE && (src === path || dst === path));
    if (node === undefined || node.dirty === 0) {
      if (barriers.length === 0) throw new StoreError("not-found", "nothing is pending there", { applied: false });
    } else {
      if (hasFlight(core, node)) throw new StoreError("conflict", "a request of this file is under way", { applied: false });
      if (node.kind === DIRECTORY && core.tree.children(node.id).length > 0)
        core.tree.update(node, { dirty: 0, since: null, due: null, wait: null, error: null, base_kind: null });
      else {
        core.content.unref(node.content);
        core.tree.remove(node);
      }
    }
    for (const { seq, src, dst } of barriers) {
      core.barriers.remove(seq);
      for (const at of dst === null ? [src] : [src, dst]) forgetClean(core, at);
    }
    core.watches.touch(path);
  });
  core.uploader.wake();
}

/** Of a tree operation that will not happen: what is clean is asked of the remote again, what is pending stays, without a base. */
function forgetClean(core: Core, path: StorePath): void {
  const top = core.tree.at(path);
  if (top === undefined) return;
  for (const { id } of core.tree.subtree(top.id).reverse()) {
    const one = core.tree.row(id) as NodeRow;
    if (one.dirty === 1) core.tree.update(one, { base_kind: null, base_etag: null });
    else if (core.tree.children(id).length === 0 && id !== 1 && !hasFlight(core, one)) {
      core.content.unref(one.content);
      core.tree.remove(one);
    }
  }
  core.watches.touch(path);
}

export async function exportTo(core: Core, text: string, localPath: string): Promise<void> {
  const node = core.tree.at(parsePath(text));
  const row = node?.content === null || node?.content === undefined ? undefined : core.content.row(node.content);
  if (row === undefined) throw notFound();
  core.content.pin(row.id);
  try {
    if (row.data === null) await copyFile(core.content.path(row.id), localPath, constants.COPYFILE_EXCL);
    else await writeFile(localPath, row.data, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw new StoreError("already-exists", "there is a file at that place already");
    throw new StoreError("unavailable", "the file cannot be copied to that place", { cause: error, transient: false });
  } finally {
    await core.content.unpin(row.id);
  }
}

export function refresh(core: Core, text: string | undefined): void {
  const top = core.tree.at(parsePath(text ?? root));
  if (top === undefined) return;
  core.group.record(() => core.journal.run(`update node set checked = 0 where checked is not null and id in (${SUBTREE} select id from t)`, top.id));
}

export function conflicts(core: Core): readonly Conflict[] {
  return core.journal
    .all<{ id: number; at: number; path: string; kept: string | null; what: string }>("select * from conflict order by id desc limit 1000")
    .map(({ id, at, path, kept, what }) => ({ id: String(id), atMs: at, path: path as StorePath, kept: kept as StorePath | null, what }));
}

export function dismiss(core: Core, id: string): void {
  core.group.record(() => core.journal.run("delete from conflict where id = ?", Number(id)));
}
