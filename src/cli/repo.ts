/**
 * `stratus repo <command> <module> [...]`: a repository whose options a module gives.
 *
 *   // my-repo.ts
 *   export default () => ({ catalogue: sqliteCatalogue({ file: "repo.db" }), store: s3({ bucket: "files" }), directory: "/var/lib/repo" });
 */
import { parseArgs } from "node:util";
import { BackupError, Repository, RepositoryError } from "../repository/index.ts";
import type { RepositoryOptions } from "../repository/index.ts";
import { StoreError } from "../store/index.ts";
import { load } from "./load-subject.ts";
import { repoCommands } from "./repo-commands.ts";
import type { RepoArguments } from "./repo-commands.ts";
import { UsageError } from "./usage.ts";

const width = Math.max(...Object.values(repoCommands).map(({ usage }) => usage.length));
const help = `stratus repo <command> <module> [...]      files with states, versions and tags

<module> exports, as \`default\`, a function that gives the options of a Repository. <file> is an id, or a path:
then its current version; for publish and upload the one that was added last.

${Object.values(repoCommands)
  .map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`)
  .join("\n")}

  --json                    the result as one line of JSON
exit code: 0 done; 1 done, and something is missing, wrong or failed, or the repository refused; 2 it could not be run
`;

const options = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  move: { type: "boolean" },
  publish: { type: "boolean" },
  bucket: { type: "string" },
  key: { type: "string" },
  tag: { type: "string", multiple: true },
  path: { type: "boolean" },
  remove: { type: "boolean" },
  date: { type: "string" },
  granularity: { type: "string" },
  under: { type: "string" },
  state: { type: "string" },
  limit: { type: "string" },
  any: { type: "string", multiple: true },
  all: { type: "string", multiple: true },
  exclude: { type: "string", multiple: true },
  unpublished: { type: "boolean" },
  deep: { type: "boolean" },
  repair: { type: "boolean" },
  grace: { type: "string" },
  keep: { type: "string" },
  name: { type: "string" },
} as const;

export async function repoCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const [name = "", module, ...rest] = positionals;
  const command = Object.hasOwn(repoCommands, name) ? repoCommands[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command "${name}"\n\n${help}`);
  const { least, most } = command;
  if (module === undefined || rest.length < least || rest.length > most) throw new UsageError(`stratus repo ${command.usage}`);
  for (const option of Object.keys(values) as (keyof RepoArguments)[])
    if (option !== "json" && !command.options.includes(option)) throw new UsageError(`${name} has no option --${option}`);
  let repo: Repository | undefined;
  try {
    repo = await opened(module, name === "create" || name === "restore" ? name : "open", values.name);
    const { result, text, good } = await command.run(repo, rest, values);
    process.stdout.write(values.json === true ? `${JSON.stringify(result)}\n` : text === "" ? "" : `${text}\n`);
    return good ? 0 : 1;
  } catch (error) {
    if (!RepositoryError.is(error) && !BackupError.is(error) && !StoreError.is(error)) throw error;
    if (values.json === true) process.stdout.write(`${JSON.stringify({ error: error.code, message: error.message })}\n`);
    process.stderr.write(`stratus repo ${name}: ${error.message}\n`);
    return 1;
  } finally {
    await repo?.close();
  }
}

function parsed(args: readonly string[]): { readonly values: RepoArguments; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A repository that refuses, or is none yet, is told as every other refusal; what is wrong with the module or its options is the caller's. */
async function opened(specifier: string, how: "create" | "restore" | "open", name: string | undefined): Promise<Repository> {
  const found = (await load(specifier))["default"];
  if (typeof found !== "function") throw new UsageError(`${specifier} has no default export that is a function`);
  const given: unknown = await (found as () => unknown)();
  if (typeof given !== "object" || given === null || !("catalogue" in given) || !("store" in given))
    throw new UsageError(`the function that ${specifier} exports gives no options of a Repository`);
  try {
    const options = given as RepositoryOptions;
    return how === "restore" ? await Repository.restore(options, { name }) : await Repository[how](options);
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    throw new UsageError(`the repository of ${specifier} cannot be opened: ${error.message}`, { cause: error });
  }
}
