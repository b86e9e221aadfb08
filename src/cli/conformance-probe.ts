/** `stratus conformance probe <module>`: compares what a store declares with what it does. */
import { UsageError } from "./usage.ts";

export async function probe(args: readonly string[]): Promise<number> {
  throw new UsageError(`not yet: ${args.join(" ")}`);
}
