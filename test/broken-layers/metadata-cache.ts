/** One-bug variants of the metadata cache: the real layer with one of its rules replaced (cache.md 2.4, rows M69, M70 and M85). */
import { isInside } from "../../src/store/index.ts";
import { rules } from "../../src/wrappers/metadata-cache/rules.ts";
import type { Rules } from "../../src/wrappers/metadata-cache/rules.ts";
import * as answers from "../wrappers/metadata-cache/proofs-answers.ts";
import * as bounds from "../wrappers/metadata-cache/proofs-bounds.ts";
import * as changes from "../wrappers/metadata-cache/proofs-changes.ts";
import * as files from "../wrappers/metadata-cache/proofs-file.ts";
import * as races from "../wrappers/metadata-cache/proofs-races.ts";
import { run } from "../wrappers/metadata-cache/programs.ts";
import { regressions } from "../wrappers/metadata-cache/regressions.ts";
import { right, wrong } from "../wrappers/metadata-cache/world.ts";
import type { Maker } from "../wrappers/metadata-cache/world.ts";
import { brokenLayer } from "./registry.ts";
import type { BrokenLayer, Proof } from "./registry.ts";
import { mutant } from "./support/mutant.ts";

const NONE: ReadonlySet<never> = new Set();

function variant(id: string, rows: readonly string[], bug: string, change: Partial<Rules>, ...proofs: readonly Proof<Maker>[]): BrokenLayer {
  return brokenLayer<Maker>({ id, rows, bug, proofs, right: () => right, wrong: () => wrong(change) });
}

/** A bug in a place that is no rule. */
function changed(id: string, rows: readonly string[], bug: string, file: string, from: string, to: string, ...proofs: readonly Proof<Maker>[]): BrokenLayer {
  const load = mutant<typeof import("../../src/wrappers/metadata-cache/index.ts")>(
    `src/wrappers/metadata-cache/${file}`,
    from,
    to,
    "src/wrappers/metadata-cache/index.ts",
  );
  const made = async (): Promise<Maker> => {
    const { metadataCacheWith } = await load();
    return (options, see) => metadataCacheWith(rules, options, see);
  };
  return brokenLayer<Maker>({ id, rows, bug, proofs, right: () => right, wrong: made });
}

/** All programs that once failed in this setting. */
function programs(setting: string): Proof<Maker> {
  return {
    name: `programs that once failed: ${setting}`,
    run: async (make) => {
      for (const one of regressions) if (one.setting === setting) await run(make, setting, one.program);
    },
  };
}

