/** Programs of two clients that found something once, shrunk: what was lost, or what never ended. As in frozen.ts, `kills` are the rules that they find turned. */
import type { Rules } from "../../../../src/wrappers/caching/rules.ts";
import { plainSetup, plainShape } from "./program.ts";
import type { Ending } from "./remote.ts";
import type { SharedProgram, Step } from "./two-clients.ts";

export interface FrozenShared {
  readonly found: string;
  readonly kills?: Partial<Rules>;
  readonly program: SharedProgram;
}

const write = (path: string): Step => ({ do: "write", path, size: "small" });
const remove = (path: string): Step => ({ do: "delete", path });
const read = (path: string): Step => ({ do: "read", path });
const move = (path: string, to: string): Step => ({ do: "move", path, to });
const copy = (path: string, to: string): Step => ({ do: "copy", path, to });
const theyWrite = (path: string): Step => ({ do: "other-writes", path, size: "small" });
const theyDelete = (path: string): Step => ({ do: "other-deletes", path });
const wait = (ms: number): Step => ({ do: "wait", ms });
const net = (how: Ending, at = 0): Step => ({ do: "net", at, how });
const late: Step = { do: "late", at: 0 };
const flush: Step = { do: "flush" };
const crash: Step = { do: "crash" };
const crashAt = (point: number): Step => ({ do: "crash-at", point });

/** The move of /d/a to /a: its answer is lost, the next try is refused, and then the other client takes its source away and writes its target. */
const refusedAndGone: readonly Step[] = [net("lost"), wait(11_000), net("failed"), theyWrite("/a"), theyDelete("/d/a"), crash];

