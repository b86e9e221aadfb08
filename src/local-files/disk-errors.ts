/** Errors of a local disk in our codes. */
import { StoreError } from "../store/index.ts";

/** Undefined where it has none. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}

/** For `catch`: undefined where nothing is there. */
export function absent(error: unknown): undefined {
  if (codeOf(error) === "ENOENT") return undefined;
  throw error;
}

export type OnDisk = <T>(work: () => Promise<T>) => Promise<T>;

/** `directory` is what messages call it. @throws StoreError `no-space`, `config`, `unavailable` for errors of the disk; others as they are */
export function onDiskOf(directory: string): OnDisk {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (StoreError.is(error)) throw error;
      const code = codeOf(error);
      const details = { cause: error, applied: false, transient: false } as const;
      if (code === "ENOSPC" || code === "EDQUOT") throw new StoreError("no-space", `the disk of the ${directory} is full`, details);
      if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR")
        throw new StoreError("config", `the ${directory} cannot be written`, details);
      if (code?.startsWith("E") === true) throw new StoreError("unavailable", `the disk of the ${directory} fails`, details);
      throw error;
    }
  };
}
