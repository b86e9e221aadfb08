/** Random changes that mean something: made of what is there, so that most of them succeed. */
import { bodyNumber } from "./bodies.ts";
import * as tree from "./tree.ts";
import type { After, Tree } from "./tree.ts";

export type Change =
  | { readonly verb: "write"; readonly path: string; readonly body: number; readonly streamed: boolean }
  | { readonly verb: "delete"; readonly path: string; readonly recursive: boolean }
  | { readonly verb: "mkdir"; readonly path: string }
  | { readonly verb: "move" | "copy"; readonly path: string; readonly to: string };

/** What the contract says of it. */
export function after(before: Tree, change: Change): After {
  switch (change.verb) {
    case "write":
      return tree.write(before, change.path, change.body);
    case "delete":
      return tree.remove(before, change.path, change.recursive);
    case "mkdir":
      return tree.mkdir(before, change.path);
    case "move":
    case "copy":
      return tree.transfer(before, change.path, change.to, change.verb === "move");
  }
}

/** One change below `home`. `serial` is used for no other one. */
export function randomChange(random: () => number, home: string, before: Tree, serial: number): Change {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const anywhere = (): string => `${home}/${Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(["a", "b", "c", "d"])).join("/")}`;
  const there = [...before.keys()];
  const files = there.filter((path) => before.get(path) !== null);
  const dice = random();
  if (dice < 0.5) {
    // Half of them replace something. Sizes: mostly small ones.
    const path = (random() < 0.5 ? pick(files) : undefined) ?? anywhere();
    return { verb: "write", path, body: bodyNumber(serial, Math.floor(random() ** 1.5 * 8)), streamed: random() < 0.5 };
  }
  if (dice < 0.65) return { verb: "delete", path: pick(files) ?? anywhere(), recursive: false };
  if (dice < 0.71) return { verb: "delete", path: pick(there) ?? anywhere(), recursive: random() < 0.6 };
  if (dice < 0.77) return { verb: "mkdir", path: anywhere() };
  const to = random() < 0.3 ? (pick(files) ?? anywhere()) : anywhere();
  return { verb: dice < 0.9 ? "move" : "copy", path: pick(random() < 0.5 ? files : there) ?? anywhere(), to };
}