const written: readonly { readonly found: string; readonly kills?: Partial<Rules>; readonly hashes?: boolean; readonly steps: readonly Step[] }[] = [
  {
    found: "a copy to where another client had written meanwhile was refused, sent again and refused, for ever",
    steps: [theyWrite("/d/a"), copy("/d/a", "/a"), theyWrite("/a"), net("ok")],
  },
  {
    found: "a file that was being copied was written without a condition, over another client's version",
    steps: [theyWrite("/d/a"), copy("/d/a", "/a"), write("/d/a"), write("/a"), theyWrite("/d/a"), net("ok")],
  },
  {
    found: "a move took another client's version along to where it was written over",
    kills: { movedIsCompared: false },
    steps: [write("/a"), theyWrite("/a"), wait(11_000), move("/a", "/b"), net("lost"), remove("/a")],
  },
  {
    found: "what was written where a file had been moved away replaced what another client had put there by then",
    kills: { goneIsAbsent: false, askedIsKnown: false },
    steps: [theyWrite("/d/a"), move("/d/a", "/a"), write("/d/a"), net("ok"), theyWrite("/d/a"), net("ok")],
  },
  {
    found: "a move onto a file that was being sent replaced another client's version",
    kills: { landedIsOurs: false },
    steps: [write("/d/a"), theyWrite("/d/a"), write("/b"), wait(2500), move("/b", "/d/a"), read("/a")],
  },
  {
    found: "the same with a crash, after which there was nothing to be moved",
    kills: { vanishedKnowsTarget: false },
    steps: [write("/d/a"), wait(11_000), net("ok"), theyWrite("/d/a"), write("/b"), wait(2500), crashAt(2), move("/b", "/d/a"), read("/a")],
  },
  {
    found: "what another client wrote over a move whose answer was lost was taken for what had been moved",
    steps: [write("/a"), wait(1000), net("ok"), move("/a", "/b"), net("lost-applied"), theyWrite("/b"), write("/b"), write("/a")],
  },
  {
    found: "a file written and deleted where one had been moved away was deleted at the remote too, and it was another client's",
    steps: [
      write("/d/a"),
      theyWrite("/d/a"),
      write("/a"),
      wait(1000),
      net("ok", 1),
      copy("/a", "/b"),
      move("/b", "/d/a"),
      net("ok"),
      theyWrite("/b"),
      move("/d/a", "/a"),
      write("/d/a"),
      remove("/d/a"),
      write("/a"),
    ],
  },
  {
    found: "the second of two moves onto one path replaced what another client had there",
    steps: [write("/d/a"), theyWrite("/d/a"), write("/a"), copy("/a", "/b"), wait(1000), move("/a", "/d/a"), move("/b", "/d/a"), write("/a")],
  },
  {
    found: "another client's file was taken for a copy of which neither the answer nor the source was there any more",
    hashes: false,
    steps: [theyWrite("/a"), copy("/a", "/b"), theyDelete("/a"), write("/b"), net("lost-applied"), theyWrite("/b"), read("/a")],
  },
  {
    found: "a delete of what had just been moved removed what another client wrote there",
    steps: [theyWrite("/a"), read("/a"), theyWrite("/d/a"), theyWrite("/a"), move("/d/a", "/a"), remove("/a"), theyWrite("/a"), theyDelete("/d/a"), crash],
  },
  {
    found: "a move that was never sent was taken for one that had landed, and another client's file for what it had brought",
    steps: [write("/b"), wait(1000), move("/b", "/a"), net("lost-applied"), crashAt(4), theyDelete("/b"), wait(11_000), theyWrite("/a"), net("ok")],
  },
  {
    found: "the same without a crash: nothing of ours had ever arrived at its source",
    steps: [write("/b"), wait(1000), move("/b", "/a"), net("failed"), net("lost-applied"), theyWrite("/a"), net("ok")],
  },
  {
    found: "the target of a move was known from an earlier place only, and another client's version was replaced",
    kills: { softIsAsked: false },
    hashes: false,
    steps: [theyWrite("/b"), move("/b", "/a"), net("ok"), theyWrite("/a"), write("/b"), wait(6000), move("/b", "/a"), read("/a")],
  },
  {
    found: "the source of a move was known from an earlier place only, and another client's version was taken along",
    steps: [theyWrite("/a"), move("/a", "/b"), flush, move("/b", "/d/a"), write("/d/a"), net("failed"), theyWrite("/b"), net("ok")],
  },
  {
    found: "a copy that only read it stood between a file and the move that took another client's version of it along",
    steps: [write("/d/a"), flush, copy("/d/a", "/b"), copy("/b", "/a"), move("/b", "/a"), net("ok"), theyWrite("/b"), remove("/a"), wait(0)],
  },
  {
    found: "while one version was put aside another client wrote at the source, and the move took that along",
    steps: [
      write("/b"),
      write("/a"),
      wait(2500),
      move("/b", "/a"),
      theyWrite("/b"),
      late,
      move("/a", "/b"),
      net("failed"),
      wait(11_000),
      net("ok"),
      theyWrite("/a"),
      read("/a"),
    ],
  },
  {
    found: "what a move took along unseen was replaced before its answer came",
    steps: [write("/d/a"), flush, theyWrite("/d/a"), move("/d/a", "/a"), net("applied"), write("/a")],
  },
  {
    found: "the same with a copy that replaced it",
    steps: [write("/b"), write("/d/a"), flush, theyWrite("/b"), move("/b", "/a"), copy("/d/a", "/a"), wait(0)],
  },
  {
    found: "the same with another client's version that our user had read, and a copy of a file that lies here",
    steps: [write("/b"), wait(2500), theyWrite("/a"), read("/a"), theyWrite("/a"), net("ok"), move("/a", "/d/a"), copy("/b", "/d/a"), write("/a")],
  },
  {
    found: "the same with a copy of a file that does not lie here",
    steps: [theyWrite("/d/a"), read("/d/a"), theyWrite("/d/a"), move("/d/a", "/b"), theyWrite("/a"), copy("/a", "/b"), wait(0)],
  },
  {
    found: "a file was deleted, written again and moved: the delete had landed, nothing was there to be moved, and another client's file was taken for it",
    steps: [theyWrite("/a"), write("/b"), theyWrite("/b"), remove("/a"), write("/a"), move("/a", "/b"), late, wait(11_000), net("lost-applied")],
  },
  {
    found:
      "what stood at the target of a move that had no source was believed, not looked at: it was gone, and another client's file was taken for what a second move had brought",
    steps: [
      write("/a"),
      theyWrite("/d/a"),
      read("/d/a"),
      theyDelete("/d/a"),
      wait(11_000),
      theyWrite("/a"),
      move("/a", "/d/a"),
      move("/d/a", "/a"),
      net("failed"),
      net("lost-applied"),
    ],
  },
  {
    found: "a file that was moved was forgotten, since nothing was where it came from, and another client's file was taken for it after a lost answer",
    steps: [
      theyWrite("/a"),
      read("/a"),
      { do: "evict", path: "/a" },
      theyDelete("/a"),
      copy("/a", "/d/a"),
      move("/a", "/b"),
      net("ok"),
      write("/b"),
      net("ok"),
      net("lost"),
      late,
      theyWrite("/b"),
    ],
  },
  {
    found: "of what a copy had put at the source of a move nothing was known, and another client's version was taken along to where it was replaced",
    steps: [theyWrite("/b"), copy("/b", "/a"), net("applied"), theyWrite("/a"), move("/a", "/d/a"), net("ok"), write("/d/a"), net("ok")],
  },
  {
    found: "another client's version was known as what a move had brought, its answer was lost, and our user wrote over it without having seen it",
    steps: [
      theyWrite("/a"),
      move("/a", "/b"),
      net("applied"),
      theyDelete("/b"),
      read("/b"),
      theyWrite("/b"),
      net("lost-applied"),
      wait(11_000),
      write("/b"),
      theyDelete("/a"),
    ],
  },
  {
    found: "a delete of what a copy was bringing removed what another client had written over it",
    hashes: false,
    steps: [write("/d/a"), wait(6000), theyWrite("/a"), copy("/a", "/b"), net("ok"), net("applied"), theyWrite("/b"), remove("/b"), late],
  },
  {
    found:
      "a file was gone when it was written, the move behind that write was cut off by a kill, and another client's file at its target counted as moved there",
    steps: [
      write("/a"),
      wait(2500),
      write("/a"),
      net("ok"),
      wait(1000),
      move("/a", "/b"),
      crashAt(4),
      theyDelete("/a"),
      net("ok"),
      theyWrite("/b"),
      write("/a"),
    ],
  },
  {
    found:
      "a move whose answer was lost was refused when it was sent again, then its source went: the copy behind it took another client's version at its target for none",
    steps: [theyWrite("/b"), theyWrite("/d/a"), move("/d/a", "/a"), copy("/b", "/a"), ...refusedAndGone],
  },
  {
    found: "the same, of a file that had been read: it was sent over another client's version",
    kills: { vanishedIsAbsent: false },
    steps: [theyWrite("/d/a"), read("/d/a"), net("ok"), move("/d/a", "/a"), ...refusedAndGone],
  },
  {
    found: "what was held of a moved directory that another client had deleted was sent over what that client had put where it was moved to",
    kills: { vanishedIsAbsent: false },
    steps: [theyWrite("/d/a"), read("/d/a"), net("ok"), move("/d", "/e"), theyDelete("/d/a"), theyDelete("/d"), theyWrite("/e/a")],
  },
  {
    found: "the same of a copied one",
    kills: { vanishedIsAbsent: false },
    steps: [theyWrite("/d/a"), read("/d/a"), net("ok"), copy("/d", "/e"), theyDelete("/d/a"), theyDelete("/d"), theyWrite("/e/a")],
  },
  {
    found: "what was deleted in a moved directory that another client had deleted took what that client had put where it was moved to",
    steps: [theyWrite("/d/a"), read("/d/a"), net("ok"), move("/d", "/e"), remove("/e/a"), theyDelete("/d/a"), theyDelete("/d"), theyWrite("/e/a")],
  },
  {
    found: "what was written into a moved directory replaced another client's version, which the move took along when it was sent again",
    steps: [theyWrite("/e/a"), move("/e", "/d"), write("/d/a"), net("applied"), net("lost"), theyWrite("/e/a")],
  },
  {
    found: "a file that was copied with its directory before it had been sent replaced another client's",
    kills: { askedIsKnown: false },
    steps: [write("/d/a"), copy("/d", "/e"), theyWrite("/e/a"), net("ok")],
  },
  {
    found: "the same of one written into a moved directory, whose move landed after a crash",
    kills: { askedIsKnown: false },
    steps: [theyWrite("/e/a"), move("/e", "/d"), crash, write("/d/a"), late, theyWrite("/d/a")],
  },
  {
    found: "what a copy of a directory had not brought was taken for brought when another client put it there later",
    steps: [theyWrite("/e/a"), copy("/e", "/d"), theyDelete("/e/a"), write("/d/a"), net("ok"), theyWrite("/d/a"), read("/a")],
  },
  {
    found: "what a move without a source was to replace was not known any more where a later move took it",
    kills: { askedIsKnown: false },
    steps: [write("/b"), wait(11_000), theyWrite("/d/a"), move("/b", "/d/a"), crash, move("/d", "/e"), theyWrite("/d/a"), remove("/a")],
  },
  {
    found: "a move onto a file of a moved directory replaced another client's, which that move had taken along",
    kills: { askedIsKnown: false },
    steps: [write("/b"), copy("/b", "/e/a"), wait(6000), move("/e", "/d"), theyWrite("/e/a"), move("/b", "/d/a"), read("/a")],
  },
  {
    found: "a file that was under way when its directory was copied replaced another client's where that had nothing to copy",
    steps: [write("/e/a"), wait(6000), copy("/e", "/d"), theyWrite("/d/a"), crash],
  },
  {
    found: "a file that never came was deleted with its directory, and it was another client's",
    steps: [write("/d/a"), theyWrite("/d/a"), wait(6000), write("/e/a"), remove("/d/a"), copy("/e", "/d"), copy("/a", "/a")],
  },
  {
    found: "a move after the move of its directory took another client's version along, which was then written over",
    steps: [write("/d/a"), wait(2500), move("/d", "/e"), move("/e/a", "/a"), theyWrite("/d/a"), net("failed")],
  },
  {
    found: "a move that found nothing, onto what a copy that found nothing was to bring, ended over another client's file",
    steps: [write("/e/a"), wait(2500), crash, copy("/e", "/d"), theyWrite("/d/a"), move("/e/a", "/d/a"), net("ok")],
  },
  {
    found: "a move onto what had been deleted in a moved directory replaced what another client had put there",
    steps: [theyWrite("/e/a"), write("/b"), remove("/e/a"), move("/e", "/d"), theyWrite("/e/a"), wait(1000), move("/b", "/d/a"), write("/a")],
  },
  {
    found: "a file written over one that was being deleted was moved, and another client's with it",
    steps: [theyWrite("/e/a"), remove("/e/a"), write("/e/a"), move("/e", "/d"), theyWrite("/d/a"), move("/d/a", "/a"), late, copy("/a", "/a")],
  },
  {
    found: "what was written and deleted in a moved directory took another client's version that the move had brought",
    kills: { askedIsKnown: false },
    steps: [
      theyWrite("/e/a"),
      theyWrite("/d/a"),
      theyDelete("/e/a"),
      theyDelete("/d/a"),
      move("/e", "/d"),
      write("/d/a"),
      remove("/d/a"),
      theyWrite("/e/a"),
      copy("/a", "/a"),
    ],
  },
  {
    found: "a file that a copy had brought was deleted with its directory by name, and it was another client's by then",
    steps: [theyWrite("/b"), write("/d/a"), copy("/b", "/e/a"), remove("/e/a"), copy("/d", "/e"), net("ok"), theyWrite("/e/a"), remove("/a")],
  },
  {
    found: "what was deleted in a moved directory was another client's by the time of the move",
    kills: { askedIsKnown: false },
    steps: [theyWrite("/d/a"), move("/d", "/e"), remove("/e/a"), theyWrite("/d/a"), net("ok")],
  },
  {
    found: "what a moved directory was to have brought was deleted, and it was another client's",
    steps: [
      theyWrite("/b"),
      write("/d/a"),
      wait(11_000),
      net("failed"),
      copy("/b", "/e/a"),
      remove("/e/a"),
      move("/d", "/e"),
      theyWrite("/d/a"),
      remove("/e/a"),
    ],
  },
  {
    found: "a copy brought another client's version, which was taken for the one that our user copied",
    steps: [theyWrite("/e/a"), copy("/e/a", "/d/a"), write("/e/a"), copy("/e/a", "/d/a"), remove("/e/a"), move("/d", "/e"), theyWrite("/e/a"), remove("/a")],
  },
  {
    found: "a file was being written when its directory was moved, and a copy replaced it there: of two versions that may stand nothing was known",
    steps: [theyWrite("/d/a"), write("/d/a"), theyWrite("/d/a"), write("/a"), wait(1000), move("/d", "/e"), net("ok", 3), copy("/a", "/e/a"), wait(0)],
  },
  {
    found:
      "a file was being written over another version when it was moved, and a copy replaced it there: what the move had brought was not told from another client's",
    steps: [
      theyWrite("/e/a"),
      write("/d/a"),
      flush,
      write("/d/a"),
      wait(11_000),
      move("/d/a", "/a"),
      copy("/e/a", "/a"),
      wait(11_000),
      net("lost"),
      late,
      theyWrite("/a"),
    ],
  },
  {
    found: "a copy brought what another client had put where our user saw nothing: it was taken for known, and a move took it for known at its source, too",
    steps: [theyWrite("/e/a"), copy("/e", "/d"), theyDelete("/e/a"), write("/d/a"), move("/d", "/e"), theyWrite("/e/a"), wait(0)],
  },
];

export const frozenShared: readonly FrozenShared[] = written.map(({ found, kills, hashes = true, steps }) => ({
  found,
  ...(kills === undefined ? {} : { kills }),
  program: { setup: { ...plainSetup, shape: { ...plainShape, hashes } }, steps },
}));
