/**
 * A store in the memory of this process: the reference that other providers are compared with, and the double for tests of applications.
 *
 *   const store = memory();
 *   const small = memory({ capacityBytes: 1 << 20 });          // a write beyond it rejects with `no-space`
 */
import { StoreError, createStore, systemClock } from "../../store/index.ts";
import type { Control, Injected, Layered, Store } from "../../store/index.ts";
import { Memory } from "./provider.ts";

export interface MemoryOptions extends Pick<Injected, "clock"> {
  /** Tells two of them apart in errors and reports. Default "memory". */
  readonly name?: string | undefined;
  /** Bytes of all files together; names and directories are free. Default: unlimited. */
  readonly capacityBytes?: number | undefined;
  /** Bytes of the largest file. Default: unlimited. */
  readonly maxFileBytes?: number | undefined;
}

/** Empty at first; what is in it ends with the process. Bytes are copied in and out, so nobody shares them. Throws `config` for a wrong size. */
export function memory(options: MemoryOptions = {}): Store & Layered<"memory", Control> {
  const { clock = systemClock, capacityBytes = Infinity, maxFileBytes = Infinity } = options;
  for (const [key, bytes] of Object.entries({ capacityBytes, maxFileBytes })) {
    if (typeof bytes !== "number" || !(bytes >= 0) || (bytes !== Infinity && !Number.isSafeInteger(bytes)))
      throw new StoreError("config", `${key} is a number of bytes, 0 or more`);
  }
  return createStore<"memory">(new Memory(clock, capacityBytes, maxFileBytes), { name: options.name });
}
