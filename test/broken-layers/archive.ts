/** One-bug variants of the archive layer: rules of src/wrappers/archive/rules.ts replaced one at a time (reference/archive.md 11). */
import assert from "node:assert/strict";
import type { Rules } from "../../src/wrappers/archive/rules.ts";
import { layerWith } from "../wrappers/archive/layer/subject.ts";
import type { MakeLayer } from "../wrappers/archive/layer/subject.ts";
import * as proofs from "../wrappers/archive/layer/proofs.ts";
import * as hostile from "../wrappers/archive/layer/hostile-proofs.ts";
import type { LayerProof } from "../wrappers/archive/layer/proof.ts";
import { parseHeader, parsePax } from "../wrappers/archive/independent/tar.ts";
import { modelBugs } from "../wrappers/archive/model/bugs.ts";
import type { Bugs, ModelBug } from "../wrappers/archive/model/bugs.ts";
import { frozen } from "../wrappers/archive/model/frozen.ts";
import type { Frozen } from "../wrappers/archive/model/frozen.ts";
import { runProgram } from "../wrappers/archive/model/world.ts";
import { brokenLayer } from "./registry.ts";
import type { BrokenLayer, Proof } from "./registry.ts";
import { mutant } from "./support/mutant.ts";

const right: MakeLayer = (more, proof) => layerWith({}, more, proof);

function variant(id: string, row: number | string, bug: string, rules: Partial<Rules>, ...killers: readonly LayerProof[]): BrokenLayer {
  return brokenLayer<MakeLayer>({
    id,
    bug,
    rows: [typeof row === "number" ? `archive.md 11.${row}` : row],
    proofs: killers,
    right: () => right,
    wrong: () => (more, proof) => layerWith(rules, more, proof),
  });
}

/** The layer from its real source, with one place changed. */
function changed(id: string, row: string, bug: string, file: string, from: string, to: string, ...killers: readonly LayerProof[]): BrokenLayer {
  const source = `src/wrappers/archive/${file}`;
  return brokenLayer<MakeLayer>({
    id,
    bug,
    rows: [row],
    proofs: killers,
    right: () => right,
    wrong: async () => {
      const module = await mutant<typeof import("../../src/wrappers/archive/archive.ts")>(source, from, to, "src/wrappers/archive/archive.ts")();
      return (more, proof) => layerWith({}, more, proof, module);
    },
  });
}

const PATHS_KEPT = "JSON.parse(";
const PATHS_LOST = "JSON.parse('[]' || ";

/** Rows that the real layer cannot show, because another of its rules keeps them from doing harm, or that are no single rule there: in the model. */
function protocol(bug: ModelBug, at: number): BrokenLayer {
  const { program, installations, besides = [] } = frozen.find((one) => one.bug === bug) as Frozen;
  const proof: Proof<Bugs> = { name: `archive protocol: ${bug}`, run: (bugs) => runProgram(program, installations, bugs) };
  return brokenLayer<Bugs>({
    id: `T${41 + at}`,
    bug: `protocol: ${bug}`,
    rows: [modelBugs[bug] === 0 ? "archive.md 8.5" : `archive.md 11.${modelBugs[bug]}`],
    proofs: [proof],
    right: () => new Set(),
    wrong: () => new Set([bug, ...besides]),
  });
}

const TAR = "src/wrappers/archive/format/tar.ts";
type TarHeaders = Pick<typeof import("../../src/wrappers/archive/format/tar.ts"), "memberHeader">;
const hugeSizes: Proof<TarHeaders> = {
  name: "archive: headers say sizes of 8 GiB and more",
  run({ memberHeader }) {
    for (const size of [2 ** 33 - 1, 2 ** 33, 2 ** 33 + 1, 9 * 2 ** 30 + 5, 2 ** 45]) {
      const blocks = memberHeader({ name: "huge", directory: false, size, modifiedMs: 0 });
      const first = parseHeader(blocks.subarray(0, 512));
      const told = first.type === "x" ? Number(parsePax(blocks.subarray(512, 512 + first.size)).get("size")) : first.size;
      assert.equal(told, size);
    }
  },
};

