/**
 * Programs that found something once, or that find a rule which is turned around: shrunk, run at each `npm test`. Those with `kills` are what
 * test/broken-layers/caching.ts counts: they pass as the rules are, and fail with these.
 */
import type { Rules } from "../../../../src/wrappers/caching/rules.ts";
import { plainSetup, plainShape } from "./program.ts";
import type { Change, Command, Program, Setup } from "./program.ts";
import type { Ending } from "./remote.ts";
import type { Size } from "./versions.ts";

export interface Frozen {
  /** What happened. */
  readonly found: string;
  /** With these rules it happens again. */
  readonly kills?: Partial<Rules>;
  readonly program: Program;
}

const write = (path: string, size: Size = "small", streamed = false): Change => ({ do: "write", path, size, streamed });
const remove = (path: string, recursive = false): Change => ({ do: "delete", path, recursive });
const mkdir = (path: string): Change => ({ do: "mkdir", path });
const move = (path: string, to: string): Change => ({ do: "move", path, to });
const copy = (path: string, to: string): Change => ({ do: "copy", path, to });
const both = (first: Change, second: Change): Command => ({ do: "both", first, second });
const at = (verb: "read" | "stat" | "list" | "evict" | "refresh", path: string): Command => ({ do: verb, path });
const wait = (ms: number): Command => ({ do: "wait", ms });
const net = (how: Ending, index = 0): Command => ({ do: "net", at: index, how });
const late = (index = 0): Command => ({ do: "late", at: index });
const just = (what: "look" | "flush" | "crash" | "power"): Command => ({ do: what });
const killed = (how: "crash-at" | "power-at", point: number): Command => ({ do: how, point });

interface Written {
  readonly found: string;
  readonly kills?: Partial<Rules>;
  /** What differs from `plainSetup`. */
  readonly setup: Partial<Setup>;
  readonly commands: readonly Command[];
}

