/** Values as short text for failure messages and reports: bytes by length and surroundings, errors by code, long text cut. */
import { inspect } from "node:util";
import { StoreError } from "../store/index.ts";
import type { Entry } from "../store/index.ts";

const longest = 600;

/** One value, at most some hundred characters. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes, ${showBytes(value, 0)}`;
  if (StoreError.is(value))
    return cut(
      `StoreError ${value.code}, applied ${String(value.applied)}: ${value.message}${value.cause === undefined ? "" : ` (cause: ${causeText(value.cause)})`}`,
    );
  if (value instanceof Error) return cut(`${value.name}: ${value.message}${value.cause === undefined ? "" : ` (cause: ${causeText(value.cause)})`}`);
  if (isEntry(value)) return entryText(value);
  if (typeof value === "string") return cut(JSON.stringify(value));
  return cut(inspect(value, { depth: 4, breakLength: Infinity, maxArrayLength: 20, maxStringLength: 200, sorted: false }));
}

/** The bytes around one position, as text where they are printable. */
export function showBytes(bytes: Uint8Array, at: number): string {
  const from = Math.max(0, at - 8);
  const part = bytes.subarray(from, from + 32);
  const text = Array.from(part, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
  ).join("");
  return part.length === 0 ? `nothing at byte ${at}` : `from byte ${from}: "${text}"${from + part.length < bytes.length ? "…" : ""}`;
}

/** Entries without what they do not say: eleven members are too many for a line. */
function entryText(entry: Entry): string {
  const told = Object.entries(entry).filter(
    ([key, member]) => member !== null && key !== "complete" && !(typeof member === "object" && Object.keys(member as object).length === 0),
  );
  return `${inspect(Object.fromEntries(told), { breakLength: Infinity })}${entry.complete ? "" : " (incomplete)"}`;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && "path" in value && "kind" in value && "complete" in value && "hashes" in value;
}

function cut(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;
}

function causeText(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : inspect(cause, { depth: 1, breakLength: Infinity });
}
