/**
 * OpenStack Swift with its S3 interface: the second opinion on S3; with `google` it takes region `auto` only, as Google Storage does.
 *
 *     await using swift = await startSwift();
 *     await using google = await startSwift({ google: true });
 */
import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import type { S3Connection, S3Server } from "./connection.ts";
import { control } from "./control.ts";
import { inHome, listens } from "./home.ts";
import type { Home } from "./home.ts";
import { rawHttp } from "./raw-http.ts";
import { rawS3 } from "./raw-s3.ts";
import { missingFor } from "./requirements.ts";

export const missing = (): string | undefined => missingFor("swift");

const stores = ["object", "container", "account"] as const;

export async function startSwift({ google = false }: { readonly google?: boolean } = {}): Promise<S3Server> {
  return inHome(google ? "swift-google" : "swift", async (home) => {
    const region = google ? "auto" : "us-east-1";
    const secretAccessKey = randomBytes(16).toString("hex");
    home.mkdir("etc");
    home.mkdir("node");
    home.mkdir("node", "d1");
    const cachePort = home.port + 4;
    home.write("etc/swift.conf", "[swift-hash]\nswift_hash_path_prefix = p\nswift_hash_path_suffix = s\n[storage-policy:0]\nname = gold\ndefault = yes\n");
    home.write("etc/proxy-server.conf", proxy(home, cachePort, region, secretAccessKey));
    const ports = stores.map((store, index) => [store, home.port + 1 + index] as const);
    for (const [store, port] of ports) home.write(`etc/${store}-server.conf`, storage(home, store, port));
    // What nine calls of swift-ring-builder do, in one start of Python instead of nine.
    await home.run("python3", ["-c", ringScript, home.path("etc"), ...ports.map(([store, port]) => `${store}:${port}`)]);
    const env = { SWIFT_DIR: home.path("etc") };
    const processes = await Promise.all([
      home.start("swift-proxy-server", [home.path("etc", "proxy-server.conf")], env),
      home.start("memcached", ["-u", runAs(), "-l", "127.0.0.1", "-p", String(cachePort), "-m", "64"]),
      ...stores.map(async (store) => home.start(`swift-${store}-server`, [home.path("etc", `${store}-server.conf`)], env)),
    ]);
    await home.ready("all five listen", async () => (await Promise.all([0, 1, 2, 3, 4].map(async (n) => listens(home.port + n)))).every(Boolean), ...processes);
    const endpoint = `http://127.0.0.1:${home.port}`;
    await home.ready("it is healthy", async () => (await rawHttp(endpoint, "GET", "/healthcheck")).status === 200, ...processes);
    const connection: S3Connection = {
      kind: "s3",
      name: google ? "swift-google" : "swift",
      endpoint,
      region,
      accessKeyId: "test:tester",
      secretAccessKey,
      home: home.directory,
    };
    const warm = rawS3(connection, "warm-up");
    await warm.createBucket();
    await warm.put("object", Buffer.from("x"));
    await warm.destroy();
    return control(connection, home, [processes[0]]);
  });
}

const ringScript = `
import sys
from swift.common.ring import RingBuilder
for each in sys.argv[2:]:
    name, port = each.split(":")
    builder = RingBuilder(6, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 1.0})
    builder.rebalance()
    builder.get_ring().save("%s/%s.ring.gz" % (sys.argv[1], name))
`;

/** As root the keeper drops to nobody. */
function runAs(): string {
  if (process.getuid?.() === 0) return "nobody";
  try {
    return userInfo().username;
  } catch (cause) {
    throw new Error(`swift and memcached want a user with a name: uid ${process.getuid?.()} has none in /etc/passwd`, { cause });
  }
}

function common(home: Home, port: number): string {
  return `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nuser = ${runAs()}\nswift_dir = ${home.path("etc")}\nworkers = 0\nlog_level = WARNING\n`;
}

function storage(home: Home, store: string, port: number): string {
  return `${common(home, port)}devices = ${home.path("node")}
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
[pipeline:main]
pipeline = ${store}-server
[app:${store}-server]
use = egg:swift#${store}
`;
}

function proxy(home: Home, cachePort: number, region: string, secret: string): string {
  const plain = "catch_errors gatekeeper healthcheck listing_formats bulk copy slo dlo symlink".split(" ");
  return `${common(home, home.port)}[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cachePort}
[filter:s3api]
use = egg:swift#s3api
location = ${region}
allow_multipart_uploads = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${secret} .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
${plain.map((name) => `[filter:${name}]\nuse = egg:swift#${name}`).join("\n")}
`;
}
