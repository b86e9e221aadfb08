/** Programs: what a user, the remote and bad luck do, as plain data that shrinks and can be frozen; and how random ones are made. */
import fc from "fast-check";
import type { Ending, Shape } from "./remote.ts";
import type { Size } from "./versions.ts";

/** Calls of the user that change something. */
export type Change =
  | { readonly do: "write"; readonly path: string; readonly size: Size; readonly streamed?: boolean }
  | { readonly do: "delete"; readonly path: string; readonly recursive: boolean }
  | { readonly do: "mkdir"; readonly path: string }
  | { readonly do: "move" | "copy"; readonly path: string; readonly to: string };
export type Command =
  | Change
  /** Two calls at once: whichever comes first. */
  | { readonly do: "both"; readonly first: Change; readonly second: Change }
  | { readonly do: "read" | "stat" | "list" | "evict" | "refresh"; readonly path: string }
  /** Everything that can be seen, once. */
  | { readonly do: "look" }
  | { readonly do: "flush" }
  | { readonly do: "wait"; readonly ms: number }
  /** How the request number `at` (modulo those that wait) ends. */
  | { readonly do: "net"; readonly at: number; readonly how: Ending }
  /** So many requests are answered well, oldest first. */
  | { readonly do: "serve"; readonly requests: number }
  | { readonly do: "late"; readonly at: number }
  /** The next questions to the remote fail. */
  | { readonly do: "deaf"; readonly questions: number }
  /** The process is killed now and started again, on what is in its directory. */
  | { readonly do: "crash" }
  /** It is killed at the n-th crash point from now on (src/wrappers/caching/steps.ts), whichever that is. */
  | { readonly do: "crash-at"; readonly point: number }
  /** The power fails: what was not flushed is gone. */
  | { readonly do: "power" }
  /** It fails at the n-th crash point from now on. */
  | { readonly do: "power-at"; readonly point: number };

export interface Setup {
  readonly shape: Shape;
  /** What is at the remote before, by number (`seeds`). */
  readonly seed: number;
  readonly unknownPaths: "ask" | "trust";
  readonly freshMs: number;
  readonly cacheBytes: number;
  readonly mode: "write-back" | "write-through";
}
export interface Program {
  readonly setup: Setup;
  readonly commands: readonly Command[];
}

export const seeds: readonly (readonly string[])[] = [[], ["/a/x", "/a/b", "/b"], ["/a/a/a", "/a/b/c", "/b/a", "/c/"]];
export const plainShape: Shape = { conditions: true, trees: true, transfers: true, etags: true, hashes: false, movesChangeEtags: true };
export const plainSetup: Setup = { shape: plainShape, seed: 0, unknownPaths: "ask", freshMs: 60_000, cacheBytes: 1_000_000, mode: "write-back" };

const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);
const size = fc.constantFrom<Size>("small", "small", "small", "small", "empty", "empty", "large", "large");
const write = fc.record({ do: fc.constant("write" as const), path, size, streamed: fc.boolean() });
const remove = fc.record({ do: fc.constant("delete" as const), path, recursive: fc.boolean() });
const mkdir = fc.record({ do: fc.constant("mkdir" as const), path });
const transfer = fc.record({ do: fc.constantFrom("move" as const, "move" as const, "copy" as const), path, to: path });
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: write },
  { weight: 3, arbitrary: remove },
  { weight: 2, arbitrary: mkdir },
  { weight: 6, arbitrary: transfer },
);
const ending = fc.constantFrom<Ending>("ok", "ok", "ok", "applied", "failed", "lost", "lost", "lost-applied");

