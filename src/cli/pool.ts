/**
 * `stratus pool <command> <module> [...]`: a pool whose options a module gives, or that it opens.
 *
 *   // my-pool.ts
 *   export default () => ({ catalogue: sqliteCatalogue({ file: "pool.db" }), directory: "cache", capacityBytes: 10e9, hosts: { a, b, c }, backupStore });
 */
import { BackupError, Pool, PoolError } from "../pool/index.ts";
import type { OnProgress, PoolOptions } from "../pool/index.ts";
import { StoreError } from "../store/index.ts";
import { askedFor, functionOf, told, usageOf } from "./commands.ts";
import type { Refusal } from "./commands.ts";
import { poolCommands } from "./pool-commands.ts";
import { UsageError } from "./usage.ts";

const help = `stratus pool <command> <module> [...]      files by their hash on several hosts

<module> exports, as \`default\`, a function that gives the options of a Pool, or opens one itself (not for restore); it is closed at the end.

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
  keep: { type: "string" },
} as const;

export async function poolCommand(args: readonly string[]): Promise<number> {
  const asked = askedFor("stratus pool", args, poolCommands, options, help);
  if (asked === undefined) return 0;
  const { name, command, module, rest, values } = asked;
  let pool: Pool | undefined;
  const work = async (onProgress: OnProgress): ReturnType<typeof command.run> => {
    pool = await opened(module, name === "restore", values.name, onProgress);
    return await command.run(pool, rest, values, onProgress);
  };
  try {
    return await told(`stratus pool ${name}`, values.json === true, work, refusal);
  } finally {
    await pool?.close();
  }
}

function refusal(error: unknown): Refusal | undefined {
  if (!PoolError.is(error) && !BackupError.is(error) && !StoreError.is(error)) return undefined;
  const causes = PoolError.is(error) ? error.causes.map(({ host, error }) => ({ host, code: error.code, reason: error.reason })) : [];
  return {
    json: { error: error.code, message: error.message, causes },
    more: causes.map(({ host, code, reason }) => `  ${host}: ${code}, ${reason}\n`).join(""),
  };
}

async function opened(specifier: string, restore: boolean, name: string | undefined, onProgress: OnProgress): Promise<Pool> {
  const make = await functionOf(specifier);
  try {
    const given = await make();
    if (isPool(given)) {
      if (!restore) return given;
      await given.close();
      throw new UsageError(`restore needs options: the function that ${specifier} exports opens the Pool itself`);
    }
    if (typeof given === "object" && given !== null && "catalogue" in given && "hosts" in given) {
      const options = given as PoolOptions;
      return restore ? await Pool.restore(options, { name, onProgress }) : await Pool.open(options);
    }
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    throw new UsageError(`the pool of ${specifier} cannot be opened: ${error.message}`, { cause: error });
  }
  throw new UsageError(`the function that ${specifier} exports gives no options of a Pool and opens none`);
}

/** Of a second installed copy of this package, perhaps. */
function isPool(given: unknown): given is Pool {
  return typeof given === "object" && given !== null && "uploadFile" in given && "warmUp" in given && "close" in given;
}
