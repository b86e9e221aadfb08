/** Settings of the caching store: what they are, their defaults and their bounds. */
import { setting } from "../../store/index.ts";
import type { Injected, SettingsOf } from "../../store/index.ts";

export interface CacheSettings {
  /** The cache directory: made if it is missing (mode 0700), owned by one process at a time. Fixed. */
  readonly directory: string;
  /** What survives what: "power": acknowledged is on the disk, flushed; "process": a power loss may take back the last changes, a kill none. Fixed. Default "power". */
  readonly durability: "power" | "process";
  /**
   * "write-back": a change is acknowledged when it is safe here, and sent later. "write-through": when it is there too. "read-only": every change is `unsupported`.
   * Between the first two it may be switched while running. Default "write-back".
   */
  readonly mode: "write-back" | "write-through" | "read-only";
  /** Whole bodies up to this size lie inside of the database; larger ones are files. Fixed. Default 65,536; at most 1 MiB. */
  readonly inlineBytes: number;
  /** Network file systems can keep neither locks nor flushes and are refused, unless this is true. Fixed. Default false. */
  readonly allowNetworkDirectory: boolean;
  /** Bring what is pending to this store although it was written for another one. Fixed. Default false. */
  readonly adopt: boolean;
  /** Compare what is kept with its CRC at every read, against a disk that changes bytes: a file outside of the database is read whole first. Default false. */
  readonly verifyReads: boolean;

  /** Quiet time after a write before its upload starts; each write starts it anew. Default 1,000. */
  readonly uploadDelayMs: number;
  /** How long rewriting can postpone an upload, counted from the first change. Never less than the quiet time. Default 60,000. */
  readonly maxDelayMs: number;
  /** A clean file is served without a request for so long after the remote last confirmed it. Default 60,000. */
  readonly freshMs: number;
  /** If the remote is away, an expired clean file is served up to this age. 0: the error is passed on. Default 0. */
  readonly staleOnErrorMs: number;
  /** Where a remote tells nothing but a size, equal size is the same file. Default false: it is read again. */
  readonly trustSize: boolean;
  /**
   * "trust": a write to a path that is not known here asks nothing, and replaces the file that its upload meets, whoever wrote it meanwhile; where a directory
   * is met it is a conflict. "ask": one look first, the codes of the bare store, and what comes after the look is a conflict. Default "trust".
   */
  readonly unknownPaths: "trust" | "ask";

  /** Soft limit of all content: beyond it, what was read the longest time ago leaves. What is pending or open never does. Default 2 GB. */
  readonly cacheBytes: number;
  /** Hard limit of what cannot leave. Beyond it writers are slowed, not failed. Never less than `cacheBytes`. Default 10 GB. */
  readonly hardLimitBytes: number;
  /** Slowest rate that the hard limit slows a writer to: so an unreachable remote does not stop it. Bytes per second, at least 1. Default 65,536. */
  readonly hardLimitBytesPerSecond: number;
  /** Free space of the disk that writes leave. Default 64 MiB. */
  readonly minFreeBytes: number;
  /** Larger files are streamed, not kept; at most a quarter of `cacheBytes` in any case. Default 256 MiB. */
  readonly fillBytes: number;
  /** A read of a part of a file that is not here fetches the whole in the background. Default false. */
  readonly fillOnRange: boolean;
  /** Clean rows kept without content; beyond it the oldest are forgotten. Default 1,000,000. */
  readonly maxRows: number;

  /** Uploads at once, at most; fewer where the remote names fewer or answers slowly. 1 to 1,000, default 30. */
  readonly maxParallel: number;
  /** A transfer of which no byte moved for so long is aborted and sent again. Default 60,000. */
  readonly stallMs: number;
  /** So long an answer may take after the last byte. Default 120,000. */
  readonly answerMs: number;
  /** How long a request whose answer was lost may still take effect. Default: `afterlifeMs` of the remote. */
  readonly holdMs: number;
  /** No new file is sent for so long after the remote was full. Default 300,000. */
  readonly noSpacePauseMs: number;
  /** An uploader that did nothing for so long although there was work is reported and started anew. Default 900,000. */
  readonly heartbeatMs: number;
  /** Up to this size bytes at the remote are read and compared where no hash tells whether they are ours. Default 64 MiB. */
  readonly compareMaxBytes: number;
  /** Pending changes of trees and of directories, at most; further ones wait. Default 10,000. */
  readonly maxBarriers: number;
  /** How old the answer of the remote on its space may become. Default 600,000. */
  readonly spaceMs: number;
  /** `close` brings everything to the remote first. False: running uploads get 5 s, the rest stays on disk. Default true. */
  readonly flushOnClose: boolean;
}

export interface CachingOptions extends Partial<CacheSettings>, Pick<Injected, "clock" | "random"> {
  readonly directory: string;
}

const fixed = <T>(one: T): T & { readonly live: false } => ({ ...one, live: false });

export function describeSettings(afterlifeMs: number): SettingsOf<CacheSettings> {
  return {
    directory: fixed(setting.text("the cache directory")),
    durability: fixed(setting.choice("what an acknowledged change survives", ["power", "process"], "power")),
    mode: setting.choice("when a change is acknowledged", ["write-back", "write-through", "read-only"], "write-back"),
    inlineBytes: fixed(setting.bytes("bodies up to this size lie inside of the database", 65_536, { max: 1 << 20 })),
    allowNetworkDirectory: fixed(setting.flag("take a directory on a network file system", false)),
    adopt: fixed(setting.flag("bring what is pending for another store to this one", false)),
    verifyReads: setting.flag("check the CRC at every read", false),
    uploadDelayMs: setting.ms("quiet time before an upload", 1000),
    maxDelayMs: setting.ms("how long rewriting can postpone an upload", 60_000),
    freshMs: setting.ms("how long a clean file is served without a request", 60_000),
    staleOnErrorMs: setting.ms("age up to which an expired file is served while the remote is away", 0),
    trustSize: setting.flag("equal size is the same file where nothing else is told", false),
    unknownPaths: setting.choice("a write to a path that is not known here", ["trust", "ask"], "trust"),
    cacheBytes: setting.bytes("soft limit of all content", 2e9),
    hardLimitBytes: setting.bytes("hard limit of what is pending or open", 10e9),
    hardLimitBytesPerSecond: setting.bytes("slowest rate the hard limit slows a writer to", 65_536, { min: 1 }),
    minFreeBytes: setting.bytes("free space that writes leave", 64 << 20),
    fillBytes: setting.bytes("larger files are streamed and not kept", 256 << 20),
    fillOnRange: setting.flag("a read of a part fetches the whole", false),
    maxRows: setting.count("clean rows kept", 1_000_000),
    maxParallel: setting.count("uploads at once", 30, { min: 1, max: 1000 }),
    stallMs: setting.ms("a transfer without progress is aborted after", 60_000, { min: 1 }),
    answerMs: setting.ms("an answer may take after the last byte", 120_000, { min: 1 }),
    holdMs: setting.ms("a request whose answer was lost may still take effect for", afterlifeMs),
    noSpacePauseMs: setting.ms("pause after the remote was full", 300_000),
    heartbeatMs: setting.ms("an uploader that does nothing is started anew after", 900_000, { min: 1 }),
    compareMaxBytes: setting.bytes("up to this size bytes are compared where no hash tells", 64 << 20),
    maxBarriers: setting.count("pending changes of trees", 10_000, { min: 1 }),
    spaceMs: setting.ms("how old the answer on space may become", 600_000),
    flushOnClose: setting.flag("close brings everything to the remote first", true),
  };
}
