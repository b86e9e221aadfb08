/** The sweeps: every operation of the store, with every request of it broken in every way. */
import { pieces } from "../bodies.ts";
import type { Check, CheckContext } from "../check.ts";
import { rw, rwl, rwld } from "./look.ts";
import { asking, deleting, downloading, ground, largeSize, listing, makingDirectory, transferring, uploading } from "./wire-scenarios.ts";
import type { Ground } from "./wire-scenarios.ts";
import { answerLost, everyKind, sweep } from "./wire-sweep.ts";
import type { Scenario, Sweep } from "./wire-sweep.ts";

const minutes = 60_000;

interface Swept {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly behaviours: readonly number[];
  readonly kills: readonly string[];
  readonly needs: Check["needs"];
  /** Changes nothing. */
  readonly asks?: true;
  scenario(g: Ground): Scenario;
  sweep?(t: CheckContext): Omit<Sweep, "scenario">;
}

function swept({ id, title, why, behaviours, kills, needs, asks, scenario, sweep: how }: Swept): Check {
  return {
    id,
    title,
    why,
    tier: "full",
    behaviours,
    guarantees: asks === true ? ["wire.honest"] : ["wire.honest", "error.asked", "error.doubt"],
    kills,
    ...(needs === undefined ? {} : { needs }),
    offers: ["wire"],
    timeoutMs: 5 * minutes,
    run: async (t) => sweep(t, { ...how?.(t), scenario: scenario(await ground(t)) }),
  };
}

