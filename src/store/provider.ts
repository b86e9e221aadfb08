/** The Provider: what an adapter author writes, and the life that providers and layers share. */
import type { RawBody } from "./raw-source.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Entry } from "./entry.ts";
import type { StoreError } from "./errors.ts";
import type { AccountCall, Call, CopyCall, DeleteCall, ListCall, MkdirCall, MoveCall, Page, ReadCall, SpaceCall, StatCall, WriteCall } from "./operations.ts";
import type { Account, Space } from "./options.ts";

/** Life of a provider or layer. The front calls them in the right order and once; nobody forwards them. */
export interface Lifecycle {
  /** Before the first operation, local work only. Runs again after it failed. */
  open?(signal: AbortSignal | undefined): Promise<void>;
  reconnect?(signal: AbortSignal | undefined): Promise<void>;
  /** Closing has begun, and running calls are waited for: what waits for further calls must not wait for them any more. Does not throw. */
  closing?(): void;
  close?(signal: AbortSignal | undefined): Promise<void>;
  /** Parameters worth printing, without secrets: "bucket=photos". */
  describe?(): string;
  /** Which bytes these are, stable across settings and releases: endpoint, bucket, base path; the path of a prefix, the folder of an archive. Default: the kind for a provider, nothing for a layer. */
  identity?(): string;
}

/** What a service really sent. The adaptor cuts the asked range out of more, and refuses less. */
export interface ProviderRead {
  readonly entry: Entry;
  readonly body: RawBody;
  /** Where the body starts: from Content-Range, not from the request. Default 0, the whole file. */
  readonly offset?: number | undefined;
  /** The body is a Uint8Array made for this answer alone: the caller gets it as it is, without a further copy. Default false: it is copied before a caller may change it. */
  readonly handedOver?: boolean | undefined;
}

/**
 * What an adapter author writes: five operations, what the service does natively beyond them, and one function that understands its errors.
 * The adaptor does the rest, once for all providers:
 *  - no readRange: reads from the start and drops what was not asked; no readSuffix: stat first; read conditions: compares the etag of the reply, which is exact
 *  - wrong hashes, wrong lengths, failing bodies: the stream given to `write` throws before its end. Commit only after it ended by itself. What
 *    the body failed of comes before whatever the SDK makes of it ("fetch failed")
 *  - no listRecursive, deleteRecursive: walks. No copy or move: streams, then deletes; one that rejects a directory with `is-a-directory` is walked
 *  - no writeIfAbsent, writeIfMatch, deleteIfMatch, mkdir, space: refused, for none can be made up. Without mkdir no trees are copied or moved
 *  - whatever is thrown, by an operation or later by a body, goes through `translate`; an aborted signal makes `aborted`; the rest is `unknown`
 * Honour `call.signal`: pass it to fetch. The adaptor does not run away from a call that does not stop.
 */
export interface Provider extends Lifecycle {
  /** "s3". Also the default name. */
  readonly kind: string;
  /**
   * Only what the service has. Left out: `read write list delete` native; other verbs and options emulated where the adaptor can, else false;
   * caseSensitive, filesAtRoot, strictHierarchy true; normalisation "kept"; directories "real" with `mkdir`, else "implied"; consistency strong;
   * emptyOnlyDelete "emulated"; atomicWrites, exclusiveMkdir, etag, listComplete, listSorted, undelete false; hashes, writeExpect, sizeSteps [];
   * forbidden ""; modifiedPrecisionMs null; maxMetadataBytes 0; concurrency 8; afterlifeMs 60,000; every other max Infinity.
   */
  readonly capabilities: Partial<Capabilities>;
  /**
   * False: `write` is done with a chunk before it pulls the next, so that no copies are needed. Default true: each chunk of a stream is memory of its
   * own, which fetch and SDKs may still hold while the source fills its buffer again.
   */
  readonly keepsChunks?: boolean;
  stat(call: StatCall): Promise<Entry>;
  read(call: ReadCall): Promise<ProviderRead>;
  write(call: WriteCall): Promise<Entry>;
  /** One page. A flat native recursive listing adds the directories that its keys imply, each once over all pages (the cursor can carry the last one). */
  list(call: ListCall): Promise<Page>;
  /** A file or an empty directory, unless deleteRecursive is native. Without `recursive` the provider itself refuses a directory that is not empty; the adaptor does not look. */
  delete(call: DeleteCall): Promise<void>;
  mkdir?(call: MkdirCall): Promise<Entry>;
  copy?(call: CopyCall): Promise<Entry>;
  move?(call: MoveCall): Promise<Entry>;
  space?(call: SpaceCall): Promise<Space>;
  account?(call: AccountCall): Promise<Account>;
  /** An error of the service in our words. Undefined: not mine. The only place that knows whether a 403 is a rate limit. */
  translate?(error: unknown, call: Call): StoreError | undefined;
}
