/** The caller of a command was wrong: shown as one line, without a stack, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
