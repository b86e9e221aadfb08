/** What the parts of an open cache share. */
import type { Backend, Capabilities, Clock, StoreError, StorePath } from "../../store/index.ts";
import type { Barriers } from "./barriers.ts";
import type { Content } from "./content.ts";
import type { Events } from "./events.ts";
import type { Group } from "./flush-group.ts";
import type { Journal } from "./journal.ts";
import type { Numbers } from "./numbers.ts";
import type { Locks } from "./locks.ts";
import type { CacheSettings } from "./options.ts";
import type { Remote } from "./remote.ts";
import type { Room } from "./room.ts";
import type { Rules } from "./rules.ts";
import type { Spelling } from "./spelling.ts";
import type { StepName } from "./steps.ts";
import type { Tree } from "./tree.ts";
import type { Watches } from "./watches.ts";

/** Known before the directory is opened. */
export interface Setup {
  readonly rules: Rules;
  readonly clock: Clock;
  readonly random: () => number;
  readonly inner: Backend;
  /** Of the remote. */
  readonly remoteCan: Capabilities;
  readonly events: Events;
  /** In force now. */
  readonly settings: () => Readonly<CacheSettings>;
  readonly step: (name: StepName) => void;
  readonly swept: (() => void) | undefined;
  readonly killed: AbortSignal | undefined;
}

export interface Core extends Setup {
  readonly directory: string;
  /** Throws where somebody has removed the directory: what is journalled from now on, the next opening would not find. What is pending is sent all the same. */
  checkDirectory(): void;
  /** The page cache was lost since the last session: what was not flushed may be torn. */
  readonly rebooted: boolean;
  readonly numbers: Numbers;
  readonly journal: Journal;
  readonly group: Group;
  readonly content: Content;
  readonly tree: Tree;
  readonly barriers: Barriers;
  readonly spelling: Spelling;
  readonly watches: Watches;
  readonly locks: Locks;
  readonly remote: Remote;
  /** Directories of content whose own name is flushed already. */
  readonly durableBlocks: Set<string>;
  /** Content that was compared with its CRC in this session. */
  readonly verified: Set<number>;
  /** Paths that are downloaded into the cache now. */
  readonly filling: Set<StorePath>;
  readonly revalidations: Map<string, Promise<"same" | "changed" | "again">>;
  readonly room: Room;
  readonly counts: Counts;
  readonly rowsLook: { changes: number };
  readonly spaceLook: { writes: number };
  /** One eviction at a time. */
  evicting: boolean;
  /** Work that nobody waits for, but `close` does. */
  background(work: () => Promise<void>): void;
  /** The uploader, as far as local operations need it. */
  readonly uploader: UploaderSignals;
  /** Fires when the layer ends: nothing of its own goes on after it. */
  readonly ended: AbortSignal;
}

export interface UploaderSignals {
  /** Something changed that may start, or end a wait: look again soon. */
  wake(): void;
  /** A change waits for its time: looked at then, and at once only where somebody waits for changes. Milliseconds of the clock. */
  wakeAt(due: number): void;
  /** What is being sent for this row is not wanted any more; "untouched": only if not a byte of it was taken yet. */
  abandon(node: number, when: "always" | "untouched"): void;
  /** The outcome of this flight or barrier is not known: it holds its paths until it can no longer land. */
  inDoubt(number: number): void;
  /** Resolves after the next change of what is under way or pending. */
  changed(signal?: AbortSignal | undefined): Promise<void>;
  /** Tries a remote that is away or refuses everybody once more at once. */
  probe(): void;
  /** Why nothing arrives anywhere; undefined while that is not so. */
  readonly reason: StoreError | undefined;
  /** While somebody waits for what the uploader does, its timers keep the process alive. */
  waitedFor<T>(work: () => Promise<T>): Promise<T>;
}

/** Since the opening. */
export interface Counts {
  hits: number;
  misses: number;
  revalidated: number;
  bytesFilled: number;
  uploads: number;
  uploadErrors: number;
  /** Changes that the remote has taken. */
  arrived: number;
}
