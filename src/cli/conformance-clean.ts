/**
 * `stratus conformance clean <module>`: removes what a killed run left in a user's store. Only directories in the root whose names have exactly the
 * form that the suite gives them, and that are old enough that no run can still be using them. Without --yes it only says which.
 */
import { parseArgs } from "node:util";
import { madeAt } from "../conformance/index.ts";
import { removeChildren } from "../conformance/clean-up.ts";
import { nameOf } from "../store/index.ts";
import { loadSubject } from "./load-subject.ts";
import { UsageError } from "./usage.ts";

const hourMs = 3_600_000;

export async function clean(args: readonly string[]): Promise<number> {
  let values;
  let positionals;
  try {
    ({ values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: { hours: { type: "string", default: "6" }, yes: { type: "boolean", default: false } },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const [module, ...more] = positionals;
  if (module === undefined || more.length > 0) throw new UsageError("stratus conformance clean <module> [--hours 6] [--yes]");
  const hours = Number(values.hours);
  if (values.hours.trim() === "" || !Number.isFinite(hours) || hours < 1)
    throw new UsageError("--hours must be a number of at least 1: a younger place may be in use");
  const { base } = await loadSubject(module);
  if (base === undefined)
    throw new UsageError(`${module} chooses its places itself, so only it knows where they are: export a function of nothing to clean up in a store`);

  await using store = await base();
  const before = Date.now() - hours * hourMs;
  const old = (await store.list("/").toArray()).filter(({ kind, path }) => kind === "directory" && (madeAt(nameOf(path)) ?? Infinity) < before);
  for (const { path } of old) {
    process.stdout.write(`${values.yes ? "removed" : "would remove"} ${path}\n`);
    if (!values.yes) continue;
    if (store.capabilities.deleteRecursive === false) await removeChildren(store, path);
    await store.delete(path, store.capabilities.deleteRecursive === false ? {} : { recursive: true });
  }
  process.stdout.write(old.length === 0 ? `nothing older than ${hours} hours\n` : values.yes ? "" : "--yes removes them\n");
  return 0;
}
