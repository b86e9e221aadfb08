/**
 * `stratus pool <command> <module> [...]`: a pool that a module opens.
 *
 *   // my-pool.ts
 *   export default () => Pool.open({ catalogue: sqliteCatalogue({ file: "pool.db" }), directory: "cache", capacityBytes: 10e9, hosts: { a, b, c } });
 */
import { parseArgs } from "node:util";
import { PoolError } from "../pool/index.ts";
import type { Pool } from "../pool/index.ts";
import { StoreError } from "../store/index.ts";
import { load } from "./load-subject.ts";
import { poolCommands } from "./pool-commands.ts";
import type { PoolArguments } from "./pool-commands.ts";
import { UsageError } from "./usage.ts";

const width = Math.max(...Object.values(poolCommands).map(({ usage }) => usage.length));
const help = `stratus pool <command> <module> [...]      files by their hash on several hosts

<module> exports, as \`default\`, a function that opens a Pool; it is closed at the end.

${Object.values(poolCommands)
  .map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`)
  .join("\n")}

  --json                    the result as one line of JSON
exit code: 0 done; 1 done, and something is short, failed or lost, or the pool refused; 2 it could not be run
`;

export async function poolCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const [name = "", module, ...rest] = positionals;
  const command = Object.hasOwn(poolCommands, name) ? poolCommands[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command "${name}"\n\n${help}`);
  const { least, most } = command;
  if (module === undefined || rest.length < least || rest.length > most) throw new UsageError(`stratus pool ${command.usage}`);
  for (const option of ["deep", "limit", "format", "confirmation", "storage", "name", "grace", "abandon"] as const)
    if (values[option] !== undefined && !command.options.includes(option)) throw new UsageError(`${name} has no option --${option}`);
  const pool = await opened(module);
  try {
    const { result, text, good } = await command.run(pool, rest, values);
    process.stdout.write(values.json === true ? `${JSON.stringify(result)}\n` : text === "" ? "" : `${text}\n`);
    return good ? 0 : 1;
  } catch (error) {
    if (!PoolError.is(error) && !StoreError.is(error)) throw error;
    const causes = PoolError.is(error) ? error.causes.map(({ host, error }) => ({ host, code: error.code, reason: error.reason })) : [];
    if (values.json === true) process.stdout.write(`${JSON.stringify({ error: error.code, message: error.message, causes })}\n`);
    process.stderr.write(`stratus pool ${name}: ${error.message}\n${causes.map(({ host, code, reason }) => `  ${host}: ${code}, ${reason}\n`).join("")}`);
    return 1;
  } finally {
    await pool.close();
  }
}

function parsed(args: readonly string[]): { readonly values: PoolArguments; readonly positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
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
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function opened(specifier: string): Promise<Pool> {
  const found = (await load(specifier))["default"];
  if (typeof found !== "function") throw new UsageError(`${specifier} has no default export that is a function`);
  let pool: unknown;
  try {
    pool = await (found as () => unknown)();
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    throw new UsageError(`the pool of ${specifier} cannot be opened: ${error.message}`, { cause: error });
  }
  // Of a second installed copy of this package, perhaps.
  if (typeof pool === "object" && pool !== null && "uploadFile" in pool && "warmUp" in pool && "close" in pool) return pool as Pool;
  throw new UsageError(`the function that ${specifier} exports opens no Pool`);
}
