/**
 * The decisions of the protocol, one name each. Every one of them was wrong once, in a prototype, in a predecessor or in another cache, and each has a
 * program that loses something when it is turned around: that is what this object is for. The layer runs with `rules`; a test replaces one member.
 */
export interface Rules {
  // What is journalled, and when it counts

  /** Every number (row, generation, barrier) comes from one counter and is never given twice: a request of a deleted row would mark another one as sent. */
  readonly numbersAreUnique: boolean;
  /** The name of a content file is never used again either: a reader may have the old one open. */
  readonly contentNamesAreUnique: boolean;
  /** A content file is flushed before the row that names it. */
  readonly flushesFiles: boolean;
  /** The directory of a new content file is flushed before the row that names it. */
  readonly flushesDirectories: boolean;
  /** The journal is flushed after its commit. */
  readonly flushesJournal: boolean;
  /** A call is answered after the flush; not after the commit, and not when it was queued. */
  readonly acknowledgesAfter: "flush" | "commit" | "queue";
  /** Replaced bytes are unlinked only after the commit that replaced them is flushed: a power loss may take that commit back. */
  readonly unlinksAfterFlush: boolean;
  /** After a failed flush nothing is acknowledged any more: the kernel may have dropped the pages, and the next flush would say "done". */
  readonly poisonStops: boolean;
  /** After a power loss the bytes of a file are compared with their CRC before anybody gets them. */
  readonly verifiesAfterReboot: boolean;
  /** A second owner in this process is refused: locks of the database belong to the process. */
  readonly registersOwner: boolean;
  /** The lock on a file that nobody ever reads: closing any descriptor of a locked file lets its lock go. */
  readonly locksOwnerFile: boolean;
  /** The second opening continues what the first left, whatever its settings are. */
  readonly openingContinues: boolean;
  /** A request that was under way at the crash is in doubt, not forgotten: it may still land after its repetition. */
  readonly openingKeepsFlights: boolean;

  // The tree

  /** A file where a directory is wanted, or the other way round, is removed at the remote first, by a barrier. */
  readonly typeChangeIsBarrier: boolean;
  /** A recursive request, or one below it, makes its ancestors at the remote: they are not "known to be only here" from then on. */
  readonly ancestorsMayExist: boolean;
  /** What was deleted inside of an emptied directory is deleted at the remote before the directory. */
  readonly removeHasItems: boolean;
  /** A whiteout goes with the tree that is copied: what was deleted in the source is absent in the copy. */
  readonly cloneTakesWhiteouts: boolean;
  /** The children of a moved directory go with it, those that are pending too. */
  readonly moveTakesChildren: boolean;
  /** The copy of a file whose bytes are pending is a write of those bytes; the remote would copy the old ones. */
  readonly copyOfPendingIsWrite: boolean;
  /** A whiteout stays until the remote has answered the delete. */
  readonly whiteoutStaysUntilAnswer: boolean;
  /** A delete of a path that is not known here looks first, so that it can be sent with a condition. */
  readonly deleteLooksFirst: boolean;
  /** A condition is decided at the remote: what the tree says holds against nobody else. */
  readonly conditionsAreRemote: boolean;
  /** The first page takes the names with it, so that each name comes once although rows come and go between two pages. */
  readonly listingHasSnapshot: boolean;

  // Order

  /** Tree operations wait for earlier ones whose paths contain theirs or lie inside; equal paths alone are too few. */
  readonly ordersByTree: boolean;
  /** A tree operation waits for the requests under way inside of its paths. */
  readonly barrierWaitsForFlights: boolean;
  /** What says "this request is under way" is flushed before the request leaves. */
  readonly flushesBeforeSend: boolean;
  /** The delete of a file that is being uploaded stops the upload, and is sent only when that can no longer land. */
  readonly deleteWaitsForUpload: boolean;
  /** Each write starts the quiet time anew, but not for ever. */
  readonly dueIsBounded: boolean;
  /** Only a request of the newest generation makes a row clean. */
  readonly cleanByGeneration: boolean;

