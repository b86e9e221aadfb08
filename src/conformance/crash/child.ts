/**
 * The process that is killed: opens the stack and lets workers change it, each in a directory of its own and one change after the other. Before a change it
 * says what it is going to do, after the answer that it was acknowledged: one line each, written at once, to whoever started it.
 *
 *   O                 the stack is open
 *   S {...}           a change starts
 *   A <serial>        it was acknowledged
 *   R <serial> <code> it was refused, and nothing has changed
 *   V <text>          something was seen that may not be
 *   C                 a clean end
 */
import { writeSync } from "node:fs";
import module from "node:module";
import { pathToFileURL } from "node:url";
import { StoreError, hasCode, systemClock } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { seeded } from "../random.ts";
import { bodyOf, isBody, typeOf } from "./bodies.ts";
import { after, randomChange } from "./changes.ts";
import type { Change } from "./changes.ts";
import type { CrashPlace, CrashSubject } from "./subject.ts";
import { kindOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

export interface ChildTask {
  readonly module: string;
  readonly place: CrashPlace;
  readonly seed: number;
  /** The first serial number that nobody has used. */
  readonly serial: number;
  /** Per worker; then a clean end. */
  readonly changes: number;
  /** What each worker's directory holds. */
  readonly trees: readonly (readonly (readonly [path: string, body: number | null])[])[];
  /** Dies there by itself, the `nth` time. */
  readonly dieAt?: { readonly step: string; readonly nth: number } | undefined;
}
export interface Started {
  readonly serial: number;
  readonly worker: number;
  readonly change: Change;
}

const GIVEN_BACK_MS = 10_000;

export const homeOf = (worker: number): string => `/w${worker}`;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function work(task: ChildTask): Promise<void> {
  const { default: subject } = (await import(pathToFileURL(task.module).href)) as { readonly default: CrashSubject };
  let left = task.dieAt?.nth ?? 0;
  const step = (name: string): void => {
    if (name !== task.dieAt?.step || --left !== 0) return;
    process.kill(process.pid, "SIGKILL");
  };
  const store = await subject.open(task.place, step);
  await opened(store);
  // The next child starts from what this one has compiled; at its end, where Node does it by itself, this one will not be.
  module.flushCompileCache?.();
  say("O");
  let serial = task.serial;
  const worker = async (number: number): Promise<void> => {
    const random = seeded(`${task.seed} worker ${number}`);
    let tree: Tree = new Map(task.trees[number]);
    for (let n = 0; n < task.changes; n++) {
      const mine = serial++;
      const change = changeFor(subject, random, homeOf(number), tree, mine);
      say(`S ${JSON.stringify({ serial: mine, worker: number, change } satisfies Started)}`);
      try {
        await apply(store, change);
        const next = after(tree, change);
        if ("tree" in next) tree = next.tree;
        say(`A ${mine}`);
      } catch (error) {
        if (!StoreError.is(error) || error.applied !== false) throw error;
        say(`R ${mine} ${error.code}`);
      }
      if (random() < 0.2) await look(store, tree, random);
      if (number === 0 && random() < 0.1) await subject.stir?.(store);
    }
  };
  await Promise.all(task.trees.map((_, number) => worker(number)));
  await store.close();
  say("C");
}

/** The process before did not wait for the end of its close: it may still be giving back what it owned. */
async function opened(store: Store): Promise<void> {
  for (const untilMs = performance.now() + GIVEN_BACK_MS; ;) {
    try {
      await store.open();
      return;
    } catch (error) {
      if (!hasCode(error, "conflict") || performance.now() > untilMs) throw error;
      await systemClock.sleep(20);
    }
  }
}

function changeFor(subject: CrashSubject, random: () => number, home: string, tree: Tree, serial: number): Change {
  for (;;) {
    const change = randomChange(random, home, tree, serial);
    const isTree = (change.verb === "copy" || change.verb === "delete") && kindOf(tree, change.path) === "directory";
    if (subject.wholeTrees !== false || !isTree) return change;
  }
}

async function apply(store: Store, change: Change): Promise<unknown> {
  switch (change.verb) {
    case "write": {
      const contentType = store.capabilities.writeContentType === false ? undefined : typeOf(change.body);
      const bytes = bodyOf(change.body);
      return store.write(change.path, change.streamed ? inPieces(bytes) : bytes, contentType === undefined ? {} : { contentType });
    }
    case "delete":
      return store.delete(change.path, { recursive: change.recursive });
    case "mkdir":
      return store.mkdir(change.path);
    case "move":
    case "copy":
      return store[change.verb](change.path, change.to);
  }
}

/** One file of this worker, read while the others work. */
async function look(store: Store, tree: Tree, random: () => number): Promise<void> {
  const files = [...tree].filter(([, body]) => body !== null);
  const [path, body] = files[Math.floor(random() * files.length)] ?? [];
  if (path === undefined || body === undefined || body === null) return;
  try {
    const bytes = await (await store.read(path)).bytes();
    if (!isBody(body, bytes)) say(`V read ${path} gave ${bytes.length} bytes that are not body ${body}`);
  } catch (error) {
    say(`V read ${path} failed: ${hasCode(error, "not-found") ? "nothing is there" : String(error)}`);
  }
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 16_384) yield bytes.slice(at, at + 16_384);
}

if (import.meta.main) await work(JSON.parse(process.argv[2] as string) as ChildTask);
