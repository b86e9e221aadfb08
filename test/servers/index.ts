/**
 * All servers by name: what is missing, and starting several at once.
 *
 *     const servers = await startServers(["ceph", "apache"]); // servers.ceph.endpoint, servers.apache.url
 *     await stopServers(servers);
 */
import { missing as apacheMissing, startApache } from "./apache.ts";
import { missing as cephMissing, startCeph } from "./ceph.ts";
import type { CephServer } from "./ceph.ts";
import type { S3Server, Server, ServerName, WebDavName, WebDavServer } from "./connection.ts";
import { serverNames } from "./connection.ts";
import { missing as lighttpdMissing, startLighttpd } from "./lighttpd.ts";
import { missing as nginxMissing, startNginx } from "./nginx.ts";
import { missing as rcloneMissing, startRclone } from "./rclone.ts";
import { missing as sabreMissing, startSabreDav } from "./sabredav.ts";
import { missing as swiftMissing, startSwift } from "./swift.ts";
import type { WebDavOptions } from "./webdav.ts";

export { serverNames };
export type { CephServer, S3Server, Server, ServerName, WebDavName, WebDavOptions, WebDavServer };

/** What starting each of them gives. */
export interface ServerTypes {
  ceph: CephServer;
  swift: S3Server;
  "swift-google": S3Server;
  apache: WebDavServer;
  lighttpd: WebDavServer;
  sabredav: WebDavServer;
  nginx: WebDavServer;
  rclone: WebDavServer;
}

const webdavStarters: Readonly<Record<WebDavName, (options?: WebDavOptions) => Promise<WebDavServer>>> = {
  apache: startApache,
  lighttpd: startLighttpd,
  sabredav: startSabreDav,
  nginx: startNginx,
  rclone: startRclone,
};

const starters: { readonly [N in ServerName]: { start(): Promise<ServerTypes[N]>; missing(): string | undefined } } = {
  ceph: { start: startCeph, missing: cephMissing },
  swift: { start: async () => startSwift(), missing: swiftMissing },
  "swift-google": { start: async () => startSwift({ google: true }), missing: swiftMissing },
  apache: { start: async () => startApache(), missing: apacheMissing },
  lighttpd: { start: async () => startLighttpd(), missing: lighttpdMissing },
  sabredav: { start: async () => startSabreDav(), missing: sabreMissing },
  nginx: { start: async () => startNginx(), missing: nginxMissing },
  rclone: { start: async () => startRclone(), missing: rcloneMissing },
};

/** Says which programs of a server are absent, or undefined when it can be started. */
export function missing(name: ServerName): string | undefined {
  return starters[name].missing();
}

/** Starts one server of our own; throws when something of it is missing. */
export async function startServer<N extends ServerName>(name: N): Promise<ServerTypes[N]> {
  const absent = missing(name);
  if (absent !== undefined) throw new Error(absent);
  return starters[name].start();
}

/** Starts a WebDAV server with options: `startWebDav("sabredav", { diskBytes: 2_000_000 })`. */
export async function startWebDav(name: WebDavName, options: WebDavOptions = {}): Promise<WebDavServer> {
  const absent = missing(name);
  if (absent !== undefined) throw new Error(absent);
  return webdavStarters[name](options);
}

/** Starts several at once. When one fails, those that did start are stopped. */
export async function startServers<N extends ServerName>(names: readonly N[]): Promise<{ [K in N]: ServerTypes[K] }> {
  const started = await Promise.allSettled(names.map(async (name) => [name, await startServer(name)] as const));
  const running = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failures = started.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  if (failures.length > 0) {
    await Promise.all(running.map(async ([, server]) => server.stop()));
    throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.map(String).join("\n"));
  }
  return Object.fromEntries(running) as { [K in N]: ServerTypes[K] };
}

export async function stopServers(servers: Partial<Record<ServerName, Server>>): Promise<void> {
  await Promise.all(Object.values(servers).map(async (server) => server.stop()));
}

/** The names in a text like `ceph,apache` or `all`; throws on a name that is none. */
export function parseNames(text: string): ServerName[] {
  if (text.trim() === "all") return [...serverNames];
  const names = text.split(/[\s,]+/).filter((name) => name !== "");
  return names.map((name) => {
    const found = serverNames.find((each) => each === name);
    if (found === undefined) throw new Error(`no server "${name}"; there are ${serverNames.join(", ")}`);
    return found;
  });
}
