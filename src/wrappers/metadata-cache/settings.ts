/** What can be set, and what the layer says of itself. */
import { setting } from "../../store/index.ts";
import type { Capabilities, Control, Injected, SettingsOf } from "../../store/index.ts";

export interface MetadataCacheSettings {
  /** How long an answer is believed, counted from its question. 0: nothing is remembered; Infinity: until it is invalidated. Default 60,000. A shorter time is in force for what is remembered already. */
  readonly ttlMs: number;
  /** The same for a name of which nothing is known but that it is absent; never longer than `ttlMs`. Default 60,000. */
  readonly negativeTtlMs: number;
  /** Facts count one, directories two; about 250 bytes each. What was not used for longest makes room. At least 100; default 100,000. */
  readonly maxEntries: number;
  /** For so long listings that lack an own change are completed. Only where the service's answers come late; default: its own `consistency.settleMs`. */
  readonly settleMs: number;
  /** The first question about a name in a directory asks for the listing instead, if that tells as much. Default true. Worth turning off where a listing costs more than a stat (a local disk). */
  readonly prefetch: boolean;
  /** How long the answer of `space` is believed; own changes end it. Default 60,000. */
  readonly spaceMs: number;
  /** An SQLite file that keeps what is remembered over a restart; "": none. Made with mode 0600, one owner at a time. Fixed at the start. Default "". */
  readonly file: string;
  /** What came from the file answers for so long after its question. Default 0: it is only compared with the service, by the etag of a listing. Fixed at the start. */
  readonly maxStaleMs: number;
}
export interface MetadataCacheOptions extends Partial<MetadataCacheSettings>, Pick<Injected, "clock"> {}

export interface MetadataCacheControl extends Control<MetadataCacheSettings> {
  /** Forgets a path and all below it; without one everything. Answers on their way do not bring it back. @throws StoreError `invalid-path` */
  invalidate(path?: string): void;
  /**
   * entries, directories, bytes (estimated), hits (answers without a request, absences included), negativeHits, misses, joined (answers of a question that
   * somebody else had asked), prefetches, evicted (directories), and `file`: "none", "new", "warm", "failed", or why it was discarded.
   */
  report(): MetadataCacheReport;
}
export interface MetadataCacheReport extends Readonly<Record<string, number | string | boolean>> {
  readonly entries: number;
  readonly directories: number;
  readonly bytes: number;
  readonly hits: number;
  readonly negativeHits: number;
  readonly misses: number;
  readonly joined: number;
  readonly prefetches: number;
  readonly evicted: number;
  readonly file: string;
}

export function settingsFor(capabilities: Capabilities): SettingsOf<MetadataCacheSettings> {
  return {
    ttlMs: setting.ms("how long an answer is believed", 60_000),
    negativeTtlMs: setting.ms("how long a single absence is believed, at most ttlMs", 60_000),
    maxEntries: setting.count("facts remembered; a directory counts two", 100_000, { min: 100 }),
    settleMs: setting.ms("how long late listings are completed with own changes", capabilities.consistency.settleMs),
    prefetch: setting.flag("ask for the listing where one entry is asked for", true),
    spaceMs: setting.ms("how long the answer of space is believed", 60_000),
    file: { ...setting.text("SQLite file that keeps what is remembered over a restart", ""), live: false },
    maxStaleMs: { ...setting.ms("how long what came from the file answers after its question", 0), live: false },
  };
}
