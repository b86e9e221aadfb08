/** Names as the service holds them, and which of them are one. */
import { StoreError, nameCodec } from "../../store/index.ts";
import type { NameCodec } from "../../store/index.ts";

/** Characters of a display name. */
const MAX_NAME = 16_383;
const TEMPORARY = /^\.stratus-[0-9a-z]{20}\.tmp$/i;

/** What XML 1.0 cannot hold, and what clients on other systems trip over. */
const UNHELD = `${String.fromCharCode(...Array.from({ length: 31 }, (_, i) => i + 1))}\u007f\ufffe\uffff`;

const codec: NameCodec = nameCodec({ any: UNHELD, reserved: isTemporary, fold: true });

export function isTemporary(native: string): boolean {
  return TEMPORARY.test(native);
}

export function temporaryName(random: () => number): string {
  return `.stratus-${Array.from({ length: 20 }, () => Math.floor(random() * 36).toString(36)).join("")}.tmp`;
}

/** @throws StoreError `invalid-path` for one that is too long */
export function encodeName(name: string): string {
  const native = codec.encode(name);
  if (native.length > MAX_NAME) throw new StoreError("invalid-path", `a name has at most ${MAX_NAME} characters here`, { applied: false });
  return native;
}

/** Null: no name of the store (a temporary file, or one that no path can hold), which is not listed and cannot be reached. */
export function decodeName(native: string): string | null {
  if (native === "" || native === "." || native === ".." || native.includes("/") || native.includes("\0") || !native.isWellFormed() || isTemporary(native))
    return null;
  return codec.decode(native);
}

/** Two names that differ in the case of letters are one. Character by character: what changes its length by folding ("ß") is left as it is. */
export function fold(native: string): string {
  const lower = native.toLowerCase();
  if (lower.length === native.length && /^[\0-\x7f]*$/.test(native)) return lower;
  return Array.from(native, (char) => (char.toLowerCase().length === char.length ? char.toLowerCase() : char)).join("");
}
