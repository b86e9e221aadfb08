/** The file that says whose a directory is: whole or not there. */
import { open, readFile, rename } from "node:fs/promises";
import { StoreError } from "../store/index.ts";
import { codeOf } from "./disk-errors.ts";
import type { OnDisk } from "./disk-errors.ts";

/** Undefined where there is none. @throws StoreError `config` where it cannot be read; `directory` is what the message calls it */
export async function readMarker(path: string, directory: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new StoreError("config", `the ${directory} cannot be read`, { cause: error, applied: false });
  });
}

/** By way of `<path>.new`. The name is durable after the directory was flushed, as `LocalFiles.prepare` does. */
export function writeMarker(onDisk: OnDisk, path: string, text: string): Promise<void> {
  return onDisk(async () => {
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  });
}
