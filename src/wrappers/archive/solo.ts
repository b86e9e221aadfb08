/** Large files: an archive each, streamed. */
import { createHash } from "node:crypto";
import { StoreError, byteStream, hasCode, parentOf, root } from "../../store/index.ts";
import type { ByteStream, Entry, Source, StorePath } from "../../store/index.ts";
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { Extra, Manifest } from "./format/records.ts";
import { SoloLayout } from "./format/solo-layout.ts";
import type { SoloPlan } from "./format/solo-layout.ts";
import type { Stamp } from "./format/stamp.ts";
import { etagOf } from "./format/stamp.ts";
import type { Groups } from "./groups.ts";
import { writtenByNewer } from "./sealer.ts";
import { entryOf, isDirectory } from "./index/index.ts";
import type { ShownRow } from "./index/index.ts";
import { Semaphore } from "./semaphore.ts";
import type { Uploads } from "./uploads.ts";

export interface SoloCall {
  readonly path: StorePath;
  /** Of known size. */
  readonly body: Source;
  readonly size: number;
  readonly modifiedMs: number;
  readonly extra: Extra | undefined;
  readonly signal: AbortSignal | undefined;
  /** Bytes taken over from another installation: their old stamp, and what they must hash to. */
  readonly taken?: { readonly stamp: Stamp; readonly sha256: string } | undefined;
}

export class Solos {
  readonly #core: Core;
  readonly #uploads: Uploads;
  readonly #groups: Groups;
  readonly #ready: () => Promise<void>;
  readonly #slots: Semaphore;
  readonly #running = new Set<Promise<Entry>>();

  constructor(core: Core, uploads: Uploads, groups: Groups, ready: () => Promise<void>, most: number) {
    this.#core = core;
    this.#uploads = uploads;
    this.#groups = groups;
    this.#ready = ready;
    this.#slots = new Semaphore(() => most);
  }

  /** Resolves when none is on its way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async write(call: SoloCall): Promise<Entry> {
    const work = this.#write(call);
    this.#running.add(work);
    try {
      return await work;
    } catch (error) {
      // Waiting was ended by the store, not by the caller.
      if (this.#core.ended.aborted && call.signal?.aborted !== true && hasCode(error, "aborted"))
        throw new StoreError("closed", "the store was closed", { cause: error, applied: error.applied });
      throw error;
    } finally {
      this.#running.delete(work);
    }
  }

  async #write(call: SoloCall): Promise<Entry> {
    const { ended } = this.#core;
    const signal = call.signal === undefined ? ended : AbortSignal.any([ended, call.signal]);
    const release = await this.#slots.acquire(1, signal);
    try {
      // What is taken over keeps its stamp, so it is in nobody's way.
      if (call.taken !== undefined) return await this.#send(call);
      await this.#groups.reserve(call.path, signal);
      try {
        await this.#ready();
        return await this.#send(call);
      } finally {
        this.#groups.free(call.path);
      }
    } finally {
      release();
    }
  }

  async #send(call: SoloCall): Promise<Entry> {
    const { core, plan } = this.#planned(call);
    const { id } = plan;
    const upload = new SoloUpload(core, call, plan, this.#ready, () => this.#mayWrite(call));
    const kind = call.taken === undefined ? "solo" : "take";
    this.#uploads.begin(id, kind, new Set([call.path, ...plan.directories.map(({ path }) => path)]));
    const { object, size } = upload.layout;
    await this.#uploads.send({
      id,
      kind,
      object,
      size,
      timeMs: () => upload.timeMs,
      stamped: upload.stamped,
      stampedMs: () => upload.stampedMs,
      source: () => upload.source(),
      manifest: () => upload.result(),
      signal: call.signal,
    });
    return upload.entry();
  }

  /** In one step: what is there now, and a name. */
  #planned(call: SoloCall): { readonly core: Core; readonly plan: SoloPlan } {
    const { identity, index, rules } = this.#core;
    if (rules.newerStopsWrites && index.archives.hasNewer()) throw writtenByNewer();
    const parents = call.taken === undefined ? this.#mayWrite(call) : [];
    const nowMs = nowOf(this.#core);
    const { path, size, modifiedMs, extra } = call;
    const writer = identity.writer;
    const id = index.transaction(() => identity.nextId(nowMs));
    return {
      core: this.#core,
      plan: {
        id,
        writer,
        file: { path, size, modifiedMs, extra, stamp: call.taken?.stamp },
        directories: parents.reverse().map((one) => ({ path: one, modifiedMs: nowMs })),
      },
    };
  }