  // Doubt

  /** After a lost answer the path waits until the request can no longer land. */
  readonly holdsDoubt: boolean;
  /** Then it is looked up; it is not simply sent again. */
  readonly looksAfterDoubt: boolean;
  /** An upload that was aborted may have landed: it is in doubt, and its base is not "nothing there". */
  readonly abortIsDoubt: boolean;
  /** Bytes at the remote are ours only where etag, hash or the bytes themselves say so; "size" takes equal size and "any" takes everything for ours. */
  readonly oursBy: "bytes" | "size" | "any";
  /** The end of a request that could not be written down is in doubt, and is written down later; forgotten, its path would wait for ever. */
  readonly unwrittenIsDoubt: boolean;
  /** A write that was sent without knowing what was there, and is in doubt, is not sent again over something else. */
  readonly blindDoubtIsConflict: boolean;
  /** A look that decides about bytes is never answered by a cache below. */
  readonly looksAreFresh: boolean;

  // Bases and conflicts

  /** A request is sent with what the remote is believed to hold as its condition. */
  readonly sendsConditions: boolean;
  /** After a move or a copy of the tree around it an etag may have changed while the bytes did not: look before using it. */
  readonly movedBaseIsSoft: boolean;
  /** The version of another client is kept beside ours. */
  readonly keepsTheirs: boolean;
  /** Our delete gives way to a version that we never saw. */
  readonly deleteGivesWay: boolean;
  /** The same version of theirs gets the same name, so that a repetition after a crash makes no second copy. */
  readonly conflictNameIsStable: boolean;
  /** A row whose content leaves keeps what is known of the remote: else its own older version is taken for another client's. */
  readonly evictionKeepsBase: boolean;
  /** Content that is pending, or that proves an outcome, never leaves. */
  readonly evictsOnlyClean: boolean;

  // Trees at the remote

  /** A move that stopped half way goes on; clearing the target first deletes what has arrived. */
  readonly continuesMove: boolean;
  /** A tree that was sent once goes on file by file; sent whole again it meets its own first attempt. */
  readonly continuesByFile: boolean;
  /** A tree that goes file by file is under way after its first step, also where a later one failed without a change. */
  readonly stepsAreBegun: boolean;
  /** A cached file that a move sends anew is one that a power loss leaves. */
  readonly pendingIsOnDisk: boolean;
  /** A step of a tree never overwrites a file that stands at its target. */
  readonly stepKeepsTarget: boolean;
  /** What of ours lands after its directory was deleted goes with it: it is nobody else's change. */
  readonly landedIsOurs: boolean;
  /** What was deleted without `recursive` is sent without it: files of others inside stay. */
  readonly removeIsPlain: boolean;
  /** "Nothing there", learnt at the old place, says nothing about the new one. */
  readonly absenceEndsWithMove: boolean;
  /** What a copy or a move brought below a file that was written there meanwhile is known from then on: else it is taken for another client's. */
  readonly arrivalIsBase: boolean;
  /** What a tree operation put somewhere is looked for where later ones have taken it. */
  readonly followsLaterMoves: boolean;
  /** The end of a delete writes nothing into rows: what stands there by now was made later. */
  readonly deleteEndLeavesRows: boolean;
  /** When a move finds no source, what was known of the files at its target is forgotten: it was learnt at the old place. */
  readonly vanishedForgetsBases: boolean;
  /** The same for whiteouts: one that keeps "nothing there" is never sent, and the file it hid shows again. */
  readonly vanishedForgetsWhiteouts: boolean;

  // Reads, limits, errors

