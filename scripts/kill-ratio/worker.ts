/** A process of its own that judges one store after the other: what a broken store leaves behind or brings down stays here. */
import { brokenStores } from "../../src/conformance/broken/index.ts";
import { claimsOf, isLong, judgeBroken, judgeLegal } from "../../src/conformance/broken/judge.ts";
import type { BrokenVerdict, LegalVerdict } from "../../src/conformance/broken/judge.ts";
import { legalStores } from "../../src/conformance/broken/legal.ts";
import { checks } from "../../src/conformance/checks/index.ts";
import { brokenLayers } from "./layers.ts";

export type Task =
  | { readonly kind: "broken"; readonly id: string; readonly all: boolean }
  | { readonly kind: "layer"; readonly id: string }
  | { readonly kind: "legal"; readonly id: string; readonly part: number; readonly parts: number; readonly long: boolean };
export type Answer = { readonly kind: "broken" | "layer"; readonly verdict: BrokenVerdict } | { readonly kind: "legal"; readonly verdict: LegalVerdict };

async function judge(task: Task): Promise<Answer> {
  if (task.kind === "legal") {
    const store = legalStores.find(({ id }) => id === task.id);
    if (store === undefined) throw new TypeError(`there is no legal store ${task.id}`);
    // Spread evenly: neighbours of one group take about the same time.
    const share = checks.filter((check, index) => check.tier !== "torture" && index % task.parts === task.part && (task.long || !isLong(check)));
    return { kind: "legal", verdict: await judgeLegal(store, share) };
  }
  if (task.kind === "layer") return { kind: "layer", verdict: await judgeLayer(task.id) };
  const store = brokenStores.find(({ id }) => id === task.id);
  if (store === undefined) throw new TypeError(`there is no one-bug store ${task.id}`);
  const expected = claimsOf(brokenStores, checks).of(store);
  // Checks that claim the row of this store are tried as well: one of its variants must confirm them.
  const tried = checks.filter(
    ({ id, kills, tier }) =>
      (task.all && tier !== "torture") || expected.includes(id) || kills.includes(store.id) || kills.includes(store.id.replace(/(?<=\d)[a-z]$/, "")),
  );
  return { kind: "broken", verdict: await judgeBroken(store, expected, tried) };
}

async function judgeLayer(id: string): Promise<BrokenVerdict> {
  const layer = (await brokenLayers()).find((one) => one.id === id);
  if (layer === undefined) throw new TypeError(`there is no one-bug layer ${id}`);
  const started = performance.now();
  return { id, bug: layer.bug, ...(await layer.kill()), ms: Math.round(performance.now() - started) };
}

/** A bug that leaves a rejection unhandled is judged by its check; it must not end the process for the others. */
process.on("unhandledRejection", () => {});
// Without the process that hands out the work there is nothing left to do.
process.on("disconnect", () => process.exit());
process.on("message", (task: Task) => {
  judge(task).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
