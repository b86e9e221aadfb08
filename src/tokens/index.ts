/**
 * What `stratus auth` stores: one file per account, that only its owner can read.
 *
 *   const store = dropbox(await readTokens("dropbox"));
 *   const store = drive({ auth: await readTokens("drive", { account: "work" }) });
 *   const store = sugarsync(await readTokens("sugarsync"));
 *
 * A file is JSON, `{ "format": "stratus-tokens", "version": 1, "provider", "account", "credentials" }`, in `$XDG_CONFIG_HOME/stratus/tokens` (default
 * `~/.config/stratus/tokens`, on Windows `%APPDATA%\stratus\tokens`), mode 0600 in a directory of mode 0700.
 */
import { randomBytes } from "node:crypto";
import { chmod, lstat, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { StoreError, makeDirectories } from "../store/index.ts";

export interface OAuthCredentials {
  readonly clientId: string;
  /** Missing where the application has none (Dropbox with PKCE). */
  readonly clientSecret?: string | undefined;
  readonly refreshToken: string;
}
export interface Credentials {
  readonly dropbox: OAuthCredentials;
  readonly drive: OAuthCredentials & { readonly clientSecret: string };
  readonly sugarsync: { readonly accessKeyId: string; readonly privateAccessKey: string; readonly refreshToken: string };
}
export type TokenProvider = keyof Credentials;

export interface TokenPlace {
  /** Default "default". At most 100 characters, no control characters. */
  readonly account?: string | undefined;
  /** Default: as above. */
  readonly directory?: string | undefined;
}

/** Members of the credentials, required ones first. */
const MEMBERS: Readonly<Record<TokenProvider, { readonly required: readonly string[]; readonly optional: readonly string[] }>> = {
  dropbox: { required: ["clientId", "refreshToken"], optional: ["clientSecret"] },
  drive: { required: ["clientId", "clientSecret", "refreshToken"], optional: [] },
  sugarsync: { required: ["accessKeyId", "privateAccessKey", "refreshToken"], optional: [] },
};

export function tokensDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { XDG_CONFIG_HOME: xdg, APPDATA: appData } = env;
  const base =
    process.platform === "win32" && appData !== undefined && appData !== ""
      ? appData
      : xdg !== undefined && xdg.startsWith("/")
        ? xdg
        : join(homedir(), ".config");
  return join(base, "stratus", "tokens");
}

/** @throws StoreError `unauthenticated` where nobody has signed in, `config` where others can read the file, `corrupt` for one that does not decode */
export async function readTokens<P extends TokenProvider>(provider: P, place: TokenPlace = {}): Promise<Credentials[P]> {
  const { file, account } = fileOf(provider, place);
  let text: string;
  try {
    await mustBePrivate(file, "file");
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new StoreError(
      "unauthenticated",
      `nobody has signed in to ${provider} as "${account}" here: run \`stratus auth ${provider}${account === "default" ? "" : " --account <name>"}\``,
    );
  }
  return credentialsIn(text, provider);
}

/** Replaces what was stored for this account, whole or not at all. Gives the path of the file. */
export async function writeTokens<P extends TokenProvider>(provider: P, credentials: Credentials[P], place: TokenPlace = {}): Promise<string> {
  const { directory, file, account } = fileOf(provider, place);
  const text = `${JSON.stringify({ format: "stratus-tokens", version: 1, provider, account, credentials }, null, 2)}\n`;
  credentialsIn(text, provider);
  await makeDirectories(directory, 0o700);
  // Made before, or with a wider mask.
  if (process.platform !== "win32") await chmod(directory, 0o700);
  const temporary = join(directory, `.${randomBytes(12).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return file;
}

/** What is stored, without secrets. */
export async function listTokens(
  place: Pick<TokenPlace, "directory"> = {},
): Promise<readonly { readonly provider: TokenProvider; readonly account: string; readonly file: string }[]> {
  const directory = place.directory ?? tokensDirectory();
  const found: { provider: TokenProvider; account: string; file: string }[] = [];
  for (const name of await readdir(directory).catch(nothing)) {
    const [, provider = "", encoded = ""] = /^([a-z]+)-(.+)\.json$/.exec(name) ?? [];
    if (Object.hasOwn(MEMBERS, provider))
      found.push({ provider: provider as TokenProvider, account: decodeURIComponent(encoded), file: join(directory, name) });
  }
  return found.sort((a, b) => (a.file < b.file ? -1 : 1));
}

function nothing(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

function fileOf(
  provider: TokenProvider,
  { account = "default", directory = tokensDirectory() }: TokenPlace,
): { readonly directory: string; readonly file: string; readonly account: string } {
  if (!Object.hasOwn(MEMBERS, provider)) throw new StoreError("config", `tokens are kept for ${Object.keys(MEMBERS).join(", ")}`);
  if (account === "" || account.length > 100 || /[\0-\x1f\x7f]/.test(account) || !account.isWellFormed())
    throw new StoreError("config", "an account is a name of 1 to 100 characters without control characters");
  return { directory, file: join(directory, `${provider}-${encodeURIComponent(account).replaceAll("*", "%2A")}.json`), account };
}

/** A secret that others can read is none: said, instead of used. */
async function mustBePrivate(path: string, what: string): Promise<void> {
  const found = await lstat(path);
  if (process.platform === "win32" || (found.mode & 0o077) === 0) return;
  throw new StoreError("config", `others can read the ${what} of tokens: chmod 600 it, and sign in again if anybody may have done so`);
}

function credentialsIn<P extends TokenProvider>(text: string, provider: P): Credentials[P] {
  const broken = (): StoreError => new StoreError("corrupt", `the stored tokens of ${provider} cannot be read: sign in again`);
  let found: { readonly format?: unknown; readonly version?: unknown; readonly provider?: unknown; readonly credentials?: unknown } | null;
  try {
    found = JSON.parse(text) as typeof found;
  } catch {
    // Its text would be in the cause.
    throw broken();
  }
  if (typeof found !== "object" || found === null || found.format !== "stratus-tokens" || found.provider !== provider) throw broken();
  if (found.version !== 1) throw new StoreError("config", `the stored tokens of ${provider} are of a newer version of stratus`);
  const { required, optional } = MEMBERS[provider];
  const given = found.credentials as Readonly<Record<string, unknown>> | null | undefined;
  if (typeof given !== "object" || given === null) throw broken();
  for (const key of required) if (typeof given[key] !== "string" || given[key] === "") throw broken();
  for (const key of optional) if (given[key] !== undefined && typeof given[key] !== "string") throw broken();
  for (const key of Object.keys(given)) if (!required.includes(key) && !optional.includes(key)) throw broken();
  return given as unknown as Credentials[P];
}
