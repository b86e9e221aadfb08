/**
 * One-bug variants of the caching store: one rule of src/wrappers/caching/rules.ts turned around, killed by a frozen program or by a proof that goes step by
 * step. Rows: cache.md 1.8 by the name there, and M71 to M78 of the list of mutants.
 */
import type { Rules } from "../../src/wrappers/caching/rules.ts";
import { subject } from "../wrappers/caching/model/caching-subject.ts";
import { frozen } from "../wrappers/caching/model/frozen.ts";
import { frozenShared } from "../wrappers/caching/model/frozen-shared.ts";
import { runProgram } from "../wrappers/caching/model/run.ts";
import { runShared } from "../wrappers/caching/model/two-clients.ts";
import { brokenLayer } from "./registry.ts";
import type { BrokenLayer, Proof } from "./registry.ts";
import * as proofs from "./support/caching-proofs.ts";
import type { Bug } from "./support/caching-world.ts";

/** What the rows of the references call it. */
const rows: Readonly<Partial<Record<keyof Rules, readonly string[]>>> = {
  cleanByGeneration: ["cache.md 1.8 clean-by-path", "M75"],
  ancestorsMayExist: ["cache.md 1.8 no-may-exist"],
  absenceEndsWithMove: ["cache.md 1.8 absent-survives-move"],
  followsLaterMoves: ["cache.md 1.8 vanish-by-old-path"],
  evictionKeepsBase: ["cache.md 1.8 evict-forgets-base"],
  vanishedForgetsWhiteouts: ["cache.md 1.8 whiteout-keeps-base"],
  ordersByTree: ["cache.md 1.8 per-path-queue"],
  continuesMove: ["cache.md 1.8 restart-tree-move"],
  typeChangeIsBarrier: ["cache.md 1.8 no-type-barrier"],
  movedBaseIsSoft: ["cache.md 1.8 hard-base-after-move"],
  flushesBeforeSend: ["cache.md 1.8 send-before-flush"],
  evictsOnlyClean: ["cache.md 1.8 evict-dirty", "M78"],
  barrierWaitsForFlights: ["cache.md 1.8 barrier-ignores-flights"],
  holdsDoubt: ["cache.md 1.8 no-hold"],
  looksAfterDoubt: ["cache.md 1.8 blind-resend"],
  openingKeepsFlights: ["cache.md 1.8 recover-as-dirty"],
  numbersAreUnique: ["cache.md 1.8 row-id-reuse"],
  deleteEndLeavesRows: ["cache.md 1.8 delete-sets-base"],
  continuesByFile: ["cache.md 1.8 whole-again"],
  removeHasItems: ["cache.md 1.8 remove-without-items"],
  sendsConditions: ["cache.md 1.8 no-cond"],
  keepsTheirs: ["cache.md 1.8 no-copy"],
  deleteGivesWay: ["cache.md 1.8 delete-wins"],
  oursBy: ["cache.md 1.8 any-is-ours"],
  blindDoubtIsConflict: ["cache.md 1.8 blind-again"],
  flushesJournal: ["cache.md 1.8 no WAL flush"],
  flushesFiles: ["cache.md 1.8 no file flush"],
  flushesDirectories: ["cache.md 1.8 no directory flush"],
  acknowledgesAfter: ["cache.md 1.8 acknowledge before the flush, or before the commit"],
  unlinksAfterFlush: ["cache.md 1.8 unlink before the commit is flushed"],
  poisonStops: ["cache.md 1.8 poisoned journal goes on"],
  contentNamesAreUnique: ["cache.md 1.8 ordinary row ids for content"],
  verifiesAfterReboot: ["cache.md 1.8 CRC not checked after a reboot"],
  fillChecksPath: ["cache.md 1.8 fill commits although the path was written meanwhile"],
  fillNeedsWholeBody: ["cache.md 1.8 fill kept after a broken or ranged download", "M71"],
  listingHasSnapshot: ["cache.md 1.8 list without snapshot in the cursor"],
  whiteoutStaysUntilAnswer: ["cache.md 1.8 whiteout removed when the delete is sent"],
  deleteWaitsForUpload: ["cache.md 1.8 delete does not abort or wait for the upload", "M73"],
  flushWaitsForFlights: ["M74"],
  openingContinues: ["M76"],
  parkedStays: ["M77"],
};

interface Found<P> {
  readonly found: string;
  readonly kills?: Bug;
  readonly program: P;
}
interface Killer {
  readonly kills: Bug;
  readonly found: string;
  readonly proof: Proof<Bug>;
}

/** Of the frozen programs those that kill something. */
function killers<P>(all: readonly Found<P>[], name: string, run: (subjectOf: ReturnType<typeof subject>, program: P) => Promise<unknown>): readonly Killer[] {
  return all.flatMap(({ found, kills, program }) =>
    kills === undefined
      ? []
      : [{ kills, found, proof: { name: `caching, ${name}: ${found}`, run: async (bug: Bug) => void (await run(subject(bug), program)) } }],
  );
}

const programs = killers(frozen, "frozen program", runProgram);
const sharedPrograms = killers(frozenShared, "frozen program of two clients", runShared);

