/**
 * Packs small files into immutable tar archives in one folder of the store below, and reads single members by range: `archive({ directory })`.
 *
 *   const store = stack(s3({ bucket }), retry(), archive({ directory: "/var/lib/app/archive" }));
 *   await Promise.all(files.map((file) => store.write(file.path, file.bytes)));    // a few requests
 *   await store.layers.archive.flush();
 *
 * docs/formats/archive.md says what lies in the folder: plain tar, which any program unpacks.
 */
import { StoreError, kindOf, layer, systemClock } from "../../store/index.ts";
import type { Kind, Layer } from "../../store/index.ts";
import { ArchiveBackend } from "./backend.ts";
import { archiveCapabilities } from "./capabilities.ts";
import { archiveControl } from "./control.ts";
import { Opened } from "./opened.ts";
import { archiveSettings } from "./options.ts";
import type { ArchiveControl, ArchiveEvent, ArchiveOptions } from "./options.ts";
import { rules as right } from "./rules.ts";
import type { Rules } from "./rules.ts";
import { noSteps } from "./steps.ts";
import type { StepHook } from "./steps.ts";

/**
 * Needs a store that reads, writes, lists and deletes. A call resolves when its archive is stored: at most `maxDelayMs` and one upload after it began, or
 * sooner, when enough others have joined. Several installations may use one folder; of two versions of a path the one with the later stamp is shown.
 * @throws StoreError `config` when it is applied: wrong options, or a store that lacks one of the four
 */
export function archive(options: ArchiveOptions): Layer<"archive", ArchiveControl> {
  return archiveWith(right, options);
}

export const Archive: Kind<ArchiveControl> = kindOf("archive");

export interface Proof {
  readonly step?: StepHook | undefined;
  /** Collections and repacks after refreshes. Default true. */
  readonly upkeep?: boolean | undefined;
  /** Sees the parts each time that the store opens. */
  readonly opened?: ((opened: Opened) => void) | undefined;
}

/** The layer with other rules, and with crash points: for the proofs. */
export function archiveWith(rules: Rules, options: ArchiveOptions, proof: Proof = {}): Layer<"archive", ArchiveControl> {
  const { clock = systemClock, random = Math.random, ...given } = options;
  return layer("archive", (inner) => {
    const settings = archiveSettings(given, inner.capabilities);
    const { folder } = settings.settings;
    const listeners = new Set<(event: ArchiveEvent) => void>();
    const emit = (event: ArchiveEvent): void => {
      // Not within what it tells of: a listener that throws is its owner's trouble.
      for (const listener of listeners) queueMicrotask(() => listener(event));
    };
    let opened: Opened | undefined;
    const now = (): Opened => {
      if (opened === undefined) throw new StoreError("closed", "the store is not open: call open() first", { applied: false });
      return opened;
    };
    return {
      control: archiveControl(settings, now, () => opened !== undefined, listeners),
      backend: new ArchiveBackend(inner, archiveCapabilities(inner.capabilities, settings.settings), now),
      describe: () => `folder=${folder}`,
      identity: () => `archive:${folder}`,
      async open() {
        opened = await Opened.open({
          inner,
          settings: () => settings.settings,
          clock,
          random,
          rules,
          step: proof.step ?? noSteps,
          emit,
          upkeep: proof.upkeep ?? true,
        });
        proof.opened?.(opened);
      },
      /** What waits for company goes now. */
      closing() {
        opened?.groups.hurry();
      },
      async close(signal) {
        const closing = opened;
        opened = undefined;
        await closing?.close(signal);
      },
    };
  });
}