  /** The missing ancestors, nearest first. */
  #mayWrite({ path }: SoloCall): StorePath[] {
    const { view } = this.#core.index;
    const before = view.row(path);
    if (before !== undefined && isDirectory(before)) throw new StoreError("is-a-directory", "there is a directory of this name", { applied: false });
    const missing: StorePath[] = [];
    for (let at = parentOf(path); at !== root; at = parentOf(at)) {
      const row = view.row(at);
      if (row === undefined) missing.push(at);
      else if (isDirectory(row)) break;
      else throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
    }
    return missing;
  }
}

/** The object of one solo: header, body, and a tail that is made when the body has ended. */
class SoloUpload {
  readonly layout: SoloLayout;
  timeMs: number | null = null;
  /** By the local clock. */
  stampedMs: number | undefined;
  readonly stamped: Promise<number>;
  readonly #markStamped: (atMs: number) => void;
  readonly #core: Core;
  readonly #call: SoloCall;
  readonly #plan: SoloPlan;
  readonly #ready: () => Promise<void>;
  readonly #check: () => void;
  #sha256: string | undefined;

  constructor(core: Core, call: SoloCall, plan: SoloPlan, ready: () => Promise<void>, check: () => void) {
    this.#core = core;
    this.#call = call;
    this.#plan = plan;
    this.#ready = ready;
    this.#check = check;
    this.layout = new SoloLayout(plan);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.stamped = promise;
    this.#markStamped = resolve;
    if (!core.rules.soloStampedAtEnd) this.timeMs = core.hybrid.tick();
  }

  /** Undefined: the body was read, and cannot be read again. */
  source(): Source | undefined {
    const { body } = this.#call;
    if (body.opened && !body.replayable) return undefined;
    const { size } = this.layout;
    let opened = false;
    return {
      size,
      // Nobody else may ask for parts of it: the tail hangs on all that comes before.
      replayable: false,
      get opened() {
        return opened;
      },
      inMemory: false,
      open: () => {
        opened = true;
        return this.#stream(body.open());
      },
    };
  }

  #stream(body: ByteStream): ByteStream {
    const { head, size } = this.layout;
    const hash = createHash("sha256");
    let rest: Uint8Array[] | undefined;
    let begun = false;
    return byteStream({
      length: size,
      wrongLength: "bad-body",
      pull: async () => {
        if (!begun) {
          begun = true;
          return head;
        }
        if (rest === undefined) {
          const chunk = await body.pull();
          if (chunk !== undefined) {
            hash.update(chunk);
            this.#core.step("chunk");
            return chunk;
          }
          // A long body: the view may have grown old over it.
          await this.#ready();
          rest = [...this.#ended(hash.digest("base64url"))];
        }
        return rest.shift();
      },
      close: () => body.close(),
    });
  }

  /** The stamp is on the disk before the manifest leaves: without one an upload cannot have landed. */
  #ended(sha256: string): readonly Uint8Array[] {
    const { hybrid, index, step } = this.#core;
    const promised = this.#call.taken?.sha256 ?? this.#sha256;
    if (promised !== undefined && promised !== sha256)
      throw new StoreError(this.#call.taken === undefined ? "bad-body" : "integrity", "the body has other bytes than before", { applied: false });
    this.#sha256 = sha256;
    if (this.timeMs === null) {
      if (this.#core.identity.writer !== this.#plan.writer)
        throw new StoreError("conflict", "this installation got a new identity while the file was on its way", { applied: false });
      if (this.#call.taken === undefined) this.#check();
      const timeMs = hybrid.tick();
      const intent = index.archives.intentOf(this.#plan.id);
      index.transaction(() => {
        index.setMeta("last", timeMs);
        if (intent !== undefined) index.archives.putIntent({ ...intent, time: timeMs });
      });
      this.timeMs = timeMs;
    }
    if (this.stampedMs === undefined) this.#markStamped((this.stampedMs = nowOf(this.#core)));
    step("solo stamped");
    return this.layout.tail(this.timeMs, sha256).chunks.filter(({ byteLength }) => byteLength > 0);
  }

  result(): { readonly manifest: Manifest; readonly dataEnd: number } {
    if (this.timeMs === null || this.#sha256 === undefined)
      throw new StoreError("unavailable", "the inner store took an archive for stored whose body it had not read", { applied: "unknown" });
    return this.layout.tail(this.timeMs, this.#sha256);
  }

  entry(): Entry {
    const { path, size, modifiedMs, extra } = this.#plan.file;
    const row: ShownRow = {
      dir: 0,
      name: "",
      kind: 1,
      t: this.timeMs ?? 0,
      w: this.#plan.writer,
      home: 0,
      at: null,
      ref: null,
      off: 0,
      size,
      modified: modifiedMs,
      hash: this.#sha256 ?? "",
      extra: extra === undefined ? null : JSON.stringify(extra),
      children: 0,
    };
    return { ...entryOf(path, row), etag: etagOf(this.#plan.file.stamp ?? [row.t, row.w]) };
  }
}
