/** What the parts of the layer share while a store is open. */
import type { Clock } from "../../store/index.ts";
import type { HybridClock } from "./clock.ts";
import type { Manifest } from "./format/records.ts";
import type { Identity } from "./identity.ts";
import type { ArchiveRow, Index } from "./index/index.ts";
import type { ArchiveEvent, ArchiveSettings } from "./options.ts";
import type { Remote } from "./remote.ts";
import type { Rules } from "./rules.ts";
import type { StepHook } from "./steps.ts";

export interface Core {
  readonly clock: Clock;
  readonly hybrid: HybridClock;
  readonly identity: Identity;
  readonly index: Index;
  readonly remote: Remote;
  readonly rules: Rules;
  readonly step: StepHook;
  /** Those in force now. */
  readonly settings: Readonly<ArchiveSettings>;
  readonly emit: (event: ArchiveEvent) => void;
  /** Fires when the store is closed and nothing is waited for any more. */
  readonly ended: AbortSignal;
}

/** Whole milliseconds of the local clock. */
export function nowOf({ clock }: Pick<Core, "clock">): number {
  return Math.floor(clock.now());
}

/** Whether the archives of a writer are this installation's: it wrote them, or has taken them over. */
export function isOwn(core: Pick<Core, "identity" | "index" | "rules" | "settings">, writer: string): boolean {
  const { identity, index, rules, settings } = core;
  if (writer === identity.writer) return true;
  return index.owners.ownerOf(writer, rules.claimDelayMs(settings)) === identity.writer;
}

/** Whether a reference may go into an archive: an own one, as others are deleted by others, that is surely there. */
export function mayRefer(core: Core, { missing, writer }: Pick<ArchiveRow, "missing" | "writer">): boolean {
  const { rules } = core;
  return rules.mayReferTo(isOwn(core, writer)) && (missing === null || rules.missingIsUsed);
}

/** Learns an archive together with what it does to clock and intents: one transaction. */
export function commitLearned(
  core: Core,
  stored: { readonly manifest: Manifest; readonly object: string; readonly bytes: number; readonly dataEnd: number },
): void {
  const { hybrid, index, rules } = core;
  const { id } = stored.manifest;
  hybrid.see(stored.manifest);
  const learn = (): void => {
    index.learn({ ...stored, learnedMs: nowOf(core) });
    index.setMeta("seen", hybrid.seenMs);
  };
  if (rules.commitIsOne)
    index.transaction(() => {
      learn();
      index.archives.dropIntent(id);
    });
  else {
    index.archives.dropIntent(id);
    core.step("committed");
    index.transaction(learn);
  }
}
