/**
 * Conditions as servers read them. The condition of RFC 4918 (`If`), not `If-Match`: Apache's `If-Match` fails for every file younger than about a second,
 * because its etag is weak that long, and `If` compares at once.
 */
import { StoreError } from "../../store/index.ts";

/** What an etag may hold inside its quotes (RFC 9110). Anything else was never given out by a server, and would end the quotes. */
const OPAQUE = /^[\x21\x23-\x7e]*$/;

export function conditionOf(etag: string): string {
  if (!OPAQUE.test(etag)) throw new StoreError("precondition-failed", "the file has another etag: no server gives out one like this", { applied: false });
  return `(["${etag}"])`;
}

/** For If-None-Match; undefined where no file can have it. Both forms where the server marks the etags of young files weak and takes the mark off later. */
export function validators(etag: string, kind: "strong" | "weak" | "none"): string | undefined {
  if (!OPAQUE.test(etag)) return undefined;
  return kind === "weak" ? `"${etag}", W/"${etag}"` : `"${etag}"`;
}