/** Killed step by step: the rule, the bug in words, and the proof. */
const directed: readonly (readonly [Bug, string, Proof<Bug>])[] = [
  [{ flushesJournal: false }, "the journal is not flushed", proofs.poisoned],
  [{ acknowledgesAfter: "commit" }, "a call is answered after the commit, before the flush", proofs.poisoned],
  [{ acknowledgesAfter: "queue" }, "a call is answered before the commit", proofs.rewriting],
  [{ poisonStops: false }, "a journal that could not be flushed goes on", proofs.poisoned],
  [{ contentNamesAreUnique: false }, "names of content files are used again", proofs.openReader],
  [{ verifiesAfterReboot: false }, "bytes are not compared with their CRC after a power failure", proofs.tornFill],
  [{ fillChecksPath: false }, "a download replaces what was written while it ran", proofs.fillAndWrite],
  [{ fillNeedsWholeBody: false }, "a part of a file is kept as the file", proofs.partsAreNoFiles],
  [{ listingHasSnapshot: false }, "a listing does not remember which names it gave", proofs.pagesOfAListing],
  [{ deleteWaitsForUpload: false }, "a delete does not stop the upload of its file", proofs.abortedUpload],
  [{ abortIsDoubt: false }, "an upload that was stopped is taken for one that never was", proofs.abortedUpload],
  [{ landedIsOurs: false }, "what lands after its directory was deleted is taken for another client's", proofs.landedAndRemoved],
  [{ unwrittenIsDoubt: false }, "the end of a request that could not be written down is forgotten", proofs.unwritten],
  [{ dueIsBounded: false }, "endless rewriting postpones the upload for ever", proofs.rewriting],
  [{ conditionsAreRemote: false }, "a condition is decided by what is remembered", proofs.conditionsReachTheRemote],
  [{ hardLimitSparesClean: false }, "the hard limit counts what could leave", proofs.hardLimit],
  [{ noSpaceSparesDeletes: false }, "a full remote stops the deletes that would make room", proofs.fullRemote],
  [{ parkedStays: false }, "a file that cannot be sent is dropped after its last try", proofs.parked],
  [{ flushWaitsForFlights: false }, "flush does not wait for requests under way", proofs.flushAndRequests],
  [{ holdsDoubt: false }, "after a lost answer nothing waits until the request can no longer land", proofs.lostAndDeleted],
  [{ looksAfterDoubt: false }, "after a lost answer the request is simply sent again", proofs.lostAndDeleted],
  [{ looksAreFresh: false }, "a look is answered by a cache below", proofs.looksPastCaches],
  [{ blindDoubtIsConflict: false }, "a blind write, in doubt, is sent again over another version", proofs.blindAndDoubtful],
  [{ oursBy: "any" }, "whatever is there after a doubt is taken for our upload", proofs.conflictsHaveOneName],
  [{ oursBy: "size" }, "bytes of the same number are taken for ours", proofs.equalSize],
  [{ sendsConditions: false }, "uploads are sent without a condition", proofs.conflictsHaveOneName],
  [{ keepsTheirs: false }, "another client's version is not kept", proofs.conflictsHaveOneName],
  [{ conflictNameIsStable: false }, "a conflict gets a new name at each try", proofs.conflictsHaveOneName],
  [{ deleteGivesWay: false }, "a delete removes a version that nobody saw", proofs.deletesGiveWay],
  [{ deleteLooksFirst: false }, "a delete of an unknown path is sent as blindly as it was called", proofs.unseenIsNotDeleted],
  [{ continuesMove: false }, "an interrupted move clears its target and starts over", proofs.stepsKeepTargets],
  [{ stepKeepsTarget: false }, "a step of a tree overwrites what stands at its target", proofs.stepsKeepTargets],
  [{ removeIsPlain: false }, "a directory deleted because it was empty is deleted with all in it", proofs.plainRemove],
  [{ vanishedForgetsBases: false }, "a file whose move lost its source keeps the base of its old place", proofs.vanishedSource],
  [{ copyOfPendingIsWrite: false }, "the remote is asked to copy what it has not got yet", proofs.copyOfPending],
  [{ openingContinues: false }, "an opening with other settings leaves what the last one had pending", proofs.conflictsHaveOneName],
  [{ registersOwner: false }, "a second opening in the process is met by its locks alone", proofs.namesTheOwner],
  [{ locksOwnerFile: false }, "the only lock lies on a file that may be read", proofs.strayRead],
  [{ arrivedIsWhole: false }, "the bytes of an older version are taken for the arrival of a new one", proofs.sameBytes],
  [{ failingWaitsEnd: false }, "a call that waits for what cannot be sent waits until the service is back", proofs.failingWaits],
];

export const variants: readonly { readonly bug: Bug; readonly text: string; readonly proof: Proof<Bug> }[] = [
  ...programs.map(({ kills, found, proof }) => ({ bug: kills, text: found, proof })),
  ...directed.map(([bug, text, proof]) => ({ bug, text, proof })),
  // Last, so that the numbers of the others stay.
  ...sharedPrograms.map(({ kills, found, proof }) => ({ bug: kills, text: found, proof })),
];

export const layers: readonly BrokenLayer[] = variants.map(({ bug, text, proof }, index) =>
  brokenLayer<Bug>({
    id: `C${String(index + 1).padStart(2, "0")}`,
    bug: text,
    rows: (Object.keys(bug) as (keyof Rules)[]).flatMap((rule) => rows[rule] ?? [`rules.ts ${rule}`]),
    proofs: [proof],
    right: () => ({}),
    wrong: () => bug,
  }),
);
