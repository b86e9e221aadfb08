/** What a server asks for with 401: the header WWW-Authenticate read into challenges (RFC 9110, section 11). */
export interface Challenge {
  /** Lower case: "basic", "digest", "bearer". */
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

/** All challenges, in the order of the header; several may stand in one. What cannot be read is left out. */
export function parseChallenges(header: string | null | undefined): Challenge[] {
  const found: { scheme: string; params: Record<string, string> }[] = [];
  const piece = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;
  for (const [whole, name = "", quoted, bare] of (header ?? "").matchAll(piece)) {
    if (!whole.includes("=")) found.push({ scheme: name.toLowerCase(), params: {} });
    else {
      const current = found.at(-1);
      if (current !== undefined) current.params[name.toLowerCase()] = quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/g, "$1");
    }
  }
  return found;
}
