/**
 * The decisions of the protocol, one by one. Not an option: the proofs (test/wrappers/archive) replace one at a time and show that their random programs
 * find each variant, so that every rule is known to be needed.
 */
import type { OpenRules } from "./format/open.ts";
import { compareStamps } from "./format/stamp.ts";
import type { Stamp } from "./format/stamp.ts";

/** A copy of a record, in one of the archives that hold it. */
export interface Holder {
  readonly own: boolean;
  /** Of the archive. */
  readonly stamp: Stamp;
}

export interface Rules extends OpenRules {
  /** 1. Above everything seen, however wrong the clock: who overwrites what it has seen must win. */
  nextTime(times: { readonly lastMs: number; readonly nowMs: number; readonly seenMs: number }): number;
  /** 2. What a delete names: the version that was seen, never its own time, or it would delete what somebody else wrote meanwhile. */
  tombstoneUpTo(stamps: { readonly shown: Stamp; readonly own: Stamp }): Stamp;
  /** 3. A delete covers own uploads in doubt: one that lands later must not bring the file back. */
  readonly deletesCoverDoubt: boolean;
  /** 4. Only its owner knows what refers into an archive, so nobody else packs it again or deletes it. */
  mayManage(own: boolean): boolean;
  /** 5. References point to own bytes only: the owner of others may delete them without knowing of the reference. */
  mayReferTo(own: boolean): boolean;
  /** 6. A listing may lack what landed: an archive is forgotten only when it is still missing after the time that listings take to settle. */
  isGone(times: { readonly missingForMs: number; readonly settleMs: number }): boolean;
  /** 7. An archive is needed for its tombstones too, not for its records alone. */
  readonly tombstonesAreNeeded: boolean;
  /** 8. Which of two copies of a record counts: own before foreign, then the newest, so that two never justify each other and the older one can go. */
  isBetterHome(one: Holder, other: Holder): boolean;
  /** 9. Repacking leaves dead records behind. */
  readonly repacksDeadRecords: boolean;
  /** 10. Others may still read by a view in which an unneeded archive is needed. */
  graceMs(settings: { readonly graceMs: number }): number;
  /** 11. What refers into an archive makes it needed at that moment, not at the next look. */
  readonly sealClearsUnneeded: boolean;
  /** 12a. An own upload in doubt is needed, although a listing may have shown it already. */
  readonly ownUploadsAreNeeded: boolean;
  /** 12b. What was on its way before an archive became unneeded may refer into it: its deletion waits. */
  readonly deletionWaitsForOlder: boolean;
  /** 13. A tombstone goes when nothing below it is known any more AND it is old: what it deletes may still be on its way. */
  mayDropTombstone(facts: { readonly recordsBelow: boolean; readonly ageMs: number; readonly tombMs: number }): boolean;
  /** 14. A claim waits for a grace period: another installation may have claimed the same writer at the same time. */
  claimDelayMs(settings: { readonly graceMs: number }): number;
  /** 15. Bytes that are taken over keep their stamp: a new one would revive what their writer has deleted meanwhile. */
  takenStamp(stamps: { readonly old: Stamp; readonly own: Stamp }): Stamp;
  /** 16a. A lost index took the counter and the uploads in doubt with it: never the same writer again. */
  readonly lostIndexChangesWriter: boolean;
  /** 16b. A count is persisted before a name is made of it. */
  readonly countPersistedFirst: boolean;
  /** 17. A solo is stamped when its body has ended, so that of two writes the later completion wins. */
  readonly soloStampedAtEnd: boolean;
  /** 18. An upload is known to the disk before a byte of it leaves, or after a crash nobody looks for it. */
  readonly intentFirst: boolean;
  /** 19. Learning what was stored and forgetting that it was in doubt are one transaction. */
  readonly commitIsOne: boolean;
  /** 21. After the seal an operation cannot be taken out any more: nobody knows whether it will have happened. */
  appliedAfterSeal(): "unknown" | false;
  /** A fresh question waits for what was left after its seal: it may land any moment, as an own later version that nobody would know as such. */
  readonly freshAwaitsLeft: boolean;
  /** 23. What is missing is judged by a complete listing only. */
  readonly halfListingsJudge: boolean;
  /** 24. A listing says nothing about what was learned after it began. */
  isJudged(facts: { readonly learnedInThisListing: boolean }): boolean;
  /** 27. Of two records of one path the one with the greater stamp is shown, in whatever order they came. */
  wins(one: Stamp, other: Stamp): boolean;
  /** 28. A refresh that fails is not answered from the old view. */
  readonly failedRefreshAnswers: boolean;
  /** 29. An archive that is gone may have been packed again: a look at the folder comes before "not found". */
  readonly readsLookAgain: boolean;
  /** An archive that the last listing did not show may be deleted already: nothing refers to it, and nothing is packed from it. */
  readonly missingIsUsed: boolean;
  /** Every seal needs a young view: an installation that slept may have been taken over meanwhile. */
  readonly sealsNeedYoungView: boolean;
  /** 30. Tombstones and references of a newer version are not known: nothing is changed beside them. */
  readonly newerStopsWrites: boolean;
}

export const rules: Rules = Object.freeze<Rules>({
  checksPaths: true,
  checksManifestHash: true,
  limitsUnpacking: true,
  nextTime: ({ lastMs, nowMs, seenMs }) => Math.max(lastMs + 1, nowMs, seenMs + 1),
  tombstoneUpTo: ({ shown }) => shown,
  deletesCoverDoubt: true,
  mayManage: (own) => own,
  mayReferTo: (own) => own,
  isGone: ({ missingForMs, settleMs }) => missingForMs >= settleMs,
  tombstonesAreNeeded: true,
  isBetterHome: (one, other) => (one.own === other.own ? compareStamps(one.stamp, other.stamp) > 0 : one.own),
  repacksDeadRecords: false,
  graceMs: ({ graceMs }) => graceMs,
  sealClearsUnneeded: true,
  ownUploadsAreNeeded: true,
  deletionWaitsForOlder: true,
  mayDropTombstone: ({ recordsBelow, ageMs, tombMs }) => !recordsBelow && ageMs > tombMs,
  claimDelayMs: ({ graceMs }) => graceMs,
  takenStamp: ({ old }) => old,
  lostIndexChangesWriter: true,
  countPersistedFirst: true,
  soloStampedAtEnd: true,
  intentFirst: true,
  commitIsOne: true,
  appliedAfterSeal: () => "unknown",
  freshAwaitsLeft: true,
  halfListingsJudge: false,
  isJudged: ({ learnedInThisListing }) => !learnedInThisListing,
  wins: (one, other) => compareStamps(one, other) > 0,
  failedRefreshAnswers: false,
  readsLookAgain: true,
  missingIsUsed: false,
  sealsNeedYoungView: true,
  newerStopsWrites: true,
});
