/**
 * Ceph radosgw with one monitor and one object daemon in memory: the main S3 server.
 *
 *     await using ceph = await startCeph();
 *     const small = await cephUser(ceph, "small", 1_000_000); // one more account, with a quota
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import type { S3Connection, S3Server } from "./connection.ts";
import { control } from "./control.ts";
import { inHome, listens } from "./home.ts";
import type { Home } from "./home.ts";
import { rawS3 } from "./raw-s3.ts";
import { missingFor, which } from "./requirements.ts";

export interface CephServer extends S3Server {
  /** Sets the quota of the account in bytes; undefined takes it away. Beyond it writes answer 403 QuotaExceeded. */
  quota(maxBytes: number | undefined): Promise<void>;
  /** `kill -9` of the gateway, then starts it again; data stays. The next CreateBucket takes about 25 s (the dead gateway's watches). */
  crash(): Promise<void>;
}

export const missing = (): string | undefined => missingFor("ceph");

const user = "test";

export async function startCeph(): Promise<CephServer> {
  return inHome("ceph", async (home) => {
    const monitorPort = home.port + 1;
    const fsid = randomUUID();
    const disk = randomUUID();
    const keyring = home.path("keyring");
    const conf = home.write("ceph.conf", configuration(home, fsid, monitorPort));
    for (const part of ["mon", "osd"]) home.mkdir(part);

    const key = async (name: string, ...caps: readonly string[]): Promise<unknown> =>
      home.run("ceph-authtool", [
        ...(name === "mon." ? ["--create-keyring"] : []),
        keyring,
        "--gen-key",
        "-n",
        name,
        ...caps.flatMap((cap) => ["--cap", ...cap.split(": ")]),
      ]);
    await key("mon.", "mon: allow *");
    await key("client.admin", "mon: allow *", "osd: allow *", "mgr: allow *");
    await key("client.rgw", "mon: allow rw", "osd: allow rwx");
    await key("osd.0", "mon: allow profile osd", "osd: allow *", "mgr: allow profile osd");

    await home.run("monmaptool", ["--create", "--clobber", "--fsid", fsid, "--addv", "a", `[v2:127.0.0.1:${monitorPort}]`, home.path("monmap")]);
    await home.run("ceph-mon", ["-c", conf, "-i", "a", "--mkfs", "--monmap", home.path("monmap"), "--keyring", keyring]);
    const mon = await home.start("ceph-mon", ["-c", conf, "-i", "a", "-f"]);
    await home.ready("the monitor listens", async () => listens(monitorPort), mon);
    await home.run("ceph", ["-c", conf, "--connect-timeout", "60", "osd", "new", disk]);
    await home.run("ceph-osd", ["-c", conf, "-i", "0", "--mkfs", "--osd-uuid", disk]);
    const osd = await home.start("ceph-osd", ["-c", conf, "-i", "0", "-f"]);

    const startGateway = async () => {
      const started = await home.start("radosgw", [
        "-c",
        conf,
        "-n",
        "client.rgw",
        "-f",
        "--rgw-frontends",
        `beast endpoint=127.0.0.1:${home.port} tcp_nodelay=1`,
      ]);
      await home.ready("the gateway listens", async () => listens(home.port), mon, osd, started);
      return started;
    };
    const front = [await startGateway()];
    const keys = await createUser(home.directory, user);
    const connection: S3Connection = {
      kind: "s3",
      name: "ceph",
      endpoint: `http://127.0.0.1:${home.port}`,
      region: "us-east-1",
      ...keys,
      home: home.directory,
    };
    // Pools are made by the first bucket, the first object and the first multipart upload: a wait that no test should pay or measure.
    const warm = rawS3(connection, "warm-up");
    await warm.createBucket();
    await warm.put("object", Buffer.from("x"));
    await warm.request("POST", "upload", { uploads: "" });
    await warm.destroy();
    return {
      ...control(connection, home, front),
      quota: async (maxBytes) => setQuota(home.directory, user, maxBytes),
      crash: async () => {
        const dead = front[0];
        if (dead === undefined) throw new Error("no gateway");
        await home.signal("SIGKILL", dead);
        await dead.exit;
        front[0] = await startGateway();
      },
    };
  });
}

/** One more account on a running Ceph (also a shared one), with its own buckets and, if given, its own quota in bytes. */
export async function cephUser(ceph: S3Connection, uid: string, maxBytes?: number): Promise<S3Connection> {
  const connection = { ...ceph, ...(await createUser(ceph.home, uid)) };
  if (maxBytes !== undefined) await setQuota(ceph.home, uid, maxBytes);
  return connection;
}

async function createUser(home: string, uid: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const said = await admin(home, "user", "create", `--uid=${uid}`, `--display-name=${uid}`); // It makes the keys: none in a process list.
  const { keys } = JSON.parse(said.slice(said.indexOf("{"))) as { keys: { access_key: string; secret_key: string }[] };
  const [pair] = keys;
  if (pair === undefined) throw new Error(`radosgw-admin made no keys: ${said}`);
  return { accessKeyId: pair.access_key, secretAccessKey: pair.secret_key };
}

async function setQuota(home: string, uid: string, maxBytes: number | undefined): Promise<void> {
  await admin(home, "quota", "set", `--uid=${uid}`, "--quota-scope=user", `--max-size=${maxBytes ?? -1}`);
  await admin(home, "quota", maxBytes === undefined ? "disable" : "enable", `--uid=${uid}`, "--quota-scope=user");
}

/** Works from any process that knows the home; marked, so that the keeper ends it when the server goes meanwhile. */
async function admin(home: string, ...args: readonly string[]): Promise<string> {
  const command = which("radosgw-admin");
  if (command === undefined) throw new Error("no program radosgw-admin: npm run servers:install");
  const { stdout } = await promisify(execFile)(command, ["-c", `${home}/ceph.conf`, ...args], {
    cwd: home,
    env: { PATH: "/usr/bin:/bin", HOME: home, LANG: "C.UTF-8", STRATUS_SERVER: home },
    timeout: 120_000,
  });
  return stdout;
}

/** The two paxos intervals take the start from 18 s to under 2 s: by default each of the many map changes of a young cluster waits a second. */
function configuration(home: Home, fsid: string, monitorPort: number): string {
  return `
[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitorPort}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = ${home.port + 2}
ms bind port max = ${home.port + 31}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
run dir = ${home.path("run")}
admin socket = ${home.path("run")}/$name.$pid.asok
pid file = ${home.path("run")}/$name.pid
crash dir = ${home.path("log")}
log file = ${home.path("log")}/$name.log
mon data = ${home.path("mon")}
osd data = ${home.path("osd")}
keyring = ${home.path("keyring")}
osd objectstore = memstore
memstore device bytes = 4294967296
osd memory target = 939524096
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
osd max object name len = 2048
paxos propose interval = 0.05
paxos min wait = 0.01
rgw thread pool size = 32
[mon]
mon initial members = a
`;
}
