/**
 * Names as Drive keeps them, and as segments of paths.
 *
 * Drive takes any text for a name: "a/b", ".", "" included. Those are shown with tokens and asked for by them; all others are the same on both sides.
 */
import { StoreError, nameCodec } from "../../store/index.ts";

/** Drive states no limit. This one keeps a query with the name in it, percent-encoded, within what Google's front ends take as a request line. */
export const MAX_NAME_BYTES = 1000;

/** The roles are exchanged here: what a path cannot hold is written as a token. */
const outward = nameCodec({ any: "/\0", reserved: (name) => name === "." || name === "..", empty: true });
/** And in their usual places here: a user's file that is named like one of ours on its way is stored under another name. */
const inward = nameCodec({ reserved: isTemporary });

/** As a segment of a path. */
export function shown(native: string): string {
  return outward.encode(inward.decode(native));
}

/** @throws StoreError `invalid-path` for what is too long; nothing was asked by then */
export function native(segment: string): string {
  const name = inward.encode(outward.decode(segment));
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new StoreError("invalid-path", `a name has at most ${MAX_NAME_BYTES} bytes in UTF-8`, { applied: false });
  return name;
}

/** Files on their way to a directory that is not there yet. */
const TEMPORARY = /^\.stratus-[0-9a-z]{20}\.tmp$/;

export function temporaryName(random: () => number): string {
  return `.stratus-${Array.from({ length: 20 }, () => Math.floor(random() * 36).toString(36)).join("")}.tmp`;
}

/** Not a user's, and so not shown. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}