export const sweeps: readonly Check[] = [
  swept({
    id: "wire.upload.small",
    title: "a small write over an older file, broken at every request: old or new, and the error says which",
    why: "An answer that is lost is taken for a failure or for a success, and a backup is missing or made twice.",
    behaviours: [61, 160, 65],
    kills: ["W10", "W24", "W13", "W19"],
    needs: rw,
    scenario: (g) => uploading(g, "small", 3000, { before: 5000 }),
  }),
  swept({
    id: "wire.upload.new",
    title: "a small write where nothing was, broken at every request",
    why: "A failed first upload leaves an empty or half file that later reads as good.",
    behaviours: [160, 66],
    kills: ["M59", "M59b"],
    needs: rw,
    scenario: (g) => uploading(g, "new", 3000),
  }),
  swept({
    id: "wire.upload.large",
    title: "a write that goes up in parts, broken at every request: whole or not there, and nothing left open",
    why: "A part that failed is left out, or an upload stays open and is paid for: 12 orphans held 35 MiB in one tool.",
    behaviours: [67, 68, 160],
    kills: ["W05", "W06", "W23"],
    needs: rw,
    scenario: (g) => uploading(g, "large", largeSize(g.t), { before: 100 }),
    sweep: (t) => ({
      kinds: t.tier === "torture" ? everyKind : ["resetBefore", "resetAfter", "failedAfter", "unavailable", "stall", "expired"],
      most: 5,
      // Where the answer is lost that names a new upload, nobody can know the upload: not even the store that must give it up.
      only: ({ method, target }, kind) => !(method === "POST" && /[?&]uploads\b/.test(target) && answerLost.has(kind)),
    }),
  }),
  swept({
    id: "wire.upload.unknown",
    title: "a body of unknown size, broken at every request",
    why: "The end of a stream is sent with the last part; when that is cut, a short file may be committed.",
    behaviours: [41, 160],
    kills: ["W10", "W24"],
    needs: [...rw, "writeUnknownSize"],
    scenario: (g) => uploading(g, "unknown", 30_000, { before: 100, body: (bytes) => pieces(bytes, 7000) }),
    sweep: () => ({
      kinds: ["resetBefore", "resetAfter", "failedAfter", "unavailable", "stall"],
      only: ({ method, target }, kind) => !(method === "POST" && /[?&]uploads\b/.test(target) && answerLost.has(kind)),
    }),
  }),
  swept({
    id: "wire.upload.create",
    title: "a create whose answer is lost is never reported as somebody else's file",
    why: "A retry inside an SDK meets the file that its own first try made, and reports `already-exists` for a lock that is held.",
    behaviours: [77, 160],
    kills: ["M60"],
    needs: [...rw, "writeIfAbsent"],
    scenario: (g) => uploading(g, "create", 700, { write: () => ({ ifAbsent: true }) }),
  }),
  swept({
    id: "wire.upload.replace",
    title: "a write with an etag whose answer is lost is never reported as lost to another writer",
    why: "The same with `ifMatch`: the own write changed the etag, the retry fails on it, and the caller merges what it has already written.",
    behaviours: [78, 160],
    kills: ["W01"],
    needs: [...rw, "writeIfMatch"],
    scenario: (g) => uploading(g, "replace", 700, { before: 900, write: () => ({ ifMatch: "the current one" }) }),
  }),
  swept({
    id: "wire.download.whole",
    title: "a read of a whole file, broken at every request: all bytes or an error",
    why: "A body cut by the network is returned as complete: the most common way in which downloads go wrong unseen.",
    behaviours: [59, 160],
    kills: ["M28", "W12"],
    needs: rw,
    asks: true,
    scenario: (g) => downloading(g, "whole", 300_000),
  }),
  swept({
    id: "wire.download.range",
    title: "a read of a part, broken at every request: exactly this part or an error",
    why: "Servers and proxies may ignore Range and answer 200 with everything, or answer another range than asked; who trusts the request returns other bytes.",
    behaviours: [45, 59, 160],
    kills: ["M27", "M27b"],
    needs: [...rw, "readRange"],
    asks: true,
    scenario: (g) => downloading(g, "part", 300_000, { offset: 100_000, length: 50_000 }),
  }),
  swept({
    id: "wire.list.pages",
    title: "a listing of several pages, broken at every page: every entry once or an error",
    why: "A page that fails is taken for the end; the listing is short, and a mirror deletes what it does not see.",
    behaviours: [90, 103, 160],
    kills: ["M34", "W02", "W03", "W22"],
    needs: rwl,
    asks: true,
    scenario: (g) =>
      listing(
        g,
        "pages",
        Array.from({ length: 1100 }, (_, i) => `f${String(i).padStart(5, "0")}`),
        false,
      ),
  }),
  swept({
    id: "wire.list.tree",
    title: "a recursive listing, broken at every request: every file once or an error",
    why: "A directory that cannot be listed is left out of a walk as if it were empty.",
    behaviours: [88, 103, 160],
    kills: ["M59"],
    needs: [...rwl, "listRecursive"],
    asks: true,
    scenario: (g) => listing(g, "walk", ["a", "b/c", "b/d/e", "f/g", "h"], true),
  }),
  swept({
    id: "wire.stat",
    title: "a stat, broken at every request: the entry, or an error that never says `not-found`",
    why: '"Not there" for a network failure makes callers create, overwrite and delete.',
    behaviours: [148, 160],
    kills: ["M59", "M59b", "W13"],
    needs: rw,
    asks: true,
    scenario: asking,
  }),
  swept({
    id: "wire.mkdir",
    title: "a mkdir, broken at every request",
    why: "A directory made by the first try makes the second fail with `already-exists`, as if somebody else had made it.",
    behaviours: [130, 160],
    kills: ["M60c"],
    needs: ["mkdir"],
    scenario: makingDirectory,
  }),
  swept({
    id: "wire.delete.file",
    title: "a delete, broken at every request: gone, there, and the error says which",
    why: "An error is swallowed and the file comes back with the next synchronisation.",
    behaviours: [127, 160],
    kills: ["W04", "W25"],
    needs: [...rw, "delete"],
    scenario: (g) => deleting(g, false),
  }),
  swept({
    id: "wire.delete.tree",
    title: "a recursive delete, broken at every request",
    why: 'One of many deletions fails and the whole is reported as done; or it has no answer, and lands on what a cache that was told "partly" has written since.',
    behaviours: [127, 129, 160],
    kills: ["W04", "W26"],
    needs: [...rwld, "deleteRecursive"],
    scenario: (g) => deleting(g, true),
  }),
  swept({
    id: "wire.copy.file",
    title: "a copy, broken at every request",
    why: "A copy whose answer was lost is reported as not done, and its target is used by somebody else.",
    behaviours: [116, 160],
    kills: ["W10", "W24", "W25"],
    needs: [...rw, "copy"],
    scenario: (g) => transferring(g, "copy", false),
  }),
  swept({
    id: "wire.move.file",
    title: "a move, broken at every request: all bytes at one of the two",
    why: "The copy fails and the source is deleted all the same; or the move is sent twice, and the second time there is nothing to move.",
    behaviours: [121, 160],
    kills: ["W14", "M60b"],
    needs: [...rw, "move", "delete"],
    scenario: (g) => transferring(g, "move", false),
  }),
  swept({
    id: "wire.move.tree",
    title: "a move of a tree, broken at every request: no file is lost",
    why: "A tree is moved by copies and deletions; what fails in the middle must be told, and nothing deleted that was not copied.",
    behaviours: [123, 160],
    kills: ["W14", "M60b"],
    needs: [...rwld, "moveTree", "deleteRecursive"],
    scenario: (g) => transferring(g, "move", true),
    sweep: (t) => ({ kinds: t.tier === "torture" ? everyKind : ["resetBefore", "resetAfter", "failedAfter", "unavailable", "stall"] }),
  }),
];
