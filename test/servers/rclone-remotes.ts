/**
 * Debian's rclone as a client of an emulator, led there by the service's real names. Its remote is called `x:`.
 *
 *     const rclone = rcloneOf({ home, proxy: proxy.url, ca, remote: dropboxRemote(token) });
 *     JSON.parse(await rclone.text("lsjson", "x:"));
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { missingFor, which } from "./requirements.ts";

/** The settings of a remote, as the environment has them: nothing in a file, nothing in the process list. */
export type Remote = Readonly<Record<string, string>>;

const LONG = "2099-01-01T00:00:00Z";

export const dropboxRemote = (accessToken: string): Remote => ({
  TYPE: "dropbox",
  TOKEN: JSON.stringify({ access_token: accessToken, token_type: "bearer", expiry: LONG }),
});

export const driveRemote = (accessToken: string): Remote => ({
  TYPE: "drive",
  SCOPE: "drive",
  TOKEN: JSON.stringify({ access_token: accessToken, token_type: "Bearer", expiry: LONG }),
});

/** It is given an access token: rclone 1.60 signs in with keys of its own whatever the user says. */
export const sugarsyncRemote = (account: { readonly refreshToken: string; readonly access: string; readonly user: string }): Remote => ({
  TYPE: "sugarsync",
  REFRESH_TOKEN: account.refreshToken,
  AUTHORIZATION: account.access,
  AUTHORIZATION_EXPIRY: LONG,
  USER: account.user,
});

export interface RcloneAt {
  /** A directory in which nothing of a user's lies. */
  readonly home: string;
  readonly proxy: string;
  /** The file with the authority's certificate. */
  readonly ca: string;
  readonly remote: Remote;
}
/** Runs it to its end. @throws Error where it ends with another code than 0: with the end of what it said */
export interface Rclone {
  /** What it wrote to its output. */
  text(...args: readonly string[]): Promise<string>;
  /** How many bytes it wrote to its output. */
  bytes(...args: readonly string[]): Promise<number>;
}

/** @throws Error where there is no rclone */
export function rcloneOf({ home, proxy, ca, remote }: RcloneAt): Rclone {
  const absent = missingFor("rclone");
  if (absent !== undefined) throw new Error(absent);
  const program = which("rclone") as string;
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: home,
    LANG: "C.UTF-8",
    HTTPS_PROXY: proxy,
    RCLONE_CONFIG: join(home, "none.conf"),
    RCLONE_CA_CERT: ca,
    ...Object.fromEntries(Object.entries(remote).map(([key, value]) => [`RCLONE_CONFIG_X_${key}`, value])),
  };
  const run = (args: readonly string[], chunk: (bytes: Buffer) => void): Promise<void> =>
    new Promise((done, fail) => {
      // A request that fails is a defect of the emulator, and shall be seen.
      const child = spawn(program, ["--retries", "1", "--low-level-retries", "1", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      child.stdout.on("data", chunk);
      child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
      child.once("error", fail);
      child.once("close", (code) => (code === 0 ? done() : fail(new Error(`rclone ${args.join(" ")}: ${String(code)}: ${said}`))));
    });
  return {
    async text(...args) {
      const chunks: Buffer[] = [];
      await run(args, (bytes) => void chunks.push(bytes));
      return Buffer.concat(chunks).toString("utf8");
    },
    async bytes(...args) {
      let count = 0;
      await run(args, ({ byteLength }) => (count += byteLength));
      return count;
    },
  };
}
