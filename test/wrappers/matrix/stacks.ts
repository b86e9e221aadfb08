/** The stacks of the matrix, as data: each wrapper alone and doubled, the ordered pairs, and those that are used in production. */
import type { Place, Subject } from "../../../src/conformance/index.ts";
import type { Layer } from "../../../src/store/index.ts";
import { layersOf, nameOf, wrapperNames } from "./layers.ts";
import type { WrapperName } from "./layers.ts";

export type Stacks = Readonly<Record<string, (place: Place) => readonly Layer[]>>;

/** Innermost first. */
export function stacksOf(lists: readonly (readonly WrapperName[])[], below: (place: Place) => readonly Layer[] = () => []): Stacks {
  return Object.fromEntries(lists.map((names) => [nameOf(names), (place: Place) => [...below(place), ...layersOf(names)(place)]]));
}

/** What cannot stand on what: an archive is made of writes. It is refused when the stack is made, and stacks.test.ts proves that. */
export function isRefused(inner: WrapperName, outer: WrapperName): boolean {
  return inner === "readOnly" && outer === "archive";
}

/** Every wrapper over each of these, itself included. */
export function pairsOver(inners: readonly WrapperName[]): (readonly WrapperName[])[] {
  return inners.flatMap((inner) => wrapperNames.filter((outer) => !isRefused(inner, outer)).map((outer) => [inner, outer]));
}

/** Innermost first, on whatever service. */
export const production: readonly (readonly WrapperName[])[] = [
  ["caching"],
  ["metadataCache"],
  ["archive"],
  ["archive", "caching"],
  ["archive", "caching", "stats"],
  ["archive", "caching", "metadataCache", "stats"],
  ["limit", "retry", "archive", "caching", "metadataCache", "stats"],
  ["limit", "timeout", "retry", "caching", "stats"],
  ["limit", "retry", "prefix", "metadataCache", "log"],
  ["throttle", "limit", "timeout", "retry", "metadataCache", "readOnly", "stats"],
];

/** With the cache as it is used, written back: what one user has written is seen by others of the same stack, by other stacks after the upload (shared.ts). */
export const writtenBack: readonly (readonly WrapperName[])[] = [["cachingBack"], ["archive", "cachingBack", "metadataCache", "stats"]];

