/** Conditions as servers read them. */

/** What an etag may hold inside its quotes (RFC 9110). Anything else was never given out by a server, and would end the quotes. */
const OPAQUE = /^[\x21\x23-\x7e]*$/;

/** For If-None-Match; undefined where no file can have it. Both forms where the server marks the etags of young files weak and takes the mark off later. */
export function validators(etag: string, kind: "strong" | "weak" | "none"): string | undefined {
  if (!OPAQUE.test(etag)) return undefined;
  return kind === "weak" ? `"${etag}", W/"${etag}"` : `"${etag}"`;
}
