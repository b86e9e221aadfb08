/** The run-time side of the layer: what its users find under `store.layers.archive`. */
import { StoreError, subscribe } from "../../store/index.ts";
import type { Control } from "../../store/index.ts";
import { isOwn, nowOf } from "./core.ts";
import { isWriter } from "./format/names.ts";
import type { Opened } from "./opened.ts";
import type { ArchiveControl, ArchiveEvent, ArchiveSettings, WriterReport } from "./options.ts";
import { orAborted } from "./semaphore.ts";
import { verify } from "./verify.ts";

const ALIVE_MS = 24 * 3_600_000;

/** `opened` throws before the store is open. */
export function archiveControl(
  base: Control<ArchiveSettings>,
  opened: () => Opened,
  isOpen: () => boolean,
  listeners: Set<(event: ArchiveEvent) => void>,
): ArchiveControl {
  return {
    kind: base.kind,
    get settings() {
      return base.settings;
    },
    configure: (patch) => base.configure(patch),
    async flush(options = {}) {
      if (isOpen()) await orAborted(opened().groups.flush(), options.signal);
    },
    report: () => (isOpen() ? report(opened()) : {}),
    refresh: async (options = {}) => opened().refresher.fresh(options.signal),
    async repack(options = {}) {
      const { core, refresher, repacker } = opened();
      if (core.settings.refreshMs !== Infinity) await refresher.fresh(options.signal);
      else await refresher.ifDue(options.signal);
      return repacker.repack({ minLiveRatio: options.minLiveRatio ?? core.settings.minLiveRatio, all: options.all === true });
    },
    async collect(options = {}) {
      const { collector, core, refresher } = opened();
      const alone = core.settings.refreshMs === Infinity;
      if (options.graceMs !== undefined && !alone)
        throw new StoreError("config", "a shorter grace is for archives that nobody else uses: refreshMs is Infinity there");
      if (alone) await refresher.ifDue(options.signal);
      else await refresher.fresh(options.signal);
      return { deleted: await collector.collect(options.graceMs ?? core.rules.graceMs(core.settings)) };
    },
    async verify(options = {}) {
      const { core, refresher } = opened();
      await refresher.fresh(options.signal);
      return verify(core, options.data === true, options.signal);
    },
    async adopt(writer, options = {}) {
      const { core, groups, refresher } = opened();
      if (!isWriter(writer)) throw new StoreError("config", "this is no id of a writer");
      await refresher.fresh(options.signal);
      if (writer === core.identity.writer) throw new StoreError("config", "this installation cannot adopt itself");
      const found = writersOf(opened()).find((one) => one.writer === writer);
      if (found === undefined) throw new StoreError("not-found", "no archive of this writer is here");
      if (options.force !== true && nowOf(core) - found.lastMs < ALIVE_MS)
        throw new StoreError("conflict", "this writer has written within the last day: it may be alive", { transient: false, applied: false });
      const heir = core.index.owners.claimOf(writer)?.by;
      if (heir === core.identity.writer) return;
      if (heir !== undefined) throw new StoreError("conflict", "another installation has taken this writer over", { transient: false, applied: false });
      const done = groups.submit({ type: "claim", writer }, options.signal);
      await groups.flush();
      await done;
    },
    writers: async () => {
      await opened().refresher.ifDue(undefined);
      return writersOf(opened());
    },
    onEvent: (listener) => subscribe(listeners, listener),
  };
}

function writersOf({ core }: Opened): WriterReport[] {
  return core.index.db
    .all<{ readonly writer: string; readonly last: number; readonly archives: number; readonly bytes: number; readonly live: number }>(
      "select writer, max(time) as last, count(*) as archives, sum(bytes) as bytes, sum(liveBytes) as live from archive group by writer order by writer",
    )
    .map(({ writer, last, archives, bytes, live }) => ({ writer, own: isOwn(core, writer), lastMs: last, archives, bytes, liveBytes: live }));
}

function report({ core, groups, reads, refresher, uploads, upkeep }: Opened): Readonly<Record<string, number | string | boolean>> {
  const { hybrid, index } = core;
  const { db } = index;
  const all = index.archives.all();
  const own = all.filter(({ writer }) => isOwn(core, writer));
  const sum = (rows: typeof all, of: (row: (typeof all)[number]) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const count = (sql: string): number => (db.get(sql) as { readonly n: number }).n;
  const archiveBytes = sum(all, ({ bytes }) => bytes);
  const liveBytes = sum(all, (row) => row.liveBytes);
  const { counts } = groups;
  return {
    archives: all.length,
    archivesOwn: own.length,
    archiveBytes,
    liveBytes,
    liveRatio: archiveBytes === 0 ? 1 : Math.min(1, liveBytes / archiveBytes),
    members: sum(all, ({ liveRecords }) => liveRecords),
    deadRecords: sum(all, ({ records, liveRecords }) => records - liveRecords),
    tombstones: count("select count(*) as n from tomb"),
    openGroupMembers: groups.openMembers,
    openGroupBytes: groups.openBytes,
    uploading: uploads.size,
    inDoubt: index.archives.intents().filter(({ name }) => !uploads.isRunning(name)).length,
    damaged: count("select count(*) as n from unread where newer = 0"),
    newer: count("select count(*) as n from unread where newer = 1"),
    hidden: count("select count(*) as n from entry e join dir d on d.parent = e.dir and d.name = e.name where e.kind = 1 and d.children > 0"),
    lastRefreshMs: refresher.lastMs,
    clockAheadMs: hybrid.aheadMs,
    sealedFull: counts.sealedFull,
    sealedByAge: counts.sealedByAge,
    membersPerGroup: counts.sent === 0 ? 0 : Math.round(counts.sentMembers / counts.sent),
    readCacheBytes: reads.spans.bytes,
    upkeepTrouble: upkeep?.trouble ?? "",
  };
}
