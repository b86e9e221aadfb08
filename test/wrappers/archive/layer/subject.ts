/** The layer that the proofs try, and how: settings in which a minute is a step of the model's time. */
export { unpacked } from "./turns.ts"; // Loaded before the layer.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "../../../../src/providers/memory/index.ts";
import type { Clock, Store } from "../../../../src/store/index.ts";
import * as right from "../../../../src/wrappers/archive/archive.ts";
import type { Proof } from "../../../../src/wrappers/archive/archive.ts";
import type { Opened } from "../../../../src/wrappers/archive/opened.ts";
import type { ArchiveControl, ArchiveOptions } from "../../../../src/wrappers/archive/index.ts";
import { rules } from "../../../../src/wrappers/archive/rules.ts";
import type { Rules } from "../../../../src/wrappers/archive/rules.ts";

export const MINUTE = 60_000;
/** S, Z, GRACE, TOMB as in the model (3, 6, 12, 25 steps), but for the 15 minutes that the layer allows a listing. */
export const TIMING = { settleMs: 3 * MINUTE, lateMs: 6 * MINUTE, graceMs: 27 * MINUTE, tombMs: 54 * MINUTE } as const;
export const SMALL_BYTES = 2048;

export type ProofStore = Store & { readonly layers: { readonly archive: ArchiveControl } };
export interface Place {
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Sees the parts of the layer each time that it opens. */
  readonly opened: (parts: Opened) => void;
  readonly step: (name: string) => void;
}
type Module = Pick<typeof right, "archiveWith">;
export type OpenLayer = (inner: Store, place: Place) => ProofStore;

/** Makes layers: the right one, or one with a bug. */
export type MakeLayer = (more?: Partial<ArchiveOptions>, proof?: Proof) => OpenLayer;

export function layerWith(variant: Partial<Rules> = {}, more: Partial<ArchiveOptions> = {}, proof: Proof = {}, module: Module = right): OpenLayer {
  const changed: Rules = { ...rules, ...variant };
  return (inner, { opened, step, ...place }) =>
    module.archiveWith(
      changed,
      { ...TIMING, smallBytes: SMALL_BYTES, maxBytes: 65_536, refreshMs: MINUTE, ...more, ...place },
      { ...proof, opened, step },
    )(inner);
}

/** What it loads when it is first opened takes time that no clock of ours counts: it is loaded here. */
async function loaded(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "stratus-archive-load-"));
  try {
    const store = right.archiveWith(rules, { directory })(memory());
    await store.open();
    await store.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
await loaded();
