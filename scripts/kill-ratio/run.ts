/** The run behind `npm run kill-ratio`: spreads the stores and layers over worker processes, collects their verdicts, prints and counts. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { brokenStores } from "../../src/conformance/broken/index.ts";
import { claimsOf, isLong, unconfirmed } from "../../src/conformance/broken/judge.ts";
import type { BrokenVerdict, LegalVerdict } from "../../src/conformance/broken/judge.ts";
import { legalStores } from "../../src/conformance/broken/legal.ts";
import { checks } from "../../src/conformance/checks/index.ts";
import { brokenLayers } from "./layers.ts";
import type { Answer, Task } from "./worker.ts";

export interface KillRatioOptions {
  /** Every check against every one-bug store, and the long ones against every legal one. */
  readonly all?: boolean | undefined;
  /** Beginnings of ids. Default: all stores. */
  readonly only?: readonly string[] | undefined;
  readonly say?: ((line: string) => void) | undefined;
  /** Processes at once. Default: one more than the machine has cores, since much of the time is waiting. */
  readonly workers?: number | undefined;
}
export interface KillRatio {
  readonly ok: boolean;
  /** "killed 86 of 86 stores, 70 of 70 layers, 23 of 23 legal stores pass" */
  readonly summary: string;
  /** What is wrong, one line each. Empty where `ok`. */
  readonly problems: readonly string[];
}

export async function killRatio(options: KillRatioOptions = {}): Promise<KillRatio> {
  const { all = false, only = [], say = () => {}, workers = availableParallelism() + 1 } = options;
  const selected = (id: string): boolean => only.length === 0 || only.some((begin) => id.startsWith(begin));
  const broken = brokenStores.filter(({ id }) => selected(id));
  const legal = legalStores.filter(({ id }) => selected(id));
  const allLayers = await brokenLayers();
  const layers = allLayers.filter(({ id }) => selected(id));
  const claims = claimsOf(brokenStores, checks);
  const problems: string[] = duplicates([...brokenStores, ...allLayers, ...legalStores].map(({ id }) => id)).map((id) => `two of them have the id ${id}`);
  if (broken.length + layers.length + legal.length === 0) problems.push(`none begins with ${only.join(" or ")}`);

  // The long ones first. A legal store is split by groups of checks, so that no worker is left alone with one.
  const tasks: Task[] = [
    ...legal.flatMap(({ id }) =>
      Array.from({ length: legalParts }, (_, part): Task => ({ kind: "legal", id, part, parts: legalParts, long: all || id === legalStores[0]?.id })),
    ),
    ...layers.map(({ id }): Task => ({ kind: "layer", id })),
    ...broken.map(({ id }): Task => ({ kind: "broken", id, all })),
  ];
  const killed: BrokenVerdict[] = [];
  const killedLayers: BrokenVerdict[] = [];
  const passed = new Map<string, LegalVerdict[]>();
  await spread(tasks, workers, (answer) => {
    if (answer.kind === "crash") return void problems.push(`${answer.task.id}: the process that tried it ended: ${answer.text}`);
    if (answer.kind !== "legal") {
      (answer.kind === "layer" ? killedLayers : killed).push(answer.verdict);
      return sayBroken(answer.verdict, say);
    }
    const parts = passed.get(answer.verdict.id) ?? [];
    passed.set(answer.verdict.id, [...parts, answer.verdict]);
    if (parts.length + 1 === legalParts) sayLegal(together([...parts, answer.verdict]), say);
  });

  for (const verdict of [...killed, ...killedLayers]) {
    if (verdict.killed.length === 0) problems.push(`${verdict.id} survives: ${verdict.bug}`);
    for (const { check, instead } of verdict.missed) problems.push(`${verdict.id} is not killed by ${check} (${instead})`);
  }
  const whole = [...passed.values()].map(together);
  for (const { id, failed } of whole) for (const { check } of failed) problems.push(`${id} is legal, and ${check} fails on it`);
  if (only.length === 0) problems.push(...claims.unknown, ...claims.unmarked, ...unconfirmed(killed, checks));
  const deadOf = (verdicts: readonly BrokenVerdict[]): number => verdicts.filter((verdict) => verdict.killed.length > 0 && verdict.missed.length === 0).length;
  const right = whole.filter(({ failed }) => failed.length === 0).length;
  const summary = `killed ${deadOf(killed)} of ${broken.length} stores, ${deadOf(killedLayers)} of ${layers.length} layers, ${right} of ${legal.length} legal stores pass`;
  if (problems.length > 0) say(["", "problems:", ...problems.toSorted().map((line) => `  ${line}`)].join("\n"));
  const long = checks.filter((check) => check.tier !== "torture" && isLong(check));
  if (!all && long.length > 0)
    say(`\n${long.length} long checks were tried on the first legal store only (--all: on each): ${long.map(({ id }) => id).join(", ")}`);
  say(
    `\n${checks.length} checks, ${checks.length - claims.laws.length} of them claim kills, ${claims.laws.length} are marked as laws (src/conformance/broken/laws.ts)`,
  );
  say(summary);
  return { ok: problems.length === 0, summary, problems };
}

