/**
 * Options of a repository from a file and from the environment, in a fixed order.
 *
 *   export default async () => ({ ...(await repositoryConfiguration()).options, store: s3({ bucket: "files" }), backupStore: local({ directory: "/mnt/backups" }) });
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { postgresCatalogue, sqliteCatalogue } from "../catalogue/index.ts";
import { StoreError } from "../store/index.ts";
import type { RepositoryOptions } from "./options.ts";

/** What is not code: all but the stores and what is called back. */
export type ConfiguredOptions = Pick<
  RepositoryOptions,
  "catalogue" | "directory" | "host" | "cacheLimitBytes" | "unpublishedStaleMs" | "publishedStaleMs" | "graceMs" | "backupsBeforeDelete" | "offline"
>;
export interface RepositoryConfiguration {
  readonly options: ConfiguredOptions;
  /** Path of the file that was read; null: the environment said everything. */
  readonly file: string | null;
}
export interface ConfigurationLookup {
  /** Of this file, and of no other; a missing one is an error. */
  readonly file?: string | undefined;
  /** Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: the user's. */
  readonly homeDirectory?: string | undefined;
  /** Default "/etc". */
  readonly systemDirectory?: string | undefined;
}

const PREFIX = "STRATUS_REPOSITORY_";
const NUMBERS = ["cacheLimitBytes", "unpublishedStaleMs", "publishedStaleMs", "graceMs", "backupsBeforeDelete"] as const;
const KEYS: ReadonlySet<string> = new Set(["catalogue", "directory", "host", "offline", ...NUMBERS]);
/** Of single values; each goes before the file. */
const VARIABLES: Readonly<Record<string, string>> = {
  SQLITE: "sqlite",
  POSTGRES: "postgres",
  SCHEMA: "schema",
  DIRECTORY: "directory",
  HOST: "host",
  CACHE_LIMIT_BYTES: "cacheLimitBytes",
  UNPUBLISHED_STALE_MS: "unpublishedStaleMs",
  PUBLISHED_STALE_MS: "publishedStaleMs",
  GRACE_MS: "graceMs",
  BACKUPS_BEFORE_DELETE: "backupsBeforeDelete",
  OFFLINE: "offline",
};

const config = (reason: string, cause?: unknown): StoreError => new StoreError("config", reason, { applied: false, cause });

/**
 * The file is the first of: `file`; the one that STRATUS_REPOSITORY_CONFIG names; `$XDG_CONFIG_HOME/stratus/repository.json` (default ~/.config); `/etc/stratus/repository.json`. One that is
 * named must be there; files are never merged. Variables STRATUS_REPOSITORY_* go before the file. Opens nothing. @throws StoreError `config` where there is neither file nor catalogue and
 * directory in the environment, and for what is no configuration; values are never in a message
 */
export async function repositoryConfiguration(lookup: ConfigurationLookup = {}): Promise<RepositoryConfiguration> {
  const { environment = process.env } = lookup;
  const found = await findFile(lookup, environment);
  const fromFile = found === null ? {} : parse(found.text, found.file);
  const values = { ...fromFile, ...fromEnvironment(environment) };
  // The environment names another database: nothing of the file's belongs to it.
  const { sqlite, postgres, schema } = (values["sqlite"] ?? values["postgres"]) === undefined ? { ...(fromFile["catalogue"] as Values), ...values } : values;
  const { directory, host, offline } = values;
  if (found === null && sqlite === undefined && postgres === undefined)
    throw config(`there is no configuration: name a file in ${PREFIX}CONFIG, or write ~/.config/stratus/repository.json or /etc/stratus/repository.json`);
  if ((sqlite === undefined) === (postgres === undefined)) throw config("the catalogue of a configuration is either sqlite or postgres");
  if (typeof directory !== "string" || directory === "") throw config("a configuration needs a directory");
  const base = found === null ? process.cwd() : dirname(found.file);
  const options: ConfiguredOptions = {
    catalogue:
      sqlite === undefined
        ? postgresCatalogue({ connectionString: text("postgres", postgres), schema: schema === undefined ? undefined : text("schema", schema) })
        : sqliteCatalogue({ file: resolve(base, text("sqlite", sqlite)) }),
    directory: resolve(base, directory),
    ...(host === undefined ? {} : { host: text("host", host) }),
    ...(offline === undefined ? {} : { offline: flag(offline) }),
    ...Object.fromEntries(NUMBERS.flatMap((key) => (values[key] === undefined ? [] : [[key, whole(key, values[key])]]))),
  };
  return { options, file: found?.file ?? null };
}

type Values = Readonly<Record<string, unknown>>;

async function findFile(lookup: ConfigurationLookup, environment: Values): Promise<{ readonly file: string; readonly text: string } | null> {
  const named = lookup.file ?? environment[`${PREFIX}CONFIG`];
  if (typeof named === "string" && named !== "") {
    const text = await read(resolve(named));
    if (text === undefined) throw config(`the configuration file ${resolve(named)} is not there`);
    return { file: resolve(named), text };
  }
  const xdg = environment["XDG_CONFIG_HOME"];
  const own = typeof xdg === "string" && isAbsolute(xdg) ? xdg : join(lookup.homeDirectory ?? homedir(), ".config");
  for (const directory of [own, lookup.systemDirectory ?? "/etc"]) {
    const file = join(directory, "stratus", "repository.json");
    const text = await read(file);
    if (text !== undefined) return { file, text };
  }
  return null;
}

/** Undefined where there is none; one that cannot be read is an error, and no reason to take the next. */
async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw config(`the configuration file ${file} cannot be read`, error);
  }
}

function parse(given: string, file: string): Values {
  let parsed: unknown;
  try {
    parsed = JSON.parse(given);
  } catch {
    // Its own words show a piece of the text, and that may be a password.
    throw config(`the configuration file ${file} is no JSON`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw config(`the configuration file ${file} is no object`);
  const catalogue = (parsed as Values)["catalogue"] ?? {};
  if (typeof catalogue !== "object" || Array.isArray(catalogue))
    throw config(`the configuration file ${file}: catalogue is { sqlite } or { postgres, schema }`);
  for (const key of Object.keys(parsed)) if (!KEYS.has(key)) throw config(`the configuration file ${file} has an unknown key ${key}`);
  for (const key of Object.keys(catalogue))
    if (!["sqlite", "postgres", "schema"].includes(key)) throw config(`the configuration file ${file} has an unknown key catalogue.${key}`);
  return parsed as Values;
}

/** A variable that is empty says nothing. */
function fromEnvironment(environment: Values): Values {
  return Object.fromEntries(
    Object.entries(VARIABLES).flatMap(([name, key]) => {
      const value = environment[PREFIX + name];
      return value === undefined || value === "" ? [] : [[key, value]];
    }),
  );
}

function text(key: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw config(`${key} of a configuration is a text`);
  return value;
}

function whole(key: string, value: unknown): number {
  const found = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(found) || (found as number) < 0) throw config(`${key} of a configuration is a whole number`);
  return found as number;
}

function flag(value: unknown): boolean {
  if (value === true || value === "1" || value === "true") return true;
  if (value === false || value === "0" || value === "false") return false;
  throw config("offline of a configuration is true or false");
}
