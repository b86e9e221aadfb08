/** Debian's rclone beside us. Keys and passwords go by environment: a command line is everybody's to read. */
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";

/** Runs it to its end; gives the bytes that it wrote to its output. */
export type Rclone = (...args: readonly string[]) => Promise<number>;

export interface CephAt {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Its remote is called `ceph:`. */
export function rcloneToCeph({ endpoint, region, accessKeyId, secretAccessKey }: CephAt): Rclone {
  const remote = {
    RCLONE_CONFIG_CEPH_TYPE: "s3",
    RCLONE_CONFIG_CEPH_PROVIDER: "Ceph",
    RCLONE_CONFIG_CEPH_ENDPOINT: endpoint,
    RCLONE_CONFIG_CEPH_REGION: region,
    RCLONE_CONFIG_CEPH_ACCESS_KEY_ID: accessKeyId,
    RCLONE_CONFIG_CEPH_SECRET_ACCESS_KEY: secretAccessKey,
    RCLONE_CONFIG_CEPH_FORCE_PATH_STYLE: "true",
  };
  return async (...args) => (await run(args, remote)).bytes;
}

/** Its remote is called `dav:`. */
export async function rcloneToDav({
  url,
  username,
  password,
}: {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}): Promise<Rclone> {
  // The form in which it wants a password.
  const obscured = await run(["obscure", "-"], {}, password);
  const remote = {
    RCLONE_CONFIG_DAV_TYPE: "webdav",
    RCLONE_CONFIG_DAV_URL: url,
    RCLONE_CONFIG_DAV_VENDOR: "other",
    RCLONE_CONFIG_DAV_USER: username,
    RCLONE_CONFIG_DAV_PASS: obscured.beginning.trim(),
  };
  return async (...args) => (await run(args, remote)).bytes;
}

function run(args: readonly string[], remote: Readonly<Record<string, string>>, input = ""): Promise<{ readonly bytes: number; readonly beginning: string }> {
  return new Promise((done, fail) => {
    const child = spawn("rclone", args, {
      stdio: ["pipe", "pipe", "inherit"],
      // Nothing else of the environment: AWS_CA_BUNDLE alone makes it fail.
      env: { PATH: process.env["PATH"], HOME: tmpdir(), RCLONE_CONFIG: "/dev/null", ...remote },
    });
    let bytes = 0;
    let beginning = "";
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (beginning.length < 1000) beginning += chunk.toString("latin1");
    });
    child.stdin.end(input);
    child.on("error", fail);
    child.on("close", (code) => (code === 0 ? done({ bytes, beginning }) : fail(new Error(`rclone ended with ${code}`))));
  });
}
