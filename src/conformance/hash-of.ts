import { hasher } from "../store/index.ts";
import type { HashName } from "../store/index.ts";

/** Of bytes that are in memory: lower-case hex. */
export function hashOf(name: HashName, bytes: Uint8Array): string {
  const hash = hasher(name);
  hash.update(bytes);
  return hash.hex();
}
