/** Only if nothing is at the target: `ifAbsent` of copy and move (behaviours 80, 81). */
import type { Entry } from "../../store/index.ts";
import { equal, pattern, rejects } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { absent, base, stats } from "./base.ts";
import { gone, holds, lists, put } from "./look.ts";
import { needs } from "./conditions-help.ts";

async function onlyIfAbsent(t: CheckContext, verb: "copy" | "move"): Promise<void> {
  const d = await base(t);
  const call = (from: string, to: string): Promise<Entry> => t.store[verb](`${d}/x/${from}`, `${d}/x/${to}`, { ifAbsent: true });
  const contents = { source: pattern(300, "source"), target: pattern(301, "target"), "dir/inside": pattern(302, "inside") };
  for (const [name, bytes] of Object.entries(contents)) await put(t, `${d}/x/${name}`, bytes);
  await put(t, `${d}/x/empty`, "");
  for (const to of ["target", "empty", ...(t.capabilities.strictHierarchy ? ["dir"] : [])]) {
    const error = await rejects("already-exists", () => call("source", to), `onto ${to}, which exists`);
    equal(error.applied, false, "nothing was applied");
  }
  for (const [name, bytes] of Object.entries(contents)) await holds(t, `${d}/x/${name}`, bytes, `${name} is as it was`);
  await call("source", "deep/new");
  await holds(t, `${d}/x/deep/new`, contents.source, "onto nothing it succeeds, missing parents included");
  if (verb === "move") await absent(t, `${d}/x/source`, "and the source is gone");
  else await holds(t, `${d}/x/source`, contents.source, "and the source stays");
  await rejects("not-found", () => call("none", "other"), "a missing source");
  await stats(t, `${d}/x/target`, (entry) => equal(entry.size, 301, "the target is as it was"));
  await lists(t, `${d}/x`, ["deep", "dir", "empty", ...(verb === "move" ? [] : ["source"]), "target"], "nothing else was made");
}

async function targetRace(t: CheckContext, verb: "copy" | "move"): Promise<void> {
  const d = await base(t);
  const stores = [t.store, await t.connect()];
  for (let round = 0; round < (t.tier === "torture" ? 30 : 8); round++) {
    const sources = Array.from({ length: 6 }, (_, index) => ({ path: `${d}/r${round}/s${index}`, bytes: pattern(100 + index, `r${round}s${index}`) }));
    for (const { path, bytes } of sources) await put(t, path, bytes);
    const target = `${d}/r${round}/target`;
    const won = await Promise.all(
      sources.map(async ({ path }, index) => {
        const outcome: unknown = await stores[index % 2]![verb](path, target, { ifAbsent: true }).then(
          () => "won",
          (error: unknown) => error,
        );
        if (outcome !== "won") await rejects(["already-exists", "conflict"], Promise.reject(outcome), "a loser hears that the target exists");
        return outcome === "won";
      }),
    );
    equal(won.filter(Boolean).length, 1, `round ${round}: exactly one of six wins`);
    for (const [index, { path, bytes }] of sources.entries()) {
      if (won[index]) await holds(t, target, bytes, `round ${round}: the target is the winner's`);
      if (verb === "move" && won[index]) await gone(t, path, `round ${round}: the winner's source is gone`);
      else await holds(t, path, bytes, `round ${round}: a source that was not moved is as it was`);
    }
  }
}

export const checks: readonly Check[] = [
  {
    id: "conditions.copy",
    title: "a copy with ifAbsent makes its target once; over anything that exists it is already-exists and nothing is changed",
    why: "Overwrite: F is ignored by some servers and obeyed for files only by others.",
    tier: "full",
    behaviours: [80],
    guarantees: ["copy.ifAbsent"],
    kills: ["M53c", "M54"],
    needs: needs("copy", "copyIfAbsent"),
    run: async (t) => onlyIfAbsent(t, "copy"),
  },
  {
    id: "conditions.move",
    title: "a move with ifAbsent moves onto nothing; over anything that exists it is already-exists, and both files stay",
    why: "A rename that overwrites in spite of the condition loses two files: the target's bytes and the source's name.",
    tier: "full",
    behaviours: [80],
    guarantees: ["move.ifAbsent"],
    kills: ["M53c"],
    needs: needs("move", "moveIfAbsent"),
    run: async (t) => onlyIfAbsent(t, "move"),
  },
  {
    id: "conditions.copy.race",
    title: "of many copies onto one name with ifAbsent exactly one wins",
    why: "Overwrite: F let several copies win on Apache and SabreDAV; each was told that its bytes are stored.",
    tier: "full",
    behaviours: [80, 81],
    guarantees: ["copy.ifAbsent"],
    kills: ["M51c"],
    needs: needs("copy", "copyIfAbsent"),
    timeoutMs: 120_000,
    run: async (t) => targetRace(t, "copy"),
  },
  {
    id: "conditions.move.race",
    title: "of many moves onto one name with ifAbsent exactly one wins, and the losers' files stay where they were",
    why: "rename(2) replaces: a check before it loses every file but the last, and none of the movers hears of it.",
    tier: "full",
    behaviours: [80, 81],
    guarantees: ["move.ifAbsent"],
    kills: ["M51d"],
    needs: needs("move", "moveIfAbsent"),
    timeoutMs: 120_000,
    run: async (t) => targetRace(t, "move"),
  },
];
