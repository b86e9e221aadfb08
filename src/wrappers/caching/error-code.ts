/** "ENOENT", "SQLITE_FULL"; "" for an error without one. */
export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}
