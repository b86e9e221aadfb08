/** Large files: an archive each, streamed. */
import { StoreError, hasCode, parentOf, root } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { SoloPlan } from "./format/solo-layout.ts";
import type { Groups } from "./groups.ts";
import { writtenByNewer } from "./sealer.ts";
import { isDirectory } from "./index/index.ts";
import { Semaphore } from "./semaphore.ts";
import { SoloUpload } from "./solo-upload.ts";
import type { SoloCall } from "./solo-upload.ts";
import type { Uploads } from "./uploads.ts";

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
