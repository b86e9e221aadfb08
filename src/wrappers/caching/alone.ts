/** Waits until everything pending on some paths has arrived, and holds them: for calls that go to the remote by themselves. */
import { StoreError } from "../../store/index.ts";
import type { ErrorCode, StorePath } from "../../store/index.ts";
import { pathsOf } from "./barriers.ts";
import { stillRuns } from "./checks.ts";
import type { Core } from "./core.ts";
import { expedite } from "./expedite.ts";
import { checkAbort } from "./gave-up.ts";
import { errorOf } from "./retry-policy.ts";
import { DIRECTORY, SUBTREE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import { related } from "./tree.ts";

/** Is anything on or below these paths still on its way, or on its way to a place above? */
function isPending(core: Core, paths: readonly StorePath[]): boolean {
  for (const path of paths) {
    if (core.barriers.touches(path)) return true;
    if (core.journal.all<{ path: string }>("select path from flight").some((one) => related(one.path as StorePath, path))) return true;
    const { node, blocker } = core.tree.look(path);
    if (blocker?.dirty === 1 && blocker.kind !== DIRECTORY) return true;
    if (node === undefined) continue;
    const below = `${SUBTREE} select 1 from t join node n using(id) where n.dirty = 1`;
    if (core.journal.get(`${below} and n.due is not null limit 1`, node.id) !== undefined) return true;
    if (core.journal.get(`${below} limit 1`, node.id) !== undefined)
      throw new StoreError("conflict", "a change of this path could not be sent and waits for a decision", { applied: false, transient: false });
  }
  return false;
}

/** Runs `work` when nothing else is pending on these paths, and holds them meanwhile. @throws StoreError, `applied: false`, where what is pending cannot be sent */
export async function alone<T>(core: Core, paths: readonly StorePath[], signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  for (;;) {
    checkAbort(signal);
    await core.locks.free(paths, signal);
    // Nothing waits between these looks and the hold.
    if (core.locks.isHeld(paths)) continue;
    if (!isPending(core, paths)) break;
    await core.uploader.waitedFor(() => nothingPending(core, paths, signal));
  }
  const release = core.locks.hold(paths);
  try {
    return await work();
  } finally {
    release();
    core.uploader.wake();
  }
}

/** While what is pending fails, a call waits so long and no longer: without a cache it would have been told at once. */
const PATIENCE_MS = 30_000;

/** @throws StoreError what keeps the pending changes from arriving, `applied: false`; they stay pending */
async function nothingPending(core: Core, paths: readonly StorePath[], signal: AbortSignal | undefined): Promise<void> {
  const { clock, uploader } = core;
  const until = clock.monotonic() + PATIENCE_MS;
  const over = new AbortController();
  clock.sleep(PATIENCE_MS, over.signal).then(
    () => uploader.wake(),
    () => {}, // Nobody waits any more.
  );
  uploader.probe();
  try {
    for (let first = true; first || isPending(core, paths); first = false) {
      const next = uploader.changed(signal);
      const tops = paths.flatMap((path) => {
        const { node, blocker } = core.tree.look(path);
        return (node ?? blocker)?.id ?? [];
      });
      expedite(core, tops, { failedToo: first });
      await next;
      stillRuns(core);
      checkAbort(signal);
      if (core.rules.failingWaitsEnd && clock.monotonic() >= until) refuseFailing(core, paths);
      await core.locks.free(paths, signal);
    }
  } finally {
    over.abort();
  }
}

/** Throws why what is pending on these paths does not arrive, if it is known to fail and nothing of it is being sent just now. */
function refuseFailing(core: Core, paths: readonly StorePath[]): void {
  if (!isPending(core, paths)) return;
  const { journal, barriers, uploader, tree } = core;
  const isHere = (one: string): boolean => paths.some((path) => related(one as StorePath, path));
  let told: { readonly code: ErrorCode; readonly reason: string; readonly transient?: boolean; readonly retryAfterMs?: number | null } | null | undefined =
    uploader.reason;
  if (told === undefined) {
    if (journal.all<{ path: string }>("select path from flight where doubt = 0").some(({ path }) => isHere(path))) return;
    const barrier = barriers.all.find((one) => one.error !== null && pathsOf(one).some(isHere));
    const failed = journal.all<NodeRow>("select * from node where dirty = 1 and error is not null").find((node) => isHere(tree.pathOf(node)));
    told = errorOf((barrier ?? failed)?.error ?? null);
  }
  if (told === null) return;
  const { code, reason, transient, retryAfterMs } = told;
  throw new StoreError(code, `earlier changes of this path could not be sent: ${reason}`, {
    applied: false,
    transient,
    retryAfterMs: retryAfterMs ?? undefined,
  });
}
