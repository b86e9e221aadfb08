/** Options, settings and the control of the archive layer. */
import { StoreError, control, parsePath, setting } from "../../store/index.ts";
import type { Capabilities, Control, Injected, Setting } from "../../store/index.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface ArchiveSettings {
  /** Local folder for index and identity, on a local disk. One process at a time. Fixed. */
  readonly directory: string;
  /** Folder of the inner store where archives lie; made by the first upload. Fixed. Default "/.stratus-archive". */
  readonly folder: string;
  /** Larger bodies become archives of their own, streamed. 0 to 64 MiB, at most `maxBytes`. Fixed. Default 1 MiB. */
  readonly smallBytes: number;
  /** An archive of small files is sent before it would grow beyond this. 64 KiB to 1 GiB. Fixed. Default 8 MiB. */
  readonly maxBytes: number;
  /** Operations in one archive. 1 to 65,536. Fixed. Default 4,096. */
  readonly maxMembers: number;
  /** An archive is sent so long after its first operation. 0 to 1 h. Default 1,000. Also what a lone write takes. */
  readonly maxDelayMs: number;
  /** Bodies in memory, those under way included. At least 2 × `maxBytes` + `smallBytes`. Default 64 MiB, or that. */
  readonly memoryBytes: number;
  /** Uploads of archives at once; streamed ones have as many of their own. 1 to 64. Default: the `concurrency` of the inner store, at most 4. */
  readonly uploads: number;
  /** Age at which the view of what others wrote is renewed before it answers. Infinity: nobody else writes here. Fixed. Default 60,000. */
  readonly refreshMs: number;
  /** For so long a listing of the inner store may lack what landed, or show what is gone. Fixed. Default: what the inner store declares. */
  readonly settleMs: number;
  /** An upload lands within so long of its beginning, or never. At least 1 min. Fixed. Default 1 h. */
  readonly lateMs: number;
  /** How long an archive must be unneeded before it is deleted. At least `lateMs` + 2 × `settleMs` + 15 min. Default 2 h, or that. */
  readonly graceMs: number;
  /** Least age at which a tombstone may go. At least 2 × `graceMs`. Default 24 h, or that. */
  readonly tombMs: number;
  /** An own archive with a smaller share of live bytes is packed again. 0 to 0.95. Default 0.5. */
  readonly minLiveRatio: number;
  /** Parts of archives kept in memory for reads. Default 32 MiB. */
  readonly readCacheBytes: number;
  /** Unpacked manifest that this reader accepts. At least 1 MiB. Default 64 MiB. */
  readonly maxManifestBytes: number;
}
export interface ArchiveOptions extends Partial<ArchiveSettings>, Pick<Injected, "clock" | "random"> {
  readonly directory: string;
}

export interface WriterReport {
  readonly writer: string;
  /** This installation's, or taken over by it. */
  readonly own: boolean;
  /** Of its newest archive, by the clock of its writer. */
  readonly lastMs: number;
  readonly archives: number;
  readonly bytes: number;
  readonly liveBytes: number;
}
export interface Problem {
  /** The archive, by its id. */
  readonly archive: string;
  /** The path concerned; null where it is the archive as a whole. */
  readonly path: string | null;
  readonly problem: string;
}
export interface Repacked {
  /** Sources whose live bytes were written again. */
  readonly archives: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}
/**
 * damaged: an archive cannot be read, nothing of it is shown. identity-changed: somebody else used this installation's identity (a copied directory),
 * so it has a new one. repacked: live bytes of archives were written again.
 */
export type ArchiveEvent =
  | { readonly type: "damaged"; readonly archive: string; readonly reason: string }
  | { readonly type: "identity-changed"; readonly writer: string }
  | ({ readonly type: "repacked" } & Repacked);

interface Signalled {
  readonly signal?: AbortSignal | undefined;
}
/** Before the store is open all but `flush`, `report` and the settings reject with `closed`. */
export interface ArchiveControl extends Control<ArchiveSettings> {
  /** Lists the folder now and learns what others wrote. */
  refresh(options?: Signalled): Promise<void>;
  /** Packs now what is worth it, `all`: every own archive that is not whole. */
  repack(options?: Signalled & { readonly minLiveRatio?: number | undefined; readonly all?: boolean | undefined }): Promise<Repacked>;
  /** Looks for own archives that nothing needs, and deletes those that nothing has needed for `graceMs` (a shorter one only with `refreshMs` Infinity). */
  collect(options?: Signalled & { readonly graceMs?: number | undefined }): Promise<{ readonly deleted: number }>;
  /** Reads every manifest again and compares it with the index; with `data`, every byte too. Changes nothing. */
  verify(options?: Signalled & { readonly data?: boolean | undefined }): Promise<readonly Problem[]>;
  /**
   * Takes over the archives of an installation that will never run again. In force at the first refresh after `graceMs`. `conflict` where it has written
   * within 24 h, unless `force`, and where another installation has taken it over. `not-found` where it has no archives.
   */
  adopt(writer: string, options?: Signalled & { readonly force?: boolean | undefined }): Promise<void>;
  /** Who has archives here. */
  writers(): Promise<readonly WriterReport[]>;
  /** Returns what ends the subscription. */
  onEvent(listener: (event: ArchiveEvent) => void): () => void;
}