const written: readonly Written[] = [
  {
    found: "the first of two quick writes made the second one clean",
    kills: { cleanByGeneration: false },
    setup: { seed: 1, unknownPaths: "trust", freshMs: 3000, cacheBytes: 0 },
    commands: [remove("/b", true), net("lost-applied", 3), write("/b")],
  },
  {
    found: "a directory that a request was making was deleted as known to be only here",
    kills: { ancestorsMayExist: false },
    setup: { seed: 1, shape: { ...plainShape, conditions: false } },
    commands: [move("/a", "/c/a/a"), move("/c/a", "/a"), remove("/a")],
  },
  {
    found: "a copy of a tree overtook what was made inside of it",
    kills: { ordersByTree: false },
    setup: { shape: { ...plainShape, movesChangeEtags: false } },
    commands: [write("/c/c/b"), just("flush"), copy("/c", "/b"), net("lost-applied", 1), write("/c/b")],
  },
  {
    found: "a directory was made where a file still stood at the remote",
    kills: { typeChangeIsBarrier: false },
    setup: { seed: 1, freshMs: 0, shape: { ...plainShape, trees: false } },
    commands: [remove("/a/b"), write("/a/b/b")],
  },
  {
    found: "an etag from before a move made a conflict with oneself",
    kills: { movedBaseIsSoft: false },
    setup: { seed: 2, freshMs: 3000, shape: { ...plainShape, trees: false } },
    commands: [write("/c/c"), wait(1000), net("ok", 1), both(copy("/a/a/c", "/a/a"), write("/c/c")), move("/c", "/b/b")],
  },
  {
    found: "a pending file was evicted",
    kills: { evictsOnlyClean: false },
    setup: { seed: 2, unknownPaths: "trust", cacheBytes: 0, shape: { ...plainShape, conditions: false, trees: false } },
    commands: [write("/b/b/b", "large"), wait(500), wait(500), just("crash"), both(write("/b/a", "small", true), remove("/c"))],
  },
  {
    found: "a tree operation overtook a request inside of it",
    kills: { barrierWaitsForFlights: false },
    setup: {
      seed: 1,
      unknownPaths: "trust",
      shape: { ...plainShape, conditions: false, trees: false, etags: false, hashes: true, movesChangeEtags: false, pageSize: 1000 },
    },
    commands: [mkdir("/c/c/c"), move("/c", "/a/a/a")],
  },
  {
    found: "a request of a process that was killed landed after its repetition",
    kills: { openingKeepsFlights: false },
    setup: { shape: { ...plainShape, movesChangeEtags: false } },
    commands: [mkdir("/b/b/c"), just("crash"), just("flush"), move("/b", "/a/a"), net("ok", 4), late(5)],
  },
  {
    found: "an emptied directory could not be removed, because what was deleted in it was not",
    kills: { removeHasItems: false },
    setup: { seed: 2, cacheBytes: 0 },
    commands: [killed("crash-at", 12), remove("/b/a"), both(move("/a/c", "/a/a/b"), move("/a", "/b"))],
  },
  {
    found: "a tree that is copied brought back what was deleted in it",
    kills: { cloneTakesWhiteouts: false },
    setup: { seed: 2 },
    commands: [remove("/a/a/a"), copy("/a", "/c/x")],
  },
  {
    found: "what was pending in a directory did not move with it",
    kills: { moveTakesChildren: false },
    setup: { seed: 1 },
    commands: [write("/a/new"), move("/a", "/c")],
  },
  {
    found: "a deleted file was visible again while its delete was under way",
    kills: { whiteoutStaysUntilAnswer: false },
    setup: { seed: 1 },
    commands: [remove("/b"), just("look")],
  },
  {
    found: "a tree that was copied whole a second time met its own first attempt, for ever",
    kills: { continuesByFile: false },
    setup: { seed: 2 },
    commands: [copy("/a", "/x"), wait(0), net("lost-applied"), just("flush")],
  },
  {
    found: "the request of a row that was replaced wrote its base into the row that got its number",
    kills: { numbersAreUnique: false },
    setup: { seed: 1, shape: { ...plainShape, conditions: false } },
    commands: [mkdir("/c"), remove("/c"), late(), remove("/b"), write("/a")],
  },
  {
    found: "the same by a file and a move onto it",
    setup: { seed: 1 },
    commands: [write("/x"), wait(1000), move("/a/b", "/x"), remove("/b"), net("ok"), just("flush")],
  },
  {
    found: '"nothing there", learnt at the old place, made a conflict of the file that the move was to replace',
    kills: { absenceEndsWithMove: false },
    setup: { seed: 1, shape: { ...plainShape, etags: false } },
    commands: [write("/a/n"), wait(1000), just("crash"), move("/a/n", "/b"), killed("crash-at", 4), wait(11000), just("flush")],
  },
  {
    found: "what a move had put somewhere was not found where a later move had taken it",
    kills: { followsLaterMoves: false },
    setup: { seed: 1 },
    commands: [write("/a/n"), wait(1000), just("crash"), move("/a/n", "/a/b"), move("/a", "/c"), just("flush")],
  },
  {
    found: "a whiteout was never sent, and the file that a move was to replace showed again",
    // What is looked for at the end of a move would repair it.
    kills: { vanishedForgetsWhiteouts: false, absenceEndsWithMove: false, arrivalIsBase: false },
    setup: { seed: 1 },
    commands: [write("/a/n"), wait(1000), just("crash"), move("/a/n", "/b"), remove("/b"), just("flush")],
  },
  {
    found: "a file whose move lost its source kept a base of another place",
    // What is looked for at the end of a move would repair it.
    kills: { vanishedForgetsBases: false, absenceEndsWithMove: false, arrivalIsBase: false },
    setup: { seed: 1 },
    commands: [write("/a/n"), wait(1000), just("crash"), move("/a/n", "/b"), just("flush")],
  },
  {
    found: "a client took its own older version for another client's",
    kills: { evictionKeepsBase: false },
    setup: { unknownPaths: "trust" },
    commands: [write("/c"), just("flush"), at("evict", "/c"), write("/c"), wait(1000), net("lost"), just("flush")],
  },
  {
    found: "what a copy of ours had brought was taken for another client's by the write that followed it",
    kills: { arrivalIsBase: false },
    setup: { unknownPaths: "trust" },
    commands: [write("/a"), just("flush"), at("evict", "/a"), copy("/a", "/c"), write("/c"), wait(0), net("ok"), wait(1000), net("lost"), just("flush")],
  },
  {
    found: "what a copy of a tree of ours had brought was taken for another client's by the write that waited inside of it",
    setup: { seed: 2, freshMs: 60_000, shape: { ...plainShape, conditions: true, trees: true, transfers: true, etags: true, movesChangeEtags: true } },
    commands: [both(write("/a/b/c"), move("/a", "/a")), copy("/a", "/c/a"), net("ok"), wait(1000), just("crash")],
  },
  {
    found: "what a copy of a file had brought was taken for another client's by the write that waited for it and knew only the source",
    setup: { seed: 1, freshMs: 3000 },
    commands: [just("power"), copy("/b", "/c"), wait(6000), just("power"), write("/c"), wait(0)],
  },
  {
    found: "what a copied tree had brought was taken for another client's when the answer to a write over it was lost",
    kills: { arrivalIsBase: false },
    setup: {
      seed: 2,
      unknownPaths: "trust",
      shape: { ...plainShape, conditions: false, trees: false, transfers: false, etags: false, movesChangeEtags: false },
    },
    commands: [copy("/b", "/c"), just("flush"), write("/c/a"), wait(1000), net("lost"), mkdir("/a")],
  },
  {
    found: "what a copy of an unknown file had brought was taken for another client's when the answer to a write over it was lost",
    kills: { arrivalIsBase: false },
    setup: {
      seed: 1,
      unknownPaths: "trust",
      shape: { ...plainShape, conditions: false, trees: false, transfers: false, etags: false, movesChangeEtags: false },
    },
    commands: [copy("/b", "/c"), net("ok"), write("/c"), wait(1000), net("lost")],
  },
  {
    found: "the same where there are etags: nothing was known of the file that the copy had made",
    kills: { arrivalIsBase: false },
    setup: { seed: 1, unknownPaths: "trust" },
    commands: [copy("/b", "/c"), just("flush"), write("/c"), killed("power-at", 4), wait(6000)],
  },
  {
    found: "a file that was deleted while its copy was on the way came back: the delete knew only the source",
    kills: { arrivalIsBase: false },
    setup: { seed: 1, freshMs: 3000 },
    commands: [just("crash"), copy("/b", "/a/a"), wait(11_000), killed("power-at", 1), write("/a"), remove("/a/a"), net("ok")],
  },
  {
    found: "a file that was deleted in a tree while its copy was on the way came back",
    kills: { arrivalIsBase: false, arrivalNeedsNoProof: false },
    setup: { seed: 1, freshMs: 0, shape: { ...plainShape, conditions: false } },
    commands: [killed("power-at", 1), write("/a"), killed("crash-at", 4), copy("/a", "/c"), remove("/c/b"), at("evict", "/a")],
  },
  {
    found: "what a tree had brought was taken for another client's by a write that knew only the source, while nobody answered",
    setup: { seed: 2, freshMs: 0 },
    commands: [just("crash"), killed("crash-at", 5), copy("/a", "/c"), write("/c/a/a"), { do: "deaf", questions: 1 }],
  },
  {
    found: "what a copied tree had brought was taken for another client's: by then a later move had taken along the write that knew only the source",
    kills: { arrivalNeedsNoProof: false, followsLaterMoves: false },
    setup: { seed: 2, freshMs: 3000, shape: { ...plainShape, conditions: false, movesChangeEtags: true } },
    commands: [just("crash"), wait(11_000), copy("/a/a", "/a/c"), just("look"), write("/a/c/a"), move("/a", "/c/a")],
  },
  {
    found: "the power failed, and a cached file that a move was to send anew was not on the disk",
    kills: { pendingIsOnDisk: false },
    setup: { seed: 2, shape: { ...plainShape, conditions: false, trees: false, transfers: false, etags: false, movesChangeEtags: false } },
    commands: [just("look"), move("/a/b/c", "/a/c"), just("power"), just("crash")],
  },
  {
    found: "a tree was moved file by file, its last step failed, and what had moved was not seen any more",
    kills: { stepsAreBegun: false },
    setup: { seed: 2, shape: { ...plainShape, conditions: false, trees: false, etags: false, movesChangeEtags: false } },
    commands: [move("/b", "/a/c/a"), net("ok"), net("ok"), net("ok"), net("failed")],
  },
  {
    found: "an upload of ours landed late where a move without a source was to end, and was taken for another client's",
    kills: { arrivalIsBase: false },
    setup: { shape: { ...plainShape, conditions: false, trees: false, transfers: false, etags: false } },
    commands: [
      write("/a"),
      write("/c/a/a"),
      wait(1000),
      move("/a", "/c/a/a"),
      wait(1000),
      net("failed"),
      wait(6000),
      late(),
      wait(1000),
      wait(1000),
      wait(1000),
      net("lost"),
    ],
  },
  {
    found: "a file that was seen too long ago was listed as an empty directory while a move around it was pending",
    setup: { seed: 2, freshMs: 3000, shape: { ...plainShape, conditions: false } },
    commands: [just("crash"), move("/a", "/b/c/a"), net("lost"), just("flush"), move("/b", "/c"), at("list", "/c/a"), remove("/a")],
  },
  {
    found: "a move that was journalled failed, since nobody could be asked what its answer should say",
    setup: { cacheBytes: 0, shape: { ...plainShape, conditions: false } },
    commands: [write("/b"), write("/c/c/b"), just("flush"), { do: "deaf", questions: 1 }, move("/b", "/c/c/b")],
  },
  {
    found: "what a finished move had brought could not be asked for, and the move was sent again",
    setup: { unknownPaths: "trust" },
    commands: [mkdir("/c/b"), just("flush"), move("/c", "/b/c"), { do: "deaf", questions: 1 }, write("/b/c/a"), net("ok")],
  },
  {
    found: "what a copy had brought could not be asked for once, and was kept as another client's beside what had been written over it",
    setup: { seed: 1, freshMs: 3000 },
    commands: [
      killed("crash-at", 1),
      mkdir("/a"),
      wait(11000),
      killed("crash-at", 5),
      copy("/a", "/c/a"),
      write("/c/a/b"),
      { do: "deaf", questions: 1 },
      net("ok"),
      move("/a", "/a"),
    ],
  },
  {
    found: "a copy was looked at before it had arrived; then it was taken for another client's by what was written over it",
    kills: { arrivalNeedsNoProof: false },
    setup: { seed: 1, freshMs: 3000 },
    commands: [at("read", "/b"), wait(11000), copy("/b", "/c/a"), at("read", "/c/a"), just("flush"), write("/c/a"), just("flush")],
  },
  {
    found: "the same by a delete, which gave way: the file came back",
    kills: { arrivalNeedsNoProof: false },
    setup: { seed: 1, freshMs: 3000 },
    commands: [at("read", "/b"), wait(11000), copy("/b", "/c/a"), at("read", "/c/a"), just("flush"), remove("/c/a", true), at("read", "/b")],
  },
  {
    found: "the same with a copied tree, looked at after a crash",
    setup: { seed: 1, freshMs: 3000 },
    commands: [killed("crash-at", 1), mkdir("/a"), wait(11000), killed("crash-at", 5), copy("/a", "/c/a"), just("flush"), write("/c/a/b"), move("/a", "/a")],
  },
  {
    found: "the power failed, and acknowledged bytes were not on the disk",
    kills: { flushesFiles: false },
    setup: {},
    commands: [write("/a", "large"), just("power")],
  },
  {
    found: "the power failed, and the name of an acknowledged file was not on the disk",
    kills: { flushesDirectories: false },
    setup: {},
    commands: [write("/a", "large"), just("power")],
  },
  {
    found: "the power failed when the old bytes were gone and the new row was not there",
    kills: { unlinksAfterFlush: false },
    setup: {},
    commands: [write("/a", "large"), killed("power-at", 2), write("/a")],
  },
  {
    found: "the power failed, and a request that nobody remembered landed after its directory was deleted",
    kills: { flushesBeforeSend: false },
    setup: {},
    commands: [mkdir("/d"), wait(0), just("power"), wait(0), net("ok"), remove("/d", true), wait(0), net("ok"), late(), just("flush")],
  },
  {
    found: 'the end of a delete said "nothing there" of what a move was about to bring there',
    kills: { deleteEndLeavesRows: false },
    setup: { seed: 2 },
    commands: [at("read", "/a/a/a"), remove("/b", true), move("/a", "/b"), net("ok"), remove("/b", true), just("flush")],
  },
  {
    found: "flush resolved before a file whose move had lost its source was at the remote",
    setup: {},
    commands: [write("/b/a"), killed("crash-at", 2), wait(11000), move("/b/a", "/a"), move("/a", "/a")],
  },
  {
    found: 'a tree was deleted file by file and one answer lost: told "partly" the cache went on at once, and the lost delete took what was written next',
    setup: { seed: 1, shape: { ...plainShape, trees: false } },
    commands: [remove("/a", true), write("/a/b"), net("lost"), just("flush"), late(), just("flush")],
  },
  {
    found: "the same where a move was a copy and a delete, and the answer of the delete was lost",
    setup: { seed: 1, shape: { ...plainShape, transfers: false, trees: false, conditions: false } },
    commands: [move("/b", "/c"), net("ok"), net("lost"), write("/b"), just("flush"), late(), just("flush")],
  },
  ...[true, false].map((conditions) => ({
    found: `a directory's move had lost its source, and a file that a later move was to bring below its target was said to replace nothing (conditions: ${conditions})`,
    setup: {
      seed: 1,
      freshMs: 60_000,
      shape: { conditions, trees: false, transfers: false, etags: false, hashes: false, movesChangeEtags: false, pageSize: 1000 },
    },
    commands: [write("/c/c/a"), write("/b"), wait(2500), move("/c/c", "/c/a"), just("power"), move("/b", "/c/a/a"), move("/a", "/a")],
  })),
];

export const frozen: readonly Frozen[] = written.map(({ setup, commands, ...rest }) => ({
  ...rest,
  program: { setup: { ...plainSetup, ...setup }, commands },
}));
