/** Which Node this is. An older one than we are made for lacks what is used below, and would fail in the middle of a call instead of before it. */
import { StoreError } from "./errors.ts";

const NEEDED = [22, 19] as const;

/** The one error of a Node that is too old; undefined: new enough, or another runtime, which tells its own version. */
export function tooOld({ node, bun, deno }: Readonly<Record<string, string | undefined>> = process.versions): StoreError | undefined {
  if (node === undefined || bun !== undefined || deno !== undefined) return undefined;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return undefined;
  return new StoreError("config", `Stratus needs Node ${NEEDED.join(".")} or newer, and this is Node ${node}`, { applied: false });
}
