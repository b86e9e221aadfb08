/**
 * `stratus pool <command> <module> [...]`: a pool that a module opens.
 *
 *   // my-pool.ts
 *   export default () => Pool.open({ catalogue: sqliteCatalogue({ file: "pool.db" }), directory: "cache", capacityBytes: 10e9, hosts: { a, b, c } });
 */
import { PoolError } from "../pool/index.ts";
import type { Pool } from "../pool/index.ts";
import { StoreError } from "../store/index.ts";
import { askedFor, functionOf, told, usageOf } from "./commands.ts";
import type { Refusal } from "./commands.ts";
import { poolCommands } from "./pool-commands.ts";
import { UsageError } from "./usage.ts";

const help = `stratus pool <command> <module> [...]      files by their hash on several hosts

<module> exports, as \`default\`, a function that opens a Pool; it is closed at the end.

${usageOf(poolCommands)}

  --json                    the result as one line of JSON
exit code: 0 done; 1 done, and something is short, failed or lost, or the pool refused; 2 it could not be run
`;

const options = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  deep: { type: "boolean" },
  limit: { type: "string" },
  format: { type: "string" },
  confirmation: { type: "string" },
  storage: { type: "string" },
  name: { type: "string" },
  grace: { type: "string" },
  abandon: { type: "boolean" },
} as const;

export async function poolCommand(args: readonly string[]): Promise<number> {
  const asked = askedFor("stratus pool", args, poolCommands, options, help);
  if (asked === undefined) return 0;
  const { name, command, module, rest, values } = asked;
  const pool = await opened(module);
  try {
    return await told(`stratus pool ${name}`, values.json === true, () => command.run(pool, rest, values), refusal);
  } finally {
    await pool.close();
  }
}

function refusal(error: unknown): Refusal | undefined {
  if (!PoolError.is(error) && !StoreError.is(error)) return undefined;
  const causes = PoolError.is(error) ? error.causes.map(({ host, error }) => ({ host, code: error.code, reason: error.reason })) : [];
  return {
    json: { error: error.code, message: error.message, causes },
    more: causes.map(({ host, code, reason }) => `  ${host}: ${code}, ${reason}\n`).join(""),
  };
}

async function opened(specifier: string): Promise<Pool> {
  const open = await functionOf(specifier);
  let pool: unknown;
  try {
    pool = await open();
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    throw new UsageError(`the pool of ${specifier} cannot be opened: ${error.message}`, { cause: error });
  }
  // Of a second installed copy of this package, perhaps.
  if (typeof pool === "object" && pool !== null && "uploadFile" in pool && "warmUp" in pool && "close" in pool) return pool as Pool;
  throw new UsageError(`the function that ${specifier} exports opens no Pool`);
}
