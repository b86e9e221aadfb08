/**
 * Remembers what `stat` and `list` told, absences too, so that repeated questions cost no request: `metadataCache({ ttlMs: 60_000 })`.
 *
 *   const store = stack(webdav({ url }), metadataCache());
 *   await store.list("/photos").toArray();                     // one listing ...
 *   await store.stat("/photos/a.jpg", { detail: "basic" });    // ... answers this,
 *   await exists(store, "/photos/none.jpg");                   // and this
 *   store.layers.metadataCache.invalidate("/photos");          // somebody else changed it
 */
import { resolve } from "node:path";
import { control, identityOf, kindOf, layer, parsePath, root, systemClock } from "../../store/index.ts";
import type { Backend, Kind, Layer, LayerParts, Store } from "../../store/index.ts";
import { MetadataCacheBackend } from "./backend.ts";
import { MetadataFile } from "./file.ts";
import { MetadataMemory } from "./memory.ts";
import { rules } from "./rules.ts";
import type { Rules } from "./rules.ts";
import { settingsFor } from "./settings.ts";
import type { MetadataCacheControl, MetadataCacheOptions, MetadataCacheSettings } from "./settings.ts";

export type { MetadataCacheControl, MetadataCacheOptions, MetadataCacheReport, MetadataCacheSettings } from "./settings.ts";

/**
 * Every answer is one that the service gave at most `ttlMs` ago (where it lists late, and its listings with it, `settleMs` more), or what an own change told since. A question
 * with `fresh` goes to the service, and its answer is remembered. Own changes are seen at once; one whose outcome is unknown makes forgotten what it concerned. Changes of other
 * clients are seen when what is remembered has grown old, by `fresh`, or after `invalidate`. Conditions are never answered from memory, bytes neither.
 * The capabilities are those of the store below. @throws StoreError `config` for a wrong setting
 */
export function metadataCache(options: MetadataCacheOptions = {}): Layer<"metadataCache", MetadataCacheControl> {
  return metadataCacheWith(rules, options);
}

export const MetadataCache: Kind<MetadataCacheControl> = kindOf("metadataCache");

/** For the tests of the rules: the same layer with some of them replaced. */
export function metadataCacheWith(
  by: Rules,
  options: MetadataCacheOptions = {},
  see: (memory: MetadataMemory) => void = () => {},
): Layer<"metadataCache", MetadataCacheControl> {
  return layer("metadataCache", (inner, store) => build(inner, store, by, options, see));
}

function build(
  inner: Backend,
  store: Store,
  by: Rules,
  options: MetadataCacheOptions,
  see: (memory: MetadataMemory) => void,
): LayerParts & { readonly control: MetadataCacheControl } {
  const { clock = systemClock, ...given } = options;
  let settings: Readonly<MetadataCacheSettings>;
  const base = control<MetadataCacheSettings>("metadataCache", settingsFor(inner.capabilities), given, (next) => {
    settings = next;
  });
  ({ settings } = base);
  const { file: path, maxStaleMs } = settings;
  const file = path === "" ? undefined : new MetadataFile({ path: resolve(path), clock, maxStaleMs, identity: identityOf(store) });
  const memory = new MetadataMemory({ capabilities: inner.capabilities, clock, rules: by, settings: () => settings, journal: file });
  const backend = new MetadataCacheBackend(inner, memory);
  see(memory);
  return {
    control: controlOf(base, memory, file),
    describe: () => `ttlMs=${base.settings.ttlMs}`,
    backend,
    open: async () => file?.open(memory),
    close: async (signal) => file?.close(signal),
    async reconnect() {
      backend.forgetAccount();
    },
  };
}

function controlOf(base: ReturnType<typeof control<MetadataCacheSettings>>, memory: MetadataMemory, file: MetadataFile | undefined): MetadataCacheControl {
  return {
    kind: base.kind,
    get settings() {
      return base.settings;
    },
    async configure(patch) {
      await base.configure(patch);
      memory.tree.makeRoom(memory.tree.top);
    },
    flush: (options) => base.flush(options),
    invalidate(path) {
      const at = path === undefined ? root : parsePath(path);
      memory.invalidate(memory.naming.nearest(at));
    },
    report() {
      const { tree, counts, flights } = memory;
      const { hits, negativeHits, misses, prefetches } = counts;
      return {
        entries: tree.facts,
        directories: tree.directories,
        bytes: tree.bytes,
        hits,
        negativeHits,
        misses,
        joined: flights.joined,
        prefetches,
        evicted: tree.evictions,
        file: file?.state ?? "none",
      };
    },
  };
}
