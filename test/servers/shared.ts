/**
 * One running instance of each server for a whole test run, started when the first file asks for it.
 *
 *     const why = notProved("ceph");                     // at collection: undefined, or why this server can't be used here
 *     describe.skipIf(why !== undefined)("s3 on ceph", () => {
 *       let ceph: S3Connection;
 *       beforeAll(async () => { ceph = await useServer("ceph"); }, 120_000);
 *
 * In vitest the instance belongs to global-setup.ts and is the same for all files. Elsewhere (bench, node:test, scripts) it belongs to this
 * process and ends with it. Others use it at the same time: keep to buckets and directories of your own, and start a server of your own
 * (`startServer`) to pause or crash it.
 */
import { randomBytes } from "node:crypto";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { Connection, S3Connection, S3Name, ServerName, WebDavConnection } from "./connection.ts";
import { s3Names, serverNames } from "./connection.ts";
import { connectionOf } from "./control.ts";
import { missing, parseNames, startServer } from "./index.ts";
import { missingFor } from "./requirements.ts";
import type { RequirementName } from "./requirements.ts";

export type ConnectionTo<N extends ServerName> = N extends S3Name ? S3Connection : WebDavConnection;

/** Where a hub listens: `port:token`. Not for people. */
const hubVariable = "STRATUS_SERVERS_HUB";

/**
 * The servers that are wanted: all that are installed, or those of STRATUS_SERVERS (`ceph,apache`, `all`, `none`). Named ones are started at
 * once, others when asked for.
 */
export function selection(): { readonly names: readonly ServerName[]; readonly eager: boolean } {
  const text = process.env["STRATUS_SERVERS"];
  if (text === undefined || text === "") return { names: serverNames, eager: false };
  if (text === "none") return { names: [], eager: false };
  return { names: parseNames(text), eager: true };
}

/** Why nothing can be proved on this server here and now; undefined when it can. In CI an absent server is an error. */
export function notProved(name: ServerName): string | undefined {
  if (!selection().names.includes(name)) return `STRATUS_SERVERS leaves out ${name}`;
  const absent = missing(name);
  if (absent !== undefined && inCi()) throw new Error(`${absent}: in CI every server must be there`);
  return absent;
}

/** The same for a client or another program that results are compared with. Says so once where it is absent: `what` is what nothing is proved of. */
export function notProvedBy(name: RequirementName, what: string): string | undefined {
  const absent = missingFor(name);
  if (absent === undefined) return undefined;
  if (inCi()) throw new Error(`${absent}: in CI every program must be there`);
  console.warn(`NOT PROVED: ${what} (${absent})`);
  return absent;
}

/** One line for each server that nothing is proved on, naming the provider. */
export function notProvedLines(): string[] {
  const wanted = selection().names;
  return serverNames.flatMap((name) => {
    const why = wanted.includes(name) ? missing(name) : `STRATUS_SERVERS leaves out ${name}`;
    return why === undefined ? [] : [`NOT PROVED: provider ${(s3Names as readonly string[]).includes(name) ? "s3" : "webdav"} on ${name} (${why})`];
  });
}

export function inCi(): boolean {
  const ci = process.env["CI"];
  return ci !== undefined && ci !== "" && ci !== "0" && ci !== "false";
}

const own = new Map<ServerName, Promise<Connection>>();

/** The connection to the shared server of this name, started if it isn't running yet. */
export async function useServer<N extends ServerName>(name: N): Promise<ConnectionTo<N>> {
  const hub = process.env[hubVariable];
  let connection = own.get(name);
  if (connection === undefined) {
    connection = hub === undefined ? startServer(name).then(connectionOf) : askHub(hub, name);
    own.set(name, connection);
  }
  return (await connection) as ConnectionTo<N>;
}

async function askHub(hub: string, name: ServerName): Promise<Connection> {
  const [port, token] = hub.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`the test run that shares ${name} is gone`)));
    createInterface({ input: socket }).once("line", (line) => {
      const answer = JSON.parse(line) as { readonly connection?: Connection; readonly error?: string };
      if (answer.connection === undefined) reject(new Error(answer.error));
      else resolve(answer.connection);
      socket.end();
    });
    socket.write(`${JSON.stringify({ token, name })}\n`);
  });
}

export interface Hub {
  /** Stops all servers. Throws when one that was to be started at once could not be. */
  close(): Promise<void>;
}

/** Shares servers with the processes started after this (they inherit the environment). */
export async function openHub(): Promise<Hub> {
  const running = new Map<ServerName, Promise<Connection & { stop(): Promise<void> }>>();
  const token = randomBytes(16).toString("hex");
  const get = async (name: ServerName): Promise<Connection> => {
    let server = running.get(name);
    if (server === undefined) {
      server = startServer(name);
      server.catch(() => {}); // Whoever asks is told, and close() tells of those nobody asked for.
      running.set(name, server);
    }
    return connectionOf(await server);
  };
  const sockets = new Set<Socket>();
  const hub = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // A worker that went away.
    createInterface({ input: socket }).once("line", (line) => {
      const asked = JSON.parse(line) as { readonly token?: string; readonly name?: string };
      if (asked.token !== token || asked.name === undefined) return void socket.destroy();
      const answer = (value: object): void => void socket.end(`${JSON.stringify(value)}\n`);
      Promise.resolve(asked.name)
        .then((name) => get(parseNames(name)[0] as ServerName))
        .then(
          (connection) => answer({ connection }),
          (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
        );
    });
  });
  await new Promise<void>((resolve, reject) => hub.once("error", reject).listen({ host: "127.0.0.1", port: 0 }, resolve));
  process.env[hubVariable] = `${(hub.address() as AddressInfo).port}:${token}`;
  const { names, eager } = selection();
  if (eager) for (const name of names) if (missing(name) === undefined) get(name).catch(() => {});
  return {
    close: async () => {
      delete process.env[hubVariable];
      hub.close();
      for (const socket of sockets) socket.destroy();
      const started = await Promise.allSettled(running.values());
      const stopped = await Promise.allSettled(started.map(async (each) => (each.status === "fulfilled" ? each.value.stop() : undefined)));
      const failures = [...started, ...stopped].flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
      if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("\n"));
    },
  };
}
