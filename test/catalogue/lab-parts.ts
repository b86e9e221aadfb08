/** What the labs of pool and repository are made of: stores in memory that fail when told, and places for catalogues. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Catalogue } from "../../src/catalogue/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { stack } from "../../src/store/index.ts";
import type { Call, Store } from "../../src/store/index.ts";
import type { InjectedFault } from "../../src/wrappers/fault.ts";
import { fault } from "../../src/wrappers/index.ts";

export interface FaultyStore {
  /** Below the faults. */
  readonly base: Store;
  readonly store: Store;
  /** What happens to a call; undefined: nothing. */
  fault: ((call: Call) => InjectedFault | undefined) | undefined;
  readonly calls: string[];
  /** Paths of all files there. */
  files(): Promise<string[]>;
}

export function faultyStore(): FaultyStore {
  const base = memory();
  const made: FaultyStore = {
    base,
    store: stack(
      base,
      fault({
        rules: (call) => {
          made.calls.push(call.operation);
          return made.fault?.(call);
        },
      }),
    ),
    fault: undefined,
    calls: [],
    files: async () => (await base.list("/", { recursive: true }).toArray()).filter(({ kind }) => kind === "file").map(({ path }) => path),
  };
  return made;
}

export const down = (): InjectedFault => ({ code: "unavailable" });

/** Catalogues by name, anew for each lab. */
export type Places = () => (name: string) => Catalogue;

export const sha = (body: string | Uint8Array): string => createHash("sha256").update(body).digest("hex");

/** What it fails with. */
export async function failureOf<F>(work: Promise<unknown>): Promise<F> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error, "it succeeded").toBeInstanceOf(Error);
  return error as F;
}
