/** The run-time side of the layer. */
import { parsePath, root } from "../../store/index.ts";
import type { Control, Store } from "../../store/index.ts";
import type { CachingBackend } from "./cache.ts";
import { pendingRows } from "./candidates.ts";
import type { CacheControl } from "./control-types.ts";
import type { Core } from "./core.ts";
import type { Events } from "./events.ts";
import { evictBelow, evictIfNeeded } from "./evict.ts";
import { flush } from "./flush.ts";
import type { CacheSettings } from "./options.ts";
import { conflicts, dirty, discard, dismiss, exportTo, refresh, retry, stateOf } from "./pending.ts";

export function controlOf(
  base: Control<CacheSettings>,
  events: Events,
  backend: () => CachingBackend,
  store: Store,
  open: (signal?: AbortSignal) => Promise<unknown>,
): CacheControl {
  const core = (): Core => backend().opened.core;
  return {
    kind: base.kind,
    get settings() {
      return base.settings;
    },
    async configure(patch) {
      await base.configure(patch);
      if (!backend().isOpen) return;
      core().uploader.wake();
      evictIfNeeded(core());
    },
    async flush(options = {}) {
      // What an earlier process left is pending as well.
      if (!backend().isOpen) await open(options.signal);
      const { uploader, reserve } = backend().opened;
      await flush(core(), uploader, store, options);
      // What left has made room: after a flush a disk that was full takes writes again, where it can.
      if (reserve.isGiven) await reserve.keep();
    },
    async pause() {
      const { uploader } = backend().opened;
      uploader.pauses.byHand = true;
      events.tell("paused", null);
      while (uploader.running > 0) await uploader.changed();
    },
    async resume() {
      const { uploader } = backend().opened;
      uploader.pauses.end();
      events.tell("resumed", null);
      uploader.wake();
    },
    dirty: (options) => dirty(core(), options),
    state: (path) => stateOf(core(), backend().opened.uploader, path),
    conflicts: () => conflicts(core()),
    dismiss: (id) => dismiss(core(), id),
    retry(path) {
      backend().opened.uploader.pauses.end();
      retry(core(), path);
    },
    discard: (path) => discard(core(), path),
    exportTo: (path, localPath) => exportTo(core(), path, localPath),
    refresh: (path) => refresh(core(), path),
    async evict(path) {
      await evictBelow(core(), parsePath(path ?? root));
    },
    on: (listener) => events.on(listener),
    report: () => (backend().isOpen ? report(backend()) : { journal: "closed" }),
  };
}

function report(backend: CachingBackend): Readonly<Record<string, number | string | boolean>> {
  const { core, uploader, reserve } = backend.opened;
  const { content, tree, journal, group, counts, barriers, clock } = core;
  const settings = core.settings();
  const one = (sql: string): number => (journal.get<{ n: number | null }>(sql) as { n: number | null }).n ?? 0;
  const oldest = one(`select min(since) as n from (${pendingRows("since")})`);
  const { hits, misses, revalidated, bytesFilled, uploads, uploadErrors } = counts;
  return {
    dirtyFiles: tree.dirtyFiles,
    dirtyBytes: tree.dirtyBytes,
    barriers: barriers.size,
    uploading: uploader.uploading,
    inDoubt: one("select count(*) as n from flight where doubt = 1") + barriers.all.filter(({ doubt }) => doubt === 1).length,
    parked: one("select count(*) as n from node where dirty = 1 and due is null"),
    conflicts: one("select count(*) as n from conflict"),
    cacheFiles: content.files,
    cacheBytes: content.bytes,
    softLimitBytes: settings.cacheBytes,
    hardLimitBytes: settings.hardLimitBytes,
    overHardLimit: core.room.isOver,
    hits,
    misses,
    revalidated,
    bytesFilled,
    uploads,
    uploadErrors,
    parallelLimit: uploader.parallel.limit(settings.maxParallel),
    oldestPendingMs: oldest === 0 ? 0 : Math.max(0, clock.now() - oldest),
    journal: group.poisoned ? "failed" : reserve.isGiven ? "full" : "ok",
    uploader: uploader.pauses.state ?? (uploader.running > 0 ? "running" : "idle"),
    heartbeatAgeMs: Math.round(uploader.heartbeatAgeMs),
  };
}
