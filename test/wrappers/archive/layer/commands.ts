/** Steps of a program for the real layer, in the words of its callers, and how they are drawn. */
import fc from "fast-check";
import type { Outcome } from "./service.ts";

export type Verb = "write" | "large" | "delete" | "delete-tree" | "mkdir" | "copy" | "move";
/** How many minutes ago a listing sees the k-th object. */
export type Stale = readonly number[];
export type Command =
  /** A call, alone or into the open group; sent at once unless `wait`. `fly`: its upload waits for what becomes of it. */
  | {
      readonly do: "call";
      readonly i: number;
      readonly verb: Verb;
      readonly path: string;
      readonly to: string;
      readonly wait: boolean;
      readonly fly: boolean;
      readonly stale: Stale;
    }
  | { readonly do: "flush"; readonly i: number; readonly fly: boolean; readonly stale: Stale }
  | { readonly do: "read"; readonly i: number; readonly path: string; readonly stale: Stale }
  | { readonly do: "net"; readonly k: number; readonly how: Outcome }
  | { readonly do: "late"; readonly k: number }
  /** From now on nothing of it leaves, or again everything does. */
  | { readonly do: "link"; readonly i: number; readonly down: boolean }
  | { readonly do: "refresh"; readonly i: number; readonly stale: Stale; readonly half: boolean }
  | { readonly do: "repack"; readonly i: number; readonly mask: number; readonly fly: boolean; readonly stale: Stale }
  | { readonly do: "collect"; readonly i: number; readonly fly: boolean; readonly stale: Stale }
  | { readonly do: "adopt"; readonly i: number; readonly k: number; readonly stale: Stale }
  | { readonly do: "crash"; readonly i: number; readonly wipe: "" | "index" | "everything" }
  | { readonly do: "time"; readonly minutes: number; readonly stale: Stale };

const path = fc.constantFrom("/p", "/q", "/d", "/d/p", "/d/q");
const i = fc.nat(2);
const stale = fc.array(fc.nat(2), { minLength: 1, maxLength: 4 });
const seldom = fc.constantFrom(false, false, false, true);
const is = <const T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);
type Of<D extends Command["do"]> = Extract<Command, { readonly do: D }>;
const command = <T extends Command>(weight: number, shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): { weight: number; arbitrary: fc.Arbitrary<Command> } => ({
  weight,
  arbitrary: fc.record(shape) as unknown as fc.Arbitrary<Command>,
});

const verb = fc.constantFrom<Verb>("write", "write", "write", "large", "delete", "delete", "delete-tree", "mkdir", "copy", "copy", "move", "move");
const minutes = fc.constantFrom(0, 1, 2, 3, 5, 12, 28, 28, 56);

const any: fc.Arbitrary<Command> = fc.oneof(
  command<Of<"call">>(20, { do: is("call"), i, verb, path, to: path, wait: seldom, fly: seldom, stale }),
  command<Of<"flush">>(2, { do: is("flush"), i, fly: seldom, stale }),
  command<Of<"read">>(3, { do: is("read"), i, path, stale }),
  command<Of<"net">>(8, { do: is("net"), k: fc.nat(4), how: fc.constantFrom<Outcome>("ok", "ok", "ok", "applied", "refused", "denied", "lost", "lost") }),
  command<Of<"late">>(3, { do: is("late"), k: fc.nat(3) }),
  command<Of<"link">>(2, { do: is("link"), i, down: fc.boolean() }),
  command<Of<"refresh">>(5, { do: is("refresh"), i, stale, half: seldom }),
  command<Of<"repack">>(8, { do: is("repack"), i, mask: fc.integer({ min: 1, max: 255 }), fly: seldom, stale }),
  command<Of<"collect">>(6, { do: is("collect"), i, fly: seldom, stale }),
  command<Of<"adopt">>(1, { do: is("adopt"), i, k: fc.nat(3), stale }),
  command<Of<"crash">>(2, { do: is("crash"), i, wipe: fc.constantFrom("", "", "index", "everything") }),
  command<Of<"time">>(8, { do: is("time"), minutes, stale }),
);

export function layerPrograms(length: number): fc.Arbitrary<Command[]> {
  return fc.array(any, { minLength: 1, maxLength: length, size: "max" });
}
