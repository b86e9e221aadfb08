/** The object of a large file while it is on its way: what stands before the body, the body, and a tail that is made when the body has ended. */
import { createHash } from "node:crypto";
import { StoreError, byteStream } from "../../store/index.ts";
import type { ByteStream, Entry, Source, StorePath } from "../../store/index.ts";
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { Extra, Manifest } from "./format/records.ts";
import { SoloLayout } from "./format/solo-layout.ts";
import type { SoloPlan } from "./format/solo-layout.ts";
import type { Stamp } from "./format/stamp.ts";
import { etagOf } from "./format/stamp.ts";
import { entryOf } from "./index/index.ts";
import type { ShownRow } from "./index/index.ts";

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

/** The object of one solo: header, body, and a tail that is made when the body has ended. */
export class SoloUpload {
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
