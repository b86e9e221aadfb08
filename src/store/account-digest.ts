/** For the identity of a store whose account is known by a secret alone: tells accounts apart and nothing of the secret, which is long and random. Not for authors. */
import { createHash } from "node:crypto";

export function accountDigest(secret: string): string {
  return createHash("sha256").update(`account ${secret}`).digest("base64url").slice(0, 22);
}