/** Into how many parts the checks are cut for a legal store. */
const legalParts = 2;

function together(parts: readonly LegalVerdict[]): LegalVerdict {
  const [first] = parts as [LegalVerdict];
  const sum = (of: (part: LegalVerdict) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    ...first,
    passed: sum((part) => part.passed),
    refused: sum((part) => part.refused),
    failed: parts.flatMap((part) => part.failed),
    ms: sum((part) => part.ms),
  };
}

function sayBroken({ id, bug, killed, missed, ms }: BrokenVerdict, say: (line: string) => void): void {
  const state = missed.length > 0 ? "MISSED" : killed.length > 0 ? "killed" : "ALIVE ";
  say(
    `${state} ${id.padEnd(6)} ${bug}\n         by ${killed.join(", ") || "nothing"}  (${ms} ms)${missed.map(({ check, instead }) => `\n         not by ${check}: ${instead}`).join("")}`,
  );
}

function sayLegal({ id, strange, passed, refused, failed, ms }: LegalVerdict, say: (line: string) => void): void {
  say(
    `${failed.length === 0 ? "passes" : "FAILS "} ${id.padEnd(6)} ${strange}\n         ${passed} checks hold, ${refused} refusals proved  (${ms} ms)${failed
      .map(
        ({ check, text }) =>
          `\n         not ${check}: ${text
            .split("\n")
            .slice(1, 4)
            .map((line) => line.trim())
            .join("; ")}`,
      )
      .join("")}`,
  );
}

function duplicates(ids: readonly string[]): string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

/** One task at a time per process; a process that dies loses its task, not the run. */
async function spread(
  tasks: readonly Task[],
  workers: number,
  done: (answer: Answer | { readonly kind: "crash"; readonly task: Task; readonly text: string }) => void,
): Promise<void> {
  const waiting = tasks.values();
  await Promise.all(
    Array.from({ length: Math.min(workers, tasks.length) }, async () => {
      for (;;) {
        const child = fork(new URL("worker.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
        let current: Task | undefined;
        const ended = await new Promise<boolean>((finish) => {
          const next = (): void => {
            const { value, done: over } = waiting.next();
            current = over === true ? undefined : value;
            if (current === undefined) {
              child.removeAllListeners("exit");
              child.kill();
              return finish(true);
            }
            child.send(current);
          };
          child.once("spawn", next);
          child.on("message", (answer) => {
            done(answer as Answer);
            next();
          });
          child.once("exit", (code, signal) => {
            if (current !== undefined) done({ kind: "crash", task: current, text: signal ?? `exit code ${code}` });
            finish(false);
          });
        });
        if (ended) return;
      }
    }),
  );
}
