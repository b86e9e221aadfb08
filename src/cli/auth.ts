/** `stratus auth <provider>`: signs in once and stores the tokens where only this user can read them. */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { StoreError, systemClock } from "../store/index.ts";
import { listTokens, tokensDirectory, writeTokens } from "../tokens/index.ts";
import { services, signIn } from "./auth-oauth.ts";
import type { OAuthService } from "./auth-oauth.ts";
import { askOn } from "./auth-prompt.ts";
import type { Ask } from "./auth-prompt.ts";
import { SUGARSYNC_URL, signInToSugarSync } from "./auth-sugarsync.ts";
import { UsageError } from "./usage.ts";

const help = `stratus auth dropbox      sign in to Dropbox
stratus auth drive        sign in to Google Drive
stratus auth sugarsync    sign in to SugarSync
stratus auth list         who has signed in here

Tokens are stored in ${tokensDirectory()}, one file per account, readable by you alone; readTokens of "stratus/tokens" gives them to a provider.
Secrets are asked for, or read as lines from the standard input; they are never arguments, which other users see in the process list.

  --account <name>     more than one account of a provider (default: default)
  --client-id <id>     dropbox, drive: the id of your application (Dropbox: the app key); asked for otherwise
  --port <number>      dropbox, drive: the port that the browser comes back to (drive: any; dropbox: ${services.dropbox.port}, and
                       http://127.0.0.1:${services.dropbox.port}/ has to be among the redirect URIs of your app)
  --no-browser         only print the address to go to
  --minutes <number>   how long to wait for the browser (default 10)
  --directory <path>   keep the tokens elsewhere

exit code: 0 signed in, 1 refused, 2 it could not be tried
`;

/** What tests replace. */
export interface AuthParts {
  readonly services: typeof services;
  readonly sugarsyncUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly ask: (Ask & { close?(): void }) | undefined;
  readonly browse: (url: string) => void;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

const real: AuthParts = {
  services,
  sugarsyncUrl: SUGARSYNC_URL,
  fetch: (input, init) => globalThis.fetch(input, init),
  ask: undefined,
  browse,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

export async function auth(args: readonly string[], replaced: Partial<AuthParts> = {}): Promise<number> {
  const parts = { ...real, ...replaced };
  const { values, positionals } = parsed(args);
  if (values.help === true) {
    parts.out(help);
    return 0;
  }
  const [provider, ...more] = positionals;
  if (provider === undefined || more.length > 0) throw new UsageError("say which: dropbox, drive, sugarsync or list");
  const { directory, account } = values;
  if (provider === "list") {
    for (const one of await listTokens({ directory })) parts.out(`${one.provider} ${one.account}\n`);
    return 0;
  }
  if (provider !== "dropbox" && provider !== "drive" && provider !== "sugarsync") throw new UsageError(`there is no sign-in for "${provider}"`);
  const over = new AbortController();
  systemClock.sleep(whole("minutes", values.minutes ?? "10", 1, 120) * 60_000, over.signal, { background: true }).then(
    () => over.abort(),
    () => {},
  );
  const ask = parts.ask ?? askOn(process.stdin, process.stderr);
  try {
    const place = { account, directory };
    const file =
      provider === "sugarsync"
        ? await writeTokens(provider, await signInToSugarSync(ask, parts.fetch, parts.sugarsyncUrl, over.signal), place)
        : await writeTokens(provider, await oauth(provider, values, parts, ask, over.signal), place);
    parts.out(`Signed in. The tokens are in ${file}\n`);
    return 0;
  } catch (error) {
    const known = StoreError.is(error) ? error : networkError(error);
    if (known === undefined) throw error;
    parts.err(`stratus auth: ${known.reason}\n`);
    return known.code === "config" || known.code === "unavailable" ? 2 : 1;
  } finally {
    ask.close?.();
    // Ends the sleep, and whatever still waits.
    over.abort();
  }
}

/** What fetch throws: the address is in it, and no secret. */
function networkError(error: unknown): StoreError | undefined {
  if (error instanceof DOMException && error.name === "AbortError") return new StoreError("timeout", "the service does not answer in time", { cause: error });
  return error instanceof TypeError && error.message === "fetch failed"
    ? new StoreError("unavailable", "the service cannot be reached", { cause: error })
    : undefined;
}

type Values = ReturnType<typeof parsed>["values"];

async function oauth(
  provider: "dropbox" | "drive",
  values: Values,
  parts: AuthParts,
  ask: Ask,
  signal: AbortSignal,
): Promise<{ readonly clientId: string; readonly clientSecret: string; readonly refreshToken: string }> {
  const clientId = values["client-id"] ?? (await ask(provider === "dropbox" ? "App key" : "Client id"));
  if (clientId === "") throw new StoreError("config", "the id of the application is missing");
  // Google gives installed applications one, and wants it; Dropbox wants none with PKCE.
  const clientSecret = provider === "drive" ? await ask("Client secret", { hidden: true }) : undefined;
  if (clientSecret === "") throw new StoreError("config", "the secret of the application is missing");
  const known = parts.services[provider];
  const service: OAuthService = values.port === undefined ? known : { ...known, port: whole("port", values.port, 1, 65_535) };
  const show = (url: string): void => {
    parts.out(`Go to this address and sign in:\n\n${url}\n\n`);
    if (values["no-browser"] !== true) parts.browse(url);
  };
  const refreshToken = await signIn({ service, clientId, clientSecret, fetch: parts.fetch, show, signal });
  return { clientId, ...(clientSecret === undefined ? {} : { clientSecret }), refreshToken } as {
    clientId: string;
    clientSecret: string;
    refreshToken: string;
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        account: { type: "string" },
        "client-id": { type: "string" },
        port: { type: "string" },
        "no-browser": { type: "boolean" },
        minutes: { type: "string" },
        directory: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min || value > max) throw new UsageError(`--${name} is a whole number from ${min} to ${max}`);
  return value;
}

/** Best effort: the address is printed anyway. It holds no secret, so it may stand in the process list. */
function browse(url: string): void {
  if (!process.stdout.isTTY) return;
  const [program, ...args] =
    process.platform === "darwin" ? ["open", url] : process.platform === "win32" ? ["rundll32", "url.dll,FileProtocolHandler", url] : ["xdg-open", url];
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  // Without a browser the user goes there by himself.
  child.on("error", () => {});
  child.unref();
}
