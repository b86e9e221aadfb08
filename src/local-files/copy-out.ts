/** A local file to where its user wants it. */
import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { copyFile } from "./digest.ts";

/** Whole, flushed and of the right hash, or nothing new there. What goes wrong with the target is told by Node's own error. @throws what `damaged` gives where the bytes have another hash */
export async function copyOut(from: string, target: string, sha256: string | null, damaged: () => Error, signal: AbortSignal | undefined): Promise<void> {
  const temporary = `${target}.stratus-${randomBytes(8).toString("hex")}.tmp`;
  try {
    // Hashed again on its way: the local file was right a moment ago, and that is not now.
    if ((await copyFile(from, temporary, signal)) !== sha256) throw damaged();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
