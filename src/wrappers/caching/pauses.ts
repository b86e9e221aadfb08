/** Reasons of the whole uploader to wait: a person, a full remote, one that is away, one that refuses everybody. */
import type { StoreError } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { backOffMs } from "./retry-policy.ts";

const PROBE_FAILED_MS = 60_000;
/** So many different paths in a row without a success: not the paths are to blame. */
const AWAY_AFTER_PATHS = 3;

export class Pauses {
  readonly #core: Core;
  /** By `pause()`. */
  byHand = false;
  /** Times are monotonic. */
  #fullUntil: number | undefined;
  #limitedUntil = 0;
  #away: { since: number; tries: number; probeAt: number } | undefined;
  #refused: { probeAt: number } | undefined;
  readonly #awayPaths = new Set<string>();
  #reason: StoreError | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  get state(): "paused" | "no-space" | "offline" | "failed" | undefined {
    if (this.byHand) return "paused";
    if (this.#refused !== undefined) return "failed";
    if (this.#away !== undefined) return "offline";
    return this.#fullUntil === undefined ? undefined : "no-space";
  }

  /** May anything start now? "one": a probe, if nothing else runs. */
  start(): "all" | "one" | "none" {
    const now = this.#core.clock.monotonic();
    if (this.byHand || now < this.#limitedUntil) return "none";
    const probe = this.#refused?.probeAt ?? this.#away?.probeAt;
    if (probe === undefined) return "all";
    return now >= probe ? "one" : "none";
  }

  /** Files only: deletes make room. */
  filesMayStart(running: number): boolean {
    if (this.#fullUntil === undefined) return true;
    return this.#core.clock.monotonic() >= this.#fullUntil && running === 0;
  }

  /** Why the remote is away or refuses everybody; undefined while it does neither. */
  get reason(): StoreError | undefined {
    return this.#away === undefined && this.#refused === undefined ? undefined : this.#reason;
  }

  /** Is it still so? Somebody wants to know now. */
  probe(): void {
    const now = this.#core.clock.monotonic();
    for (const one of [this.#away, this.#refused]) if (one !== undefined) one.probeAt = Math.min(one.probeAt, now);
  }

  /** The next moment after this one at which something changes by itself; monotonic. */
  nextAfter(looked: number): number | undefined {
    const times = [this.#fullUntil, this.#limitedUntil, this.#refused?.probeAt, this.#away?.probeAt].filter(
      (time) => time !== undefined && time > looked,
    ) as number[];
    return times.length === 0 ? undefined : Math.min(...times);
  }

  succeeded(sentFile: boolean): void {
    const { events, journal, group, clock } = this.#core;
    this.#awayPaths.clear();
    if (this.#away !== undefined || this.#refused !== undefined) {
      this.#away = undefined;
      this.#refused = undefined;
      // What only waited for the remote to come back waits no longer.
      group.record(() => journal.run("update node set due = ? where dirty = 1 and tries > 0 and due > ?", clock.now(), clock.now()));
      events.tell("online", null);
    }
    if (sentFile && this.#fullUntil !== undefined) {
      this.#fullUntil = undefined;
      events.tell("resumed", null);
    }
  }

  failed(error: StoreError, path: string): void {
    const { clock, events, settings, random } = this.#core;
    const now = clock.monotonic();
    this.#reason = error;
    if (error.code === "no-space") {
      if (this.#fullUntil === undefined) events.tell("paused", null, { code: error.code, reason: error.reason });
      this.#fullUntil = now + settings().noSpacePauseMs;
    } else if (error.code === "unauthenticated" || error.code === "config" || error.code === "closed") {
      if (this.#refused === undefined) events.tell("paused", null, { code: error.code, reason: error.reason });
      this.#refused = { probeAt: now + PROBE_FAILED_MS };
    } else if (error.code === "rate-limited") {
      this.#limitedUntil = Math.max(this.#limitedUntil, now + backOffMs(1, error, random));
    } else if (error.code === "unavailable" || error.code === "timeout") {
      this.#awayPaths.add(path);
      if (this.#away !== undefined) {
        this.#away.tries++;
        this.#away.probeAt = now + backOffMs(this.#away.tries, error, random);
      } else if (this.#awayPaths.size >= AWAY_AFTER_PATHS) {
        this.#away = { since: now, tries: 1, probeAt: now + backOffMs(1, error, random) };
        events.tell("offline", null, { code: error.code, reason: error.reason });
      }
    } else this.#awayPaths.clear();
  }

  /** By a person: everything is tried again. */
  end(): void {
    this.byHand = false;
    this.#fullUntil = undefined;
    this.#limitedUntil = 0;
    this.#away = undefined;
    this.#refused = undefined;
    this.#awayPaths.clear();
  }
}