/** Settings from options and from what the inner store says of itself. @throws StoreError `config` */
export function archiveSettings(given: Partial<ArchiveSettings>, inner: Capabilities): Control<ArchiveSettings> {
  const { list, settleMs: innerSettleMs } = inner.consistency;
  const fixed = { live: false } as const;
  const bytes = setting.bytes;
  const settings: Control<ArchiveSettings> = control<ArchiveSettings>(
    "archive",
    {
      directory: { ...setting.text("local folder for index and identity"), ...fixed },
      folder: { ...setting.text("folder of the inner store where archives lie", "/.stratus-archive"), ...fixed },
      smallBytes: { ...bytes("larger bodies become archives of their own", MIB, { max: 64 * MIB }), ...fixed },
      maxBytes: { ...bytes("an archive is sent before it grows beyond this", 8 * MIB, { min: 64 * KIB, max: 1024 * MIB }), ...fixed },
      maxMembers: { ...setting.count("operations in one archive", 4096, { min: 1, max: 65_536 }), ...fixed },
      maxDelayMs: setting.ms("an archive is sent so long after its first operation", 1000, { max: HOUR_MS }),
      memoryBytes: bytes("bodies in memory, those under way included", memoryFor(given), { min: 0 }),
      uploads: setting.count("uploads of archives at once", Math.max(1, Math.min(4, inner.concurrency)), { min: 1, max: 64 }),
      refreshMs: { ...setting.ms("age at which the view of what others wrote is renewed", MINUTE_MS), ...fixed },
      settleMs: { ...setting.ms("for so long a listing may be late", list === "strong" ? 0 : innerSettleMs), ...fixed },
      lateMs: { ...setting.ms("an upload lands within this time or never", HOUR_MS, { min: MINUTE_MS }), ...fixed },
      graceMs: setting.ms("how long an archive is unneeded before it is deleted", graceFor(given, list === "strong" ? 0 : innerSettleMs)),
      tombMs: setting.ms("least age at which a tombstone may go", tombFor(given, list === "strong" ? 0 : innerSettleMs)),
      minLiveRatio: ratio,
      readCacheBytes: bytes("parts of archives kept in memory for reads", 32 * MIB),
      maxManifestBytes: bytes("unpacked manifest that this reader accepts", 64 * MIB, { min: MIB }),
    },
    given,
    (next) => checkTogether(next),
  );
  checkTogether(settings.settings);
  return settings;
}

const ratio: Setting<number> = {
  about: "an archive with a smaller share of live bytes is packed again",
  initial: 0.5,
  parse(value) {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !(number >= 0 && number <= 0.95)) throw new StoreError("config", "a number between 0 and 0.95 is needed");
    return number;
  },
};

function num(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
function memoryFor(given: Partial<ArchiveSettings>): number {
  return Math.max(64 * MIB, 2 * num(given.maxBytes, 8 * MIB) + num(given.smallBytes, MIB));
}
function graceFor(given: Partial<ArchiveSettings>, settleMs: number): number {
  return Math.max(2 * HOUR_MS, num(given.lateMs, HOUR_MS) + 2 * num(given.settleMs, settleMs) + 15 * MINUTE_MS);
}
function tombFor(given: Partial<ArchiveSettings>, settleMs: number): number {
  return Math.max(24 * HOUR_MS, 2 * num(given.graceMs, graceFor(given, settleMs)));
}

/** What one setting means for another. */
function checkTogether(all: Readonly<ArchiveSettings>): void {
  const wrong = (what: string): never => {
    throw new StoreError("config", `archive.${what}`);
  };
  if (all.directory === undefined || all.directory === "") wrong("directory: a local folder is needed");
  if (parsePath(all.folder) === "/") wrong("folder: the root is not a folder of its own");
  if (all.smallBytes > all.maxBytes) wrong("smallBytes: at most maxBytes");
  if (all.memoryBytes < 2 * all.maxBytes + all.smallBytes) wrong("memoryBytes: at least 2 × maxBytes + smallBytes");
  if (all.graceMs < all.lateMs + 2 * all.settleMs + 15 * MINUTE_MS) wrong("graceMs: at least lateMs + 2 × settleMs + 15 min");
  if (all.tombMs < 2 * all.graceMs) wrong("tombMs: at least 2 × graceMs");
}