interface Weight {
  readonly weight: number;
  readonly arbitrary: fc.Arbitrary<Command>;
}
const calls: readonly Weight[] = [
  { weight: 17, arbitrary: change },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("both" as const), first: change, second: change }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("read" as const, "stat" as const, "list" as const), path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("evict" as const, "refresh" as const), path }) },
  { weight: 1, arbitrary: fc.constant({ do: "look" as const }) },
];
const faults: readonly Weight[] = [
  { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(0, 500, 1000, 1000, 2500, 6000, 11_000) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("net" as const), at: fc.nat(5), how: ending }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("serve" as const), requests: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("late" as const), at: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deaf" as const), questions: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "flush" as const }) },
];
const crashes: readonly Weight[] = [
  { weight: 1, arbitrary: fc.constant({ do: "crash" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash-at" as const), point: fc.integer({ min: 1, max: 12 }) }) },
];
const powers: readonly Weight[] = [
  { weight: 2, arbitrary: fc.constant({ do: "power" as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("power-at" as const), point: fc.integer({ min: 1, max: 12 }) }) },
];

/** Most services differ in one thing from the plain one. */
const shape: fc.Arbitrary<Shape> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(plainShape) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<Partial<Shape>>(
        { conditions: false },
        { trees: false },
        { transfers: false, trees: false },
        { movesChangeEtags: false },
        { hashes: true },
        { conditions: false, trees: false },
        { etags: false },
      )
      .map((change) => ({ ...plainShape, ...change })),
  },
  {
    weight: 1,
    arbitrary: fc.record<Shape>({
      conditions: fc.boolean(),
      trees: fc.boolean(),
      transfers: fc.boolean(),
      etags: fc.boolean(),
      hashes: fc.boolean(),
      movesChangeEtags: fc.boolean(),
      pageSize: fc.constantFrom(1000, 1000, 2),
    }),
  },
);
const setup: fc.Arbitrary<Setup> = fc.record<Setup>({
  shape,
  seed: fc.nat(seeds.length - 1),
  unknownPaths: fc.constantFrom("ask", "trust"),
  freshMs: fc.constantFrom(60_000, 60_000, 0, 3000),
  cacheBytes: fc.constantFrom(1_000_000, 1_000_000, 0, 300),
  mode: fc.constant("write-back"),
});

/** What may happen in a program. `faults`: at the remote; `crashes`: kills; `power`: power failures. */
export type Luck = "none" | "faults" | "crashes" | "power";

export function programs(luck: Luck, lengths: { readonly max?: number; readonly setup?: fc.Arbitrary<Setup> } = {}): fc.Arbitrary<Program> {
  const kinds = [...calls, ...(luck === "none" ? [] : faults), ...(luck === "crashes" || luck === "power" ? crashes : []), ...(luck === "power" ? powers : [])];
  return fc.record<Program>({
    setup: lengths.setup ?? setup,
    commands: fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: lengths.max ?? 40, size: "max" }),
  });
}

/**
 * Short ones about one file, or one directory with a file, that is there from the start, and one other place: what takes six steps with one file comes once in
 * millions of the others. Half of them begin with what was seen and is out of date.
 */
export function pairs(luck: Luck): fc.Arbitrary<Program> {
  const place = fc.constantFrom("/c", "/c/a", "/a/c", "/a/b", "/b", "/b/c");
  return fc.tuple(setup, fc.constantFrom("/b", "/a", "/a/b"), place, fc.boolean(), fc.boolean()).chain(([rest, from, to, inside, seen]) => {
    const names: readonly [string, string] = inside || from === "/a" ? [`${from}/b`, `${to}/b`] : [from, to];
    const start: readonly Command[] = seen
      ? [
          { do: "read", path: names[0] },
          { do: "wait", ms: 11_000 },
        ]
      : [];
    return fc.record<Program>({
      setup: fc.constant({ ...rest, seed: 1, freshMs: Math.min(rest.freshMs, 3000) }),
      commands: fc.array(pairCommand(from, to, names, luck), { minLength: 1, maxLength: 7, size: "max" }).map((commands) => [...start, ...commands]),
    });
  });
}

function pairCommand(from: string, to: string, names: readonly [string, string], luck: Luck): fc.Arbitrary<Command> {
  const name = fc.constantFrom(...names);
  const top = fc.constantFrom(from, to);
  const transfer = (one: string, other: string): fc.Arbitrary<Command> =>
    fc.record({ do: fc.constantFrom("copy" as const, "move" as const), path: fc.constant(one), to: fc.constant(other) });
  return fc.oneof(
    { weight: 4, arbitrary: transfer(from, to) },
    { weight: 1, arbitrary: transfer(to, from) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("write" as const),
        path: name,
        size: fc.constantFrom<Size>("small", "small", "empty"),
        streamed: fc.constant(false),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), path: top, recursive: fc.constant(true) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("mkdir" as const), path: top }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("read" as const, "stat" as const, "list" as const), path: fc.constantFrom(...names, from, to) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("evict" as const, "refresh" as const), path: name }) },
    { weight: 3, arbitrary: fc.constant({ do: "flush" as const }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1000, 11_000) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("net" as const), at: fc.nat(1), how: ending }) },
    { weight: 1, arbitrary: fc.constant({ do: "deaf" as const, questions: 1 }) },
    ...(luck === "crashes" ? crashes : []),
  );
}
