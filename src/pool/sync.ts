/** What waits in this cache, to the hosts. */
import { Tally } from "../catalogue/index.ts";
import type { OnProgress } from "../catalogue/index.ts";
import type { Core } from "./core.ts";
import type { SourceFailure } from "./errors.ts";
import { cachedName } from "./keep.ts";
import { deleteDue } from "./removal.ts";
import type { FileRow } from "./rows.ts";
import { send } from "./send.ts";

export interface SyncReport {
  /** Files that have all their copies now. */
  readonly complete: number;
  /** Copies made. */
  readonly copies: number;
  /** Files that have too few and stay in the queue. */
  readonly short: readonly { readonly hash: string; readonly copies: number; readonly failures: readonly SourceFailure[] }[];
  /** Files whose cached bytes are not theirs any more; they stay in the queue and are never sent. Put the bytes in again. */
  readonly damaged: readonly string[];
  /** Files that another node is sending at this moment. */
  readonly elsewhere: number;
}

export async function sync(core: Core, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<SyncReport> {
  const tally = new Tally(onProgress);
  const line = await core.db.query<FileRow>(
    // From the few that wait to the many that are cached, not the other way round.
    "select f.* from file f where f.queued = 1 and f.marked_ms is null and exists (select 1 from cached k where k.node = ? and k.file = f.id) order by f.id",
    core.node,
  );
  tally.expect(
    line.length,
    line.reduce((sum, { size }) => sum + size, 0),
  );
  const report = { complete: 0, copies: 0, short: [] as SyncReport["short"][number][], damaged: [] as string[], elsewhere: 0 };
  const worker = async (): Promise<void> => {
    for (let file = line.shift(); file !== undefined; file = line.shift()) {
      signal?.throwIfAborted();
      using _pin = await core.pin(file.id);
      const name = await cachedName(core, file.id);
      const item = tally.begin(file.size);
      const result = name === undefined ? undefined : await send(core, file, core.disk.file(name), signal, item.moved);
      item.end();
      if (result === undefined) continue; // Collected meanwhile.
      if (result === null) {
        report.elsewhere += 1;
        continue;
      }
      report.copies += result.made;
      if (result.damaged) report.damaged.push(file.hash);
      if (result.living >= core.settings.copies) report.complete += 1;
      else if (!result.damaged) report.short.push({ hash: file.hash, copies: result.living, failures: result.failures });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: core.settings.maxTransfers }, worker));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  await deleteDue(core, signal);
  return report;
}
