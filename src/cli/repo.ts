/**
 * `stratus repo <command> <module> [...]`: a repository whose options a module gives.
 *
 *   // my-repo.ts
 *   export default () => ({ catalogue: sqliteCatalogue({ file: "repo.db" }), store: s3({ bucket: "files" }), directory: "/var/lib/repo" });
 */
import { BackupError, Repository, RepositoryError } from "../repository/index.ts";
import type { OnProgress, RepositoryOptions } from "../repository/index.ts";
import { StoreError } from "../store/index.ts";
import { askedFor, functionOf, told, usageOf } from "./commands.ts";
import { repoCommands } from "./repo-commands.ts";
import { UsageError } from "./usage.ts";

const help = `stratus repo <command> <module> [...]      files with states, versions and tags

<module> exports, as \`default\`, a function that gives the options of a Repository. <file> is an id, or a path:
then its current version; for publish and upload the one that was added last.

${usageOf(repoCommands)}

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
  const asked = askedFor("stratus repo", args, repoCommands, options, help);
  if (asked === undefined) return 0;
  const { name, command, module, rest, values } = asked;
  let repo: Repository | undefined;
  const work = async (onProgress: OnProgress): ReturnType<typeof command.run> => {
    repo = await opened(module, name === "create" || name === "restore" ? name : "open", values.name, onProgress);
    return await command.run(repo, rest, values, onProgress);
  };
  try {
    return await told(`stratus repo ${name}`, values.json === true, work, (error) =>
      RepositoryError.is(error) || BackupError.is(error) || StoreError.is(error) ? { json: { error: error.code, message: error.message } } : undefined,
    );
  } finally {
    await repo?.close();
  }
}

/** A repository that refuses, or is none yet, is told as every other refusal; what is wrong with the module or its options is the caller's. */
async function opened(specifier: string, how: "create" | "restore" | "open", name: string | undefined, onProgress: OnProgress): Promise<Repository> {
  const given = await (await functionOf(specifier))();
  if (typeof given !== "object" || given === null || !("catalogue" in given) || !("store" in given))
    throw new UsageError(`the function that ${specifier} exports gives no options of a Repository`);
  try {
    const options = given as RepositoryOptions;
    return how === "restore" ? await Repository.restore(options, { name, onProgress }) : await Repository[how](options);
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    throw new UsageError(`the repository of ${specifier} cannot be opened: ${error.message}`, { cause: error });
  }
}