export const layers: readonly BrokenLayer[] = [
  variant(
    "D01",
    ["cache.md 2.4 no-touch-log"],
    "an answer is remembered although its path was changed since it was asked for",
    { remembers: () => true, remembersListing: () => true, disturbed: () => NONE },
    races.oldAnswersAreNotKept,
  ),
  variant("D02", ["cache.md 2.4 join-always"], "a question joins one that was asked before an own change", { joins: () => true }, races.joinsOnlyWhatIsNewer),
  variant(
    "D03",
    ["cache.md 2.4 last-answer-wins"],
    "of two changes at once the one that was answered last is believed",
    { knowsOrder: () => true },
    races.overlappingChangesForget,
  ),
  variant("D04", ["cache.md 2.4 parents-ignored"], "the absence of a directory outlives a write below it", { heldParents: () => [] }, races.parentsAreHeld),
  variant("D05", ["cache.md 2.4 no-negative"], "absences are never answered", { answersAbsence: () => false }, answers.absencesAreFree),
  variant("D06", ["cache.md 2.4 never-complete"], "no listing is ever complete", { endsListing: () => false }, answers.secondIsFree, answers.emptyIsKnown),
  variant(
    "D07",
    ["cache.md 2.4 no-patch-list"],
    "a listing under way misses a write that ended meanwhile",
    { patchesPages: () => false },
    races.pagesArePatched,
  ),
  variant(
    "M70",
    ["M70", "cache.md 2.4 negative survives own write"],
    "metadata cache: a remembered absence survives an own write",
    {
      setOwn(tree, path, fact) {
        if (tree.look(path, fact.at) !== null) tree.set(path, fact);
      },
    },
    changes.writeEndsAbsence,
  ),
  variant(
    "M69",
    ["M69", "cache.md 2.4 drop misses the subtree"],
    "metadata cache: a move, copy or delete of a tree leaves what is known below it",
    {
      dropBelow: () => {},
      setOwn: (tree, path, fact) =>
        tree.put(
          tree.open(path.slice(0, path.lastIndexOf("/")) as never, true),
          tree.key(path.slice(path.lastIndexOf("/") + 1), fact.isFile ? "file" : "directory"),
          fact,
        ),
    },
    changes.treesDrop,
  ),
  variant(
    "D08",
    ["M69", "cache.md 2.4 drops /ab with /a"],
    "a tree that goes takes those along whose names begin with its name",
    {
      dropBelow(tree, path) {
        tree.drop(path);
        for (const [name] of tree.top.children ?? []) if (`/${name}`.startsWith(path) && !isInside(`/${name}` as never, path)) tree.forget(`/${name}` as never);
      },
    },
    changes.treesDrop,
  ),
  variant(
    "D09",
    ["cache.md 2.4 failed write stays"],
    "a change of unknown outcome leaves what was known",
    { mayHaveHappened: () => false },
    changes.failuresForget,
  ),
  variant(
    "D10",
    ["CF61", "cache.md 2.4 entry of a running upload expires"],
    "the entry of a running upload expires",
    { isPinned: () => false },
    changes.uploadsPin,
  ),
  variant(
    "D11",
    ["cache.md 2.4 incomplete listing counted as complete"],
    "the first page of a listing makes the directory complete",
    { endsListing: () => true },
    answers.pagesEnd,
  ),
  variant(
    "D12",
    ["cache.md 2.4 a ranged read stored as a fact"],
    "what a ranged read gave is taken for the whole file",
    { readEntry: ({ entry, body }) => ({ ...entry, size: body.length }) },
    answers.readsTeach,
  ),
  variant(
    "D13",
    ["cache.md 2.4 full answered from an incomplete fact"],
    "a full question is answered from a listing that tells less",
    { suffices: (fact) => !fact.thin },
    answers.fullNeedsComplete,
  ),
  variant(
    "D14",
    ["cache.md 2.4 expiry never checked on read"],
    "what is too old is answered until somebody cleans up",
    { isAlive: () => true },
    answers.expires,
  ),
  variant(
    "D15",
    ["cache.md 2.4 eviction by entry leaves the directory complete"],
    "a directory that made room still counts as complete",
    {
      evict(tree, directory) {
        const { complete, at } = directory;
        const { path } = directory;
        tree.evict(directory);
        Object.assign(tree.open(path, false), { complete, at });
      },
    },
    bounds.staysBounded,
  ),
  variant(
    "D16",
    ["cache.md 2.4 shared call dies with the first caller's signal"],
    "a shared call ends with the signal of who began it",
    { signalOf: (_shared, own) => own },
    races.sharedCallsOutlive,
  ),
  variant(
    "D17",
    ["cache.md 2.4 invalidate without a touch"],
    "an answer under way brings back what was invalidated",
    { noteInvalidation: () => {} },
    races.invalidationHolds,
  ),
  variant(
    "D18",
    ["cache.md 2.4 404 from another error", "M84"],
    "a service that cannot be reached makes files absent",
    { saysAbsent: (error) => error instanceof Error },
    answers.readsTeach,
    answers.errorsPass,
  ),
  variant("D19", ["cache.md 2.2 fresh"], "a question with fresh is answered from memory", { fromMemory: () => true }, answers.freshAsks),
  variant(
    "D20",
    ["cache.md 2.2"],
    "a reply that tells no time is given as an answer",
    { suffices: (fact, detail) => detail === "basic" || fact.complete },
    answers.thinReplies,
  ),
  variant("D21", [], "a directory keeps its time although something came or went in it", { agesDirectory: () => {} }, changes.directoriesAge),
  variant("D22", ["cache.md 2.2 implied directories"], "a directory outlives its last child", { vanishing: () => [] }, changes.lastChildLeaves),
  variant("D23", ["cache.md 2.3", "CF47"], "a late listing lacks a fresh upload", { addsOwn: () => false }, races.lateListingsComplete, races.lateReads),
  variant("D24", ["cache.md 2.3"], "a late listing has what was deleted", { removesOwn: () => false }, races.lateListingsComplete, races.lateReads),
  variant("D25", [], "what a late listing lacks is said to be absent", { absentByListing: () => true }, races.lateListingsSayNoAbsence),
  variant("D27", [], "the end of a long listing undoes what was heard since it began", { isNewer: () => false }, races.newerKnowledgeWins),
  variant(
    "D28",
    [],
    "an error that does not know its call is taken for one that changed nothing",
    { mayHaveHappened: (error) => (error as { readonly applied?: unknown }).applied !== false },
    changes.failuresForget,
  ),
  changed(
    "D26",
    [],
    "a directory that one change makes and another empties at once is remembered",
    "holds.ts",
    'return a.reach !== b.reach || a.reach === "self"',
    'return a.reach === "self"',
    programs("implied directories"),
  ),
  changed(
    "D29",
    [],
    "a change of unknown outcome is not asked for where listings are late",
    "memory.ts",
    "this.own?.doubt(key, reach, now + this.#settings().settleMs, now);",
    "void now;",
    programs("late listings"),
  ),
  changed(
    "D41",
    [],
    "a directory in doubt may hold again what was in it before it was deleted",
    "own-results.ts",
    'const emptied = (at: StorePath): boolean => reach !== "came" && this.#wasEmptied(at, now);',
    "const emptied = (_: StorePath): boolean => false;",
    programs("late listings, short replies"),
  ),
  variant(
    "D30",
    ["CF61"],
    "what is absent stays so for as long as something runs there",
    { isPinned: (holds, path) => holds.busy(path) },
    programs("others, times, short listings"),
  ),
  changed(
    "D31",
    ["cache.md 2.3 persistent"],
    "a file that was not closed is believed",
    "file.ts",
    'if (this.#get("closed") !== "yes") return "discarded: not closed";',
    "",
    files.notClosedIsNothing,
  ),
  changed(
    "D32",
    ["cache.md 2.3 persistent"],
    "what was remembered of another store is believed",
    "file.ts",
    'this.#get("store") !== this.#options.identity || ',
    "",
    files.onlyItsOwnStore,
  ),
  changed("D33", ["cache.md 2.3 persistent"], "the checksum of a row is not compared", "file.ts", "|| row.crc !== sum(row)", "", files.wrongFactsAreSeen),
  changed(
    "D34",
    [],
    "a file that is no metadata cache is thrown away",
    "file.ts",
    'throw new StoreError("config", "this is no file of a metadata cache; it is left as it is");',
    'return "discarded: no cache";',
    files.foreignFilesStay,
  ),
  changed("D35", ["CF109"], "others may read the file", "sqlite.ts", "0o600", "0o644", files.filesAreClosedToOthers),
  changed(
    "D36",
    ["cache.md 2.3 persistent"],
    "what came from the file answers however old it is",
    "rows.ts",
    "if (then === null || then > wall || wall - then >= maxStaleMs) return -Infinity;",
    "if (then !== null) return monotonic - 1;",
    files.staleByDefault,
  ),
  changed(
    "D37",
    [],
    "own changes after the listing are not written to the file",
    "file.ts",
    "  name(directory: Directory): void {\n    this.directory(directory);",
    "  name(_directory: Directory): void {",
    files.startsWarm,
  ),
  changed("D38", [], "an own change leaves the answer of space", "backend.ts", "!touches.any(kept.since) && ", "", answers.spaceIsKept),
  changed(
    "D39",
    [],
    "a listing in order is not, after an own change",
    "listings.ts",
    "if (this.#memory.capabilities.listSorted) tree.sort(directory);",
    "",
    bounds.orderStays,
  ),
  changed(
    "D40",
    [],
    "a late listing of a tree that was moved a moment ago is remembered",
    "memory.ts",
    "if (this.own?.inTree(directory, this.now) === true) return false;",
    "",
    races.lateTreesAreNotKept,
  ),
];
