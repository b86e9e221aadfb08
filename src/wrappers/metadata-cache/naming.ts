/** Which names are one: the keys of the tree on services that fold case or Unicode forms. */
import { root } from "../../store/index.ts";
import type { Capabilities, StorePath } from "../../store/index.ts";

export interface Naming {
  /** Every path is its own key. */
  readonly exact: boolean;
  /** The path by which things are remembered. Undefined: nothing is remembered of it. */
  key(path: StorePath): StorePath | undefined;
  /** The part of the path that has a key: what a change of a path without one concerns, with everything below. */
  nearest(path: StorePath): StorePath;
}

const exact: Naming = { exact: true, key: (path) => path, nearest: (path) => path };

/**
 * How a service folds letters beyond ASCII cannot be told exactly: two tables of Unicode give two answers, and one name too many in the memory would be a wrong answer.
 * So there only paths in plain ASCII are remembered, in lower case where the service does not tell case apart. A name beyond ASCII may fold to one within
 * (the Kelvin sign is a "k"): its change concerns the whole directory.
 */
export function namingOf({ caseSensitive, normalisation }: Capabilities): Naming {
  if (caseSensitive && normalisation === "kept") return exact;
  const fold = (path: StorePath): StorePath => (caseSensitive ? path : (path.toLowerCase() as StorePath));
  return {
    exact: false,
    key: (path) => (ASCII.test(path) ? fold(path) : undefined),
    nearest(path) {
      if (ASCII.test(path)) return fold(path);
      const end = path.lastIndexOf("/", path.search(BEYOND));
      return end <= 0 ? root : fold(path.slice(0, end) as StorePath);
    },
  };
}

const ASCII = /^[\x01-\x7f]*$/;
const BEYOND = /[^\x01-\x7f]/;
