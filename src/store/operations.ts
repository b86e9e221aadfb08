/** The ten operations below the front: one immutable call object each, with all members always present, and their replies. */
import type { ByteRange } from "./body.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { Entry, Hashes, Metadata } from "./entry.ts";
import type { Account, Space } from "./options.ts";
import type { StorePath } from "./path.ts";
import type { Source } from "./source.ts";

export type Operation = keyof Calls;
export interface CallBase<O extends string> {
  readonly operation: O;
  /** The root for space and account. */
  readonly path: StorePath;
  readonly signal: AbortSignal | undefined;
}
/** Call objects are immutable and always have all their members, so that code stays monomorphic and `{ ...call, path }` changes one thing. */
export interface Calls {
  stat: StatCall;
  read: ReadCall;
  write: WriteCall;
  list: ListCall;
  delete: DeleteCall;
  mkdir: MkdirCall;
  copy: CopyCall;
  move: MoveCall;
  space: SpaceCall;
  account: AccountCall;
}
export interface StatCall extends CallBase<"stat"> {
  readonly detail: "basic" | "full";
  readonly fresh: boolean;
}
export interface ReadCall extends CallBase<"read"> {
  readonly fresh: boolean;
  readonly range: ByteRange | undefined;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}
export interface WriteCall extends CallBase<"write"> {
  readonly body: Source;
  readonly ifAbsent: boolean;
  readonly ifMatch: string | undefined;
  readonly modifiedMs: number | undefined;
  readonly contentType: string | undefined;
  readonly metadata: Metadata | undefined;
  /** Already checked by `body`, whose stream fails before its last chunk on a mismatch. For services that check too; a layer that changes bytes sets it to undefined. */
  readonly expect: Hashes | undefined;
}
/** One page. `cursor` is undefined for the first, then what the previous page gave; the same cursor may be asked for again. */
export interface ListCall extends CallBase<"list"> {
  readonly fresh: boolean;
  readonly recursive: boolean;
  readonly cursor: unknown;
  readonly ifNoneMatch: string | undefined;
}
export interface DeleteCall extends CallBase<"delete"> {
  readonly recursive: boolean;
  readonly ifMatch: string | undefined;
}
export interface MkdirCall extends CallBase<"mkdir"> {
  readonly existOk: boolean;
}
export interface CopyCall extends CallBase<"copy"> {
  readonly to: StorePath;
  readonly ifAbsent: boolean;
}
export interface MoveCall extends CallBase<"move"> {
  readonly to: StorePath;
  readonly ifAbsent: boolean;
}
export type SpaceCall = CallBase<"space">;
export type AccountCall = CallBase<"account">;

export interface Replies {
  stat: Entry;
  read: ReadReply;
  write: Entry;
  list: Page;
  delete: void;
  mkdir: Entry;
  copy: Entry;
  move: Entry;
  space: Space;
  account: Account;
}
export interface ReadReply {
  readonly entry: Entry;
  /** Where in the file the body starts. */
  readonly offset: number;
  readonly body: ByteStream;
}
export interface Page {
  readonly entries: readonly Entry[];
  /** Opaque and immutable; undefined or null: this was the last page. An empty page may have one. */
  readonly cursor?: unknown;
  /** Changes when the listing changes; for `ifNoneMatch` of the first page. */
  readonly etag?: string | null | undefined;
}
export type Call = Calls[Operation];
