/** Steps of a program, and how they are drawn. */
import fc from "fast-check";
import type { Op } from "./seal.ts";

export type Stale = readonly number[];
export type Command =
  /** An operation joins the open group. */
  | { readonly do: "op"; readonly i: number; readonly op: Op["op"]; readonly path: string; readonly to: string }
  /** Seals and sends it. */
  | { readonly do: "seal"; readonly i: number; readonly stale: Stale }
  /** One operation in a group of its own, stored at once unless `fly`. */
  | {
      readonly do: "now";
      readonly i: number;
      readonly op: Op["op"];
      readonly path: string;
      readonly to: string;
      readonly refresh: boolean;
      readonly fly: boolean;
      readonly stale: Stale;
    }
  | { readonly do: "solo"; readonly i: number; readonly path: string; readonly end: boolean; readonly stale: Stale }
  /** What becomes of the k-th request in flight. */
  | { readonly do: "net"; readonly k: number; readonly how: "ok" | "applied" | "refused" | "lost" | "ok-crash" }
  /** A request that was given up lands. */
  | { readonly do: "late"; readonly k: number }
  | { readonly do: "refresh"; readonly i: number; readonly stale: Stale; readonly half: boolean }
  | { readonly do: "listing"; readonly i: number; readonly stale: Stale; readonly end: boolean }
  | { readonly do: "repack"; readonly i: number; readonly mask: number; readonly fly: boolean; readonly stale: Stale }
  | { readonly do: "collect"; readonly i: number; readonly stale: Stale }
  /** Time, collect, time, collect, and the deletes are done unless `fly`. */
  | { readonly do: "clean"; readonly i: number; readonly before: number; readonly between: number; readonly fly: boolean; readonly stale: Stale }
  | { readonly do: "take"; readonly i: number; readonly path: string; readonly stale: Stale }
  | { readonly do: "claim"; readonly i: number; readonly k: number; readonly stale: Stale }
  /** Claims an installation that runs, against the rules of the person who does it. */
  | { readonly do: "claim-living"; readonly i: number; readonly of: number; readonly stale: Stale }
  | { readonly do: "crash"; readonly i: number }
  | { readonly do: "wipe"; readonly i: number; readonly stale: Stale }
  | { readonly do: "time"; readonly steps: number };

/** Two files side by side, and a directory with two more; enough for every rule of the tree. */
const paths = fc.constantFrom("/p", "/q", "/d", "/d/p", "/d/q");
const flat = fc.constantFrom("/p", "/q", "/r");
const who = fc.nat(2);
const stale = fc.array(fc.nat(2), { minLength: 1, maxLength: 4 });
const fly = fc.constantFrom(false, false, true);
const ops = fc.constantFrom<Op["op"]>("write", "write", "write", "delete", "delete", "delete-tree", "mkdir", "copy", "copy", "move", "move");
const flatOps = fc.constantFrom<Op["op"]>("write", "write", "delete", "copy", "move");
const command = <T extends Command>(weight: number, shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): { weight: number; arbitrary: fc.Arbitrary<Command> } => ({
  weight,
  arbitrary: fc.record(shape) as unknown as fc.Arbitrary<Command>,
});
const is = <const T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);
type Of<D extends Command["do"]> = Extract<Command, { readonly do: D }>;

function commands(path: fc.Arbitrary<string>, op: fc.Arbitrary<Op["op"]>, loss: number): fc.Arbitrary<Command> {
  return fc.oneof(
    command<Of<"now">>(16, { do: is("now"), i: who, op, path, to: path, refresh: fc.boolean(), fly, stale }),
    command<Of<"op">>(3, { do: is("op"), i: who, op, path, to: path }),
    command<Of<"seal">>(3, { do: is("seal"), i: who, stale }),
    command<Of<"solo">>(3, { do: is("solo"), i: who, path, end: fc.boolean(), stale }),
    command<Of<"net">>(10, { do: is("net"), k: fc.nat(4), how: fc.constantFrom("ok", "ok", "ok", "applied", "refused", "lost", "ok-crash") }),
    command<Of<"late">>(3, { do: is("late"), k: fc.nat(3) }),
    command<Of<"refresh">>(4, { do: is("refresh"), i: who, stale, half: fc.constantFrom(false, false, false, true) }),
    command<Of<"listing">>(3, { do: is("listing"), i: who, stale, end: fc.boolean() }),
    command<Of<"repack">>(10, { do: is("repack"), i: who, mask: fc.integer({ min: 1, max: 255 }), fly, stale }),
    command<Of<"collect">>(5, { do: is("collect"), i: who, stale }),
    command<Of<"clean">>(8, { do: is("clean"), i: who, before: fc.constantFrom(0, 5, 13, 26), between: fc.constantFrom(0, 5, 12, 13, 26), fly, stale }),
    command<Of<"take">>(3 * loss, { do: is("take"), i: who, path, stale }),
    command<Of<"claim">>(2 * loss, { do: is("claim"), i: who, k: fc.nat(3), stale }),
    command<Of<"claim-living">>(loss, { do: is("claim-living"), i: who, of: who, stale }),
    command<Of<"crash">>(2 * loss, { do: is("crash"), i: who }),
    command<Of<"wipe">>(loss, { do: is("wipe"), i: who, stale }),
    command<Of<"time">>(5, { do: is("time"), steps: fc.constantFrom(1, 2, 3, 5, 12, 13, 26) }),
  );
}

export interface Drawn {
  /** Steps at most. */
  readonly length: number;
  /** `flat` has three files and no directories, which finds what is not about trees sooner. */
  readonly kind: "flat" | "tree";
  /** How many times as often as usual processes and indexes are lost and writers claimed. Default 1. */
  readonly loss?: number;
}

export function programs({ length, kind, loss = 1 }: Drawn): fc.Arbitrary<Command[]> {
  return fc.array(kind === "flat" ? commands(flat, flatOps, loss) : commands(paths, ops, loss), { minLength: 1, maxLength: length, size: "max" });
}
