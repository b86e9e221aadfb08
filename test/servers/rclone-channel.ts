/**
 * A second way by a second implementation: rclone as a client, `cat`, `rcat` and `lsjson`, for S3 and WebDAV.
 *
 *     const channel = await rcloneChannel(ceph, "bucket/prefix");
 *
 * rclone skips keys with `//` or a trailing `/` and re-encodes some names of its own: use the raw channel for those.
 */
import { spawn } from "node:child_process";
import type { SecondChannel } from "../../src/conformance/subject.ts";
import type { Connection } from "./connection.ts";
import { missingFor, which } from "./requirements.ts";

/** `below` is `bucket/prefix` for S3, a collection for WebDAV. */
export async function rcloneChannel(to: Connection, below = ""): Promise<SecondChannel> {
  const absent = missingFor("rclone");
  if (absent !== undefined) throw new Error(absent);
  const program = which("rclone") as string;
  // The remote is called x and lives in the environment only: no file, nothing in the process list. No AWS_* of ours gets in.
  const env: Record<string, string> = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", LANG: "C.UTF-8", RCLONE_CONFIG: "/nonexistent/rclone.conf" };
  const run = async (args: readonly string[], input?: Uint8Array): Promise<{ code: number | null; out: Buffer; said: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(program, ["--low-level-retries", "2", "--retries", "1", ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
      const out: Buffer[] = [];
      let said = "";
      child.stdout.on("data", (part: Buffer) => out.push(part));
      child.stderr.on("data", (part: Buffer) => (said = (said + part.toString("utf8")).slice(-2000)));
      child.stdin.on("error", () => {}); // Its exit code tells.
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, out: Buffer.concat(out), said }));
      child.stdin.end(input);
    });
  const good = async (args: readonly string[], input?: Uint8Array): Promise<Buffer> => {
    const { code, out, said } = await run(args, input);
    if (code !== 0) throw new Error(`rclone ${args.join(" ")}: ${code}: ${said}`);
    return out;
  };
  if (to.kind === "s3") {
    Object.assign(env, {
      RCLONE_CONFIG_X_TYPE: "s3",
      RCLONE_CONFIG_X_PROVIDER: to.name === "ceph" ? "Ceph" : "Other",
      RCLONE_CONFIG_X_ENDPOINT: to.endpoint,
      RCLONE_CONFIG_X_REGION: to.region,
      RCLONE_CONFIG_X_ACCESS_KEY_ID: to.accessKeyId,
      RCLONE_CONFIG_X_SECRET_ACCESS_KEY: to.secretAccessKey,
      RCLONE_CONFIG_X_FORCE_PATH_STYLE: "true",
      RCLONE_CONFIG_X_NO_CHECK_BUCKET: "true",
    });
  } else {
    const obscured = await good(["obscure", "-"], Buffer.from(to.password));
    Object.assign(env, {
      RCLONE_CONFIG_X_TYPE: "webdav",
      RCLONE_CONFIG_X_URL: to.url,
      RCLONE_CONFIG_X_VENDOR: "other",
      RCLONE_CONFIG_X_USER: to.username,
      RCLONE_CONFIG_X_PASS: obscured.toString("utf8").trim(),
    });
  }
  const at = (path: string): string => `x:${[below, path].filter((part) => part !== "").join("/")}`;
  /** Exit codes 3 and 4 say that a directory or a file is not there. */
  const look = async (args: readonly string[]): Promise<unknown> => {
    const { code, out, said } = await run(args);
    if (code === 3 || code === 4) return undefined;
    if (code !== 0) throw new Error(`rclone ${args.join(" ")}: ${code}: ${said}`);
    return JSON.parse(out.toString("utf8"));
  };
  return {
    put: async (path, bytes) => void (await good(["rcat", at(path)], bytes)),
    get: async (path) => {
      // `cat` of a directory would print all files in it: look first.
      const entry = (await look(["lsjson", "--stat", "--no-modtime", at(path)])) as { readonly IsDir: boolean } | null | undefined;
      return entry === undefined || entry === null || entry.IsDir ? undefined : good(["cat", at(path)]);
    },
    list: async (dir) => {
      const entries = ((await look(["lsjson", "--no-modtime", "--no-mimetype", at(dir)])) ?? []) as readonly { readonly Name: string }[];
      return [...new Set(entries.map((entry) => entry.Name))].sort();
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