export const layers: readonly BrokenLayer[] = [
  variant("T01", 1, "clock without the greatest time seen", { nextTime: ({ lastMs, nowMs }) => Math.max(lastMs + 1, nowMs) }, proofs.writesAboveWhatWasSeen),
  variant("T02", 2, "tombstone carries the delete's own stamp", { tombstoneUpTo: ({ own }) => own }, proofs.deletesWhatWasSeen),
  variant("T03", 3, "uploads in doubt ignored by deletes", { deletesCoverDoubt: false }, proofs.deletesCoverDoubt, proofs.intentsComeFirst),
  variant("T04", 4, "packs and deletes archives of others", { mayManage: () => true }, proofs.packsOwnArchives),
  variant("T05", 5, "refers to bytes of others", { mayReferTo: () => true }, proofs.refersToOwnBytes),
  variant("T06", 6, "an archive that one listing lacks is forgotten", { isGone: () => true }, proofs.missingOnce),
  variant("T07", 7, "tombstones ignored by the rule of deletion", { tombstonesAreNeeded: false }, proofs.tombstonesAreNeeded),
  variant(
    "T08",
    8,
    "the oldest copy of a record is its home",
    { isBetterHome: (one, other) => one.stamp[0] < other.stamp[0] || (one.stamp[0] === other.stamp[0] && one.stamp[1] < other.stamp[1]) },
    proofs.newestHome,
  ),
  variant("T09", 9, "repacking copies dead records", { repacksDeadRecords: true }, proofs.deadStayBehind),
  variant("T10", 10, "no grace", { graceMs: () => 0 }, proofs.grace),
  variant("T11", 11, "a seal that refers into an archive leaves it unneeded", { sealClearsUnneeded: false }, proofs.sealClearsUnneeded),
  variant(
    "T13",
    13,
    "a tombstone goes as soon as no record below it is known",
    { mayDropTombstone: ({ recordsBelow }) => !recordsBelow },
    proofs.tombstonesGrowOld,
  ),
  variant("T14", 14, "claims in force at once", { claimDelayMs: () => 0 }, proofs.claimsWait),
  variant("T15", 15, "what is taken over gets a new stamp", { takenStamp: ({ own }) => own }, proofs.takenKeepTheirStamps),
  variant("T16", 16, "the writer's id is used again after the index was lost", { lostIndexChangesWriter: false }, proofs.lostIndexIsAnotherWriter),
  variant("T17", 16, "a count is used before it is persisted", { countPersistedFirst: false }, proofs.countsArePersisted),
  variant("T18", 17, "a large file is stamped when it begins", { soloStampedAtEnd: false }, proofs.solosAreStampedLast),
  variant("T19", 18, "the intent is committed after the upload began", { intentFirst: false }, proofs.intentsComeFirst),
  variant("T20", 19, "learning and forgetting the intent are two transactions", { commitIsOne: false }, proofs.oneCommit),
  variant("T21", 21, "an abort after the seal says that nothing happened", { appliedAfterSeal: () => false }, proofs.abortedIsUnknown),
  variant("T22", 23, "half a listing judges what is missing", { halfListingsJudge: true }, proofs.halfListings),
  variant("T23", 24, "what was learned during a listing is judged by it", { isJudged: () => true }, proofs.listingsJudgeWhatTheyCouldSee),
  variant("T24", 27, "of two versions the first is shown", { wins: () => false }, proofs.lastWriteWins),
  variant("T25", 28, "a refresh that failed is answered from the old view", { failedRefreshAnswers: true }, proofs.failedRefreshIsAnError),
  variant("T26", 29, "no second look for an archive that is gone", { readsLookAgain: false }, proofs.readsLookAgain),
  variant("T27", 25, "the hash of a manifest is not checked", { checksManifestHash: false }, hostile.everyByteFlipped),
  variant("T28", 25, "a manifest is unpacked without a limit", { limitsUnpacking: false }, hostile.bombsAreLimited),
  variant("T29", 25, "paths of a manifest are not checked", { checksPaths: false }, hostile.damagedIsSetAside),
  variant("T30", 30, "archives of a newer version are skipped, and writes go on", { newerStopsWrites: false }, hostile.newerStopsChanges),
  variant("T31", "archive.md 8.5", "a writer that slept seals by the view of then", { sealsNeedYoungView: false }, proofs.sealsByYoungViews),
  variant("T32", "archive.md 8.3", "archives that the last listing lacks are packed again", { missingIsUsed: true }, proofs.missingIsLeftAlone),
  variant(
    "T36",
    "rules.ts freshAwaitsLeft",
    "a fresh question does not wait for what was left in the middle",
    { freshAwaitsLeft: false },
    proofs.freshKnowsWhatWasLeft,
  ),
  changed(
    "T12",
    "archive.md 11.20",
    "a body that fails is stored as far as it came",
    "backend.ts",
    "bytes = new Uint8Array(await stream.all());",
    "bytes = new Uint8Array(await stream.all().catch(() => new Uint8Array(0)));",
    proofs.badBodiesAreAlone,
  ),
  brokenLayer<TarHeaders>({
    id: "T35",
    bug: "a size from 8 GiB is cut",
    rows: ["M81", "archive.md 11.26"],
    proofs: [hugeSizes],
    right: () => import("../../src/wrappers/archive/format/tar.ts"),
    wrong: mutant<TarHeaders>(TAR, '[paxRecord("size", String(size))]', "[]", TAR),
  }),
  changed(
    "M79",
    "M79",
    "calls are told before their archive is stored",
    "groups.ts",
    "await this.#sealer.send(archive);",
    "void this.#sealer.send(archive).catch(() => {});",
    proofs.storedFirst,
  ),
  changed(
    "M81",
    "M81",
    "names are cut at 100 bytes",
    "format/tar.ts",
    'if (name.length <= 100) return { name, prefix: "" };',
    'return { name: name.slice(0, 100), prefix: "" };',
    proofs.longNames,
  ),
  changed(
    "T33",
    "archive.md 11.26",
    "the length of a pax record does not count its own digits",
    "format/tar.ts",
    "while (String(length).length + rest.length !== length) length",
    "if (length < 0) length",
    proofs.longNames,
  ),
  changed("T34", "archive.md 3.4", "after a crash nobody knows what was in doubt", "uploads.ts", PATHS_KEPT, PATHS_LOST, proofs.treesCoverDoubt),
  changed(
    "T37",
    "archive.md 11.3",
    "a tree is moved away, and a file that was on its way there comes back at its old place",
    "evaluate.ts",
    'type === "move" ? this.#tree(path, moved) : []',
    'type === "move" ? moved.map((one) => one.path) : []',
    proofs.movesCoverDoubt,
  ),
  ...(["uploads-not-waited", "move-in-two", "claim-by-clock", "adopted-keeps-id"] as const).map(protocol),
];
