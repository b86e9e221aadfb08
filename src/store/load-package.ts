/** SDKs are optional peer dependencies: loaded when a store is opened, so that who does not use a service does not install its package. */
import { StoreError } from "./errors.ts";

/**
 * Loads it once. `needs`: "the WebDAV provider". `load` has the `import` itself, for its types. The promise rejects with `config` where the package is not
 * installed, and it is asked for again next time.
 */
export function packageLoader<T>(needs: string, name: string, load: () => Promise<unknown>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () =>
    (loaded ??= load().then(
      (module) => module as T,
      (cause: unknown) => {
        loaded = undefined;
        const { code } = (cause ?? {}) as { code?: unknown };
        const reason = code === "ERR_MODULE_NOT_FOUND" ? `${needs} needs the package ${name}` : `the package ${name} cannot be loaded`;
        throw new StoreError("config", `${reason}: npm install ${name}`, { cause });
      },
    ));
}
