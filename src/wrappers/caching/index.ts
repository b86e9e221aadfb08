/**
 * A write-back cache on this disk: what is acknowledged survives a crash and is uploaded, without anybody asking.
 *
 *   const store = stack(s3({ bucket }), caching({ directory: "/var/cache/photos" }));
 *   await store.write("/a.jpg", bytes);                  // safe here when it resolves; sent after a second of quiet
 *   await store.layers.caching.flush();                  // until the service has it
 */
import { StoreError, control, kindOf, layer, systemClock } from "../../store/index.ts";
import type { Clock, Control, Kind, Layer, Store } from "../../store/index.ts";
import { CachingBackend } from "./cache.ts";
import type { CacheControl } from "./control-types.ts";
import type { Setup } from "./core.ts";
import { controlOf } from "./control.ts";
import { Events } from "./events.ts";
import { describeSettings } from "./options.ts";
import type { CacheSettings, CachingOptions } from "./options.ts";
import { rules as right } from "./rules.ts";
import type { Rules } from "./rules.ts";
import type { Instruments } from "./steps.ts";

/**
 * `write` resolves when the bytes and a row of the journal are on the disk, flushed; `delete`, `mkdir`, `move` and `copy` likewise. Uploads follow, in any
 * order, with retries; `flush` waits for them. Calls with a condition, and moves to another spelling of the same name, go to the
 * service at once, after what is pending on their paths: where that fails for half a minute they are told why. One process at a time owns the directory; a second one is refused with `conflict`. docs/stacking.md says what other clients see, and what happens when they change the same file.
 * @throws StoreError `config` for wrong options, or over a `retry` that resends changes of unknown outcome
 */
export function caching(options: CachingOptions): Layer<"caching", CacheControl> {
  return cachingWith({}, options);
}

export const Caching: Kind<CacheControl> = kindOf("caching");

/** For models and crash runs: with single rules of the protocol turned around, and with its steps told. */
export function cachingWith(
  changed: Partial<Rules>,
  options: CachingOptions,
  { step = () => {}, swept, killed, reserveBytes = 4 << 20 }: Instruments = {},
): Layer<"caching", CacheControl> {
  const { clock: ticking = systemClock, random = Math.random, ...given } = options;
  const clock = wholeClock(ticking);
  const rules: Rules = Object.freeze({ ...right, ...changed });
  return layer("caching", (inner, store) => {
    refuseResending(store);
    const base = control<CacheSettings>("caching", describeSettings(inner.capabilities.afterlifeMs), given, check);
    let settings = base.settings;
    check(settings);
    if (typeof given.directory !== "string" || given.directory === "") throw new StoreError("config", "caching needs a directory");
    const tracked: Control<CacheSettings> = {
      ...base,
      get settings() {
        return base.settings;
      },
      async configure(patch) {
        if (patch.mode !== undefined && patch.mode !== settings.mode && (patch.mode === "read-only" || settings.mode === "read-only"))
          throw new StoreError("config", "caching.mode: read-only is fixed at the start");
        await base.configure(patch);
        settings = base.settings;
      },
    };
    const events = new Events(clock);
    const setup: Setup = { rules, clock, random, inner, remoteCan: inner.capabilities, events, settings: () => settings, step, swept, killed };
    const backend = new CachingBackend(setup, store, reserveBytes);
    let own = store;
    return {
      control: controlOf(
        tracked,
        events,
        () => backend,
        store,
        (signal) => own.open({ signal }),
      ),
      attach: (made) => void (own = made),
      backend,
      open: () => backend.open(),
      reconnect: () => backend.reconnect(),
      close: (signal) => backend.close(signal),
      describe: () => `directory=${settings.directory}${settings.mode === "write-back" ? "" : ` mode=${settings.mode}`}`,
    };
  });
}

/** The journal keeps whole milliseconds. */
function wholeClock(clock: Clock): Clock {
  return { now: () => Math.floor(clock.now()), monotonic: () => clock.monotonic(), sleep: (...args) => clock.sleep(...args) };
}

function check({ cacheBytes, hardLimitBytes }: CacheSettings): void {
  if (hardLimitBytes < cacheBytes) throw new StoreError("config", "caching.hardLimitBytes: never less than cacheBytes");
}

/** A layer that sends a change again whose outcome is unknown would hide the doubt that this one waits out. */
function refuseResending(store: Store): void {
  for (let at: Store | undefined = store; at !== undefined; at = at.inner.length === 1 ? at.inner[0] : undefined) {
    const own = at.layers[at.name];
    if (own?.kind === "archive") return;
    if (own?.kind === "retry" && (own.settings as { readonly ambiguous?: unknown }).ambiguous === "resend")
      throw new StoreError(
        "config",
        'a retry below the cache sends changes of unknown outcome again: give it { ambiguous: "reject" }, or leave it out: the cache retries by itself',
      );
  }
}

export type { CacheControl, CacheEvent, CacheEventName, Conflict, FileState, FileStateName, PendingFile } from "./control-types.ts";
export type { CacheSettings, CachingOptions } from "./options.ts";
