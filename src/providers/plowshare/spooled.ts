/** The body of a write as a file that plowup can read, with its size and hash. */
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { abortError } from "../../store/index.ts";
import type { Source } from "../../store/index.ts";

export interface Spooled {
  readonly directory: string;
  /** Letters and digits: no command misreads it, and no host learns the name of the file. */
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export async function spooled(body: Source, directory: string, random: () => number, signal: AbortSignal | undefined): Promise<Spooled & AsyncDisposable> {
  const name = `${freshName(random)}.bin`;
  const remove = (): Promise<void> => rm(join(directory, name), { force: true });
  try {
    return { ...(await filled(body, directory, name, signal)), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function filled(body: Source, directory: string, name: string, signal: AbortSignal | undefined): Promise<Spooled> {
  const hash = createHash("sha256");
  let size = 0;
  await using stream = body.open();
  await using file = await open(join(directory, name), "wx", 0o600);
  for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    hash.update(chunk);
    size += chunk.byteLength;
    // Done with it before the next one is asked for: its source may fill the same memory again.
    for (let at = 0; at < chunk.byteLength;) at += (await file.write(chunk, at)).bytesWritten;
  }
  if (signal?.aborted === true) throw abortError(signal, { applied: false });
  return { directory, name, size, sha256: hash.digest("hex") };
}

export function freshName(random: () => number): string {
  return Array.from({ length: 20 }, () => "abcdefghijklmnopqrstuvwxyz0123456789".charAt(Math.floor(random() * 36))).join("");
}
