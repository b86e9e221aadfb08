/**
 * Parts of archives in memory. A read that misses fetches forwards, and further each time: members of one directory lie side by side, and whoever reads two of
 * them will read the third.
 */
import type { Core } from "./core.ts";
import type { ArchiveRow } from "./index/index.ts";
import { Semaphore } from "./semaphore.ts";

const FIRST_WINDOW_BYTES = 64 * 1024;
/** Reads of one turn that lie so close are one request. */
const NEAR_BYTES = 64 * 1024;
const FORGET_WINDOW_MS = 60_000;
const MOST_FETCHES = 8;

interface Span {
  readonly archive: string;
  readonly start: number;
  readonly bytes: Uint8Array;
}
interface Wanted {
  readonly start: number;
  readonly end: number;
  readonly done: (bytes: Uint8Array) => void;
  readonly fail: (error: unknown) => void;
}
interface Fetch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}
interface State {
  readonly row: ArchiveRow;
  window: number;
  lastMiss: number;
  readonly wanted: Wanted[];
  readonly fetches: Set<Fetch>;
}

export class Spans {
  readonly #core: Core;
  readonly #room = new Semaphore(() => MOST_FETCHES);
  /** Least recently used first. */
  readonly #spans = new Set<Span>();
  readonly #byArchive = new Map<string, Set<Span>>();
  readonly #states = new Map<string, State>();
  #bytes = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Exactly this part, borrowed. The caller looks at what it hashes to. */
  async get(row: ArchiveRow, start: number, length: number): Promise<Uint8Array> {
    const cached = this.#cached(row.name, start, start + length);
    if (cached !== undefined) return cached;
    const state = this.#state(row);
    for (const fetch of state.fetches) if (fetch.start <= start && fetch.end >= start + length) return part(await fetch.bytes, fetch.start, start, length);
    return new Promise((done, fail) => {
      if (state.wanted.push({ start, end: start + length, done, fail }) === 1) setImmediate(() => this.#fetchWanted(state));
    });
  }

  /** What does not hash to what it should, is asked for again. */
  drop(archive: string): void {
    for (const span of this.#byArchive.get(archive) ?? []) this.#remove(span);
    const state = this.#states.get(archive);
    if (state !== undefined && state.wanted.length + state.fetches.size === 0) this.#states.delete(archive);
  }

  clear(): void {
    for (const archive of this.#byArchive.keys()) this.drop(archive);
  }

  #cached(archive: string, start: number, end: number): Uint8Array | undefined {
    for (const span of this.#byArchive.get(archive) ?? []) {
      if (span.start > start || span.start + span.bytes.byteLength < end) continue;
      this.#spans.delete(span);
      this.#spans.add(span);
      return part(span.bytes, span.start, start, end - start);
    }
    return undefined;
  }

  #state(row: ArchiveRow): State {
    const now = this.#core.clock.monotonic();
    let state = this.#states.get(row.name);
    if (state === undefined) {
      // Without ranges each part costs the archive from its start: then rather all of it at once.
      const window = this.#core.remote.hasRanges ? FIRST_WINDOW_BYTES : Infinity;
      this.#states.set(row.name, (state = { row, window, lastMiss: now, wanted: [], fetches: new Set() }));
    } else if (now - state.lastMiss > FORGET_WINDOW_MS && this.#core.remote.hasRanges) state.window = FIRST_WINDOW_BYTES;
    state.lastMiss = now;
    return state;
  }

  #fetchWanted(state: State): void {
    const wanted = state.wanted.splice(0).sort((a, b) => a.start - b.start);
    const { data } = state.row;
    if (state.window >= data / 2) return this.#fetch(state, 0, data, wanted);
    for (let first = 0; first < wanted.length;) {
      const { start } = wanted[first] as Wanted;
      let end = (wanted[first] as Wanted).end;
      let next = first + 1;
      for (; next < wanted.length && (wanted[next] as Wanted).start <= Math.max(end, start + state.window) + NEAR_BYTES; next++)
        end = Math.max(end, (wanted[next] as Wanted).end);
      this.#fetch(state, start, Math.min(data, Math.max(end, start + state.window)), wanted.slice(first, next));
      first = next;
    }
    state.window *= 4;
  }

  #fetch(state: State, start: number, end: number, wanted: readonly Wanted[]): void {
    const { row } = state;
    const bytes = this.#read(row, start, end - start);
    const fetch: Fetch = { start, end, bytes };
    state.fetches.add(fetch);
    bytes
      .finally(() => state.fetches.delete(fetch))
      .then(
        (whole) => {
          this.#keep({ archive: row.name, start, bytes: whole });
          for (const one of wanted) one.done(part(whole, start, one.start, one.end - one.start));
        },
        (error: unknown) => {
          for (const one of wanted) one.fail(error);
        },
      );
  }

  /** Not the caller's signal: others may wait for the same bytes. */
  async #read({ object }: ArchiveRow, start: number, length: number): Promise<Uint8Array> {
    const { ended, remote } = this.#core;
    const release = await this.#room.acquire(1, ended);
    try {
      return await remote.readPart(object, start, length, ended);
    } finally {
      release();
    }
  }

  #keep(span: Span): void {
    const { readCacheBytes } = this.#core.settings;
    if (span.bytes.byteLength > readCacheBytes) return;
    let spans = this.#byArchive.get(span.archive);
    if (spans === undefined) this.#byArchive.set(span.archive, (spans = new Set()));
    // What the new one covers is not kept twice.
    for (const other of spans) if (other.start >= span.start && other.start + other.bytes.byteLength <= span.start + span.bytes.byteLength) this.#remove(other);
    this.#byArchive.set(span.archive, spans);
    spans.add(span);
    this.#spans.add(span);
    this.#bytes += span.bytes.byteLength;
    for (const oldest of this.#spans) {
      if (this.#bytes <= readCacheBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(span: Span): void {
    if (!this.#spans.delete(span)) return;
    this.#bytes -= span.bytes.byteLength;
    const spans = this.#byArchive.get(span.archive);
    spans?.delete(span);
    if (spans?.size === 0) this.#byArchive.delete(span.archive);
  }
}

function part(bytes: Uint8Array, start: number, from: number, length: number): Uint8Array {
  return bytes.subarray(from - start, from - start + length);
}