  /** A download is kept only if its path was not changed meanwhile. */
  readonly fillChecksPath: boolean;
  /** A download is kept only if it was whole and ended by itself. */
  readonly fillNeedsWholeBody: boolean;
  /** The hard limit counts what cannot leave; clean content can. */
  readonly hardLimitSparesClean: boolean;
  /** A full remote stops new files, and not the deletes that would make room. */
  readonly noSpaceSparesDeletes: boolean;
  /** `flush` waits for requests under way, not only for rows that are pending. */
  readonly flushWaitsForFlights: boolean;
  /** A file that cannot be sent stays, with its error, until somebody decides. */
  readonly parkedStays: boolean;
  /** A call that waits for earlier changes of its path is told after a while that they fail. */
  readonly failingWaitsEnd: boolean;
  /** A copy that was looked at before it had arrived is known by the etag of its source alone: what is there then is ours, unless it is younger than what replaces it. */
  readonly arrivalNeedsNoProof: boolean;
  /** A move whose result is replaced here takes along only the version that was moved: another one would be gone from both places. */
  readonly movedIsCompared: boolean;
  /** Where something pending takes away what is there, nothing is expected after it: what another client puts there by then is kept. */
  readonly goneIsAbsent: boolean;
  /** Where there was no source for a file's move or copy, its target is what the view knew of it: anything else is another client's. */
  readonly vanishedKnowsTarget: boolean;
  /** Where there was no source, and nothing at the target as the user saw it, there is nothing of ours: what stands there is another client's. */
  readonly vanishedIsAbsent: boolean;
  /** What is known or asked of a file where a pending move or copy brings it from is known of it where it is brought to, but for its etag. */
  readonly askedIsKnown: boolean;
  /** A file of which only an earlier place is known is looked at by the call that moves it or replaces it by a move or copy. */
  readonly softIsAsked: boolean;
  /** A file whose answer was lost has arrived when its content type, its metadata and its time have, not its bytes alone: an older version may have the same. */
  readonly arrivedIsWhole: boolean;
}

export const rules: Rules = Object.freeze({
  numbersAreUnique: true,
  contentNamesAreUnique: true,
  flushesFiles: true,
  flushesDirectories: true,
  flushesJournal: true,
  acknowledgesAfter: "flush",
  unlinksAfterFlush: true,
  poisonStops: true,
  verifiesAfterReboot: true,
  registersOwner: true,
  locksOwnerFile: true,
  openingContinues: true,
  openingKeepsFlights: true,
  typeChangeIsBarrier: true,
  ancestorsMayExist: true,
  removeHasItems: true,
  cloneTakesWhiteouts: true,
  moveTakesChildren: true,
  copyOfPendingIsWrite: true,
  whiteoutStaysUntilAnswer: true,
  deleteLooksFirst: true,
  conditionsAreRemote: true,
  listingHasSnapshot: true,
  ordersByTree: true,
  barrierWaitsForFlights: true,
  flushesBeforeSend: true,
  deleteWaitsForUpload: true,
  dueIsBounded: true,
  cleanByGeneration: true,
  holdsDoubt: true,
  looksAfterDoubt: true,
  abortIsDoubt: true,
  oursBy: "bytes",
  unwrittenIsDoubt: true,
  blindDoubtIsConflict: true,
  looksAreFresh: true,
  sendsConditions: true,
  movedBaseIsSoft: true,
  keepsTheirs: true,
  deleteGivesWay: true,
  conflictNameIsStable: true,
  evictionKeepsBase: true,
  evictsOnlyClean: true,
  continuesMove: true,
  continuesByFile: true,
  stepsAreBegun: true,
  pendingIsOnDisk: true,
  stepKeepsTarget: true,
  landedIsOurs: true,
  removeIsPlain: true,
  absenceEndsWithMove: true,
  arrivalIsBase: true,
  followsLaterMoves: true,
  deleteEndLeavesRows: true,
  vanishedForgetsBases: true,
  vanishedForgetsWhiteouts: true,
  fillChecksPath: true,
  fillNeedsWholeBody: true,
  hardLimitSparesClean: true,
  noSpaceSparesDeletes: true,
  flushWaitsForFlights: true,
  parkedStays: true,
  failingWaitsEnd: true,
  arrivalNeedsNoProof: true,
  movedIsCompared: true,
  goneIsAbsent: true,
  vanishedKnowsTarget: true,
  vanishedIsAbsent: true,
  askedIsKnown: true,
  softIsAsked: true,
  arrivedIsWhole: true,
});
