/**
 * PostgreSQL without flushes: under a second to start, so that each test file has one of its own and drops nothing of others.
 *
 *     const why = notProvedBy("postgres", "the catalogue on PostgreSQL");
 *     await using postgres = await startPostgres();      // postgres.url is that of an empty database
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { inHome } from "./home.ts";
import { missingFor } from "./requirements.ts";

export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  readonly home: string;
  /** As a power cut of the server, without that of its disk: SIGKILL, then a start that recovers. Every connection breaks. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export const missing = (): string | undefined => missingFor("postgres");

/** Password of its own, by scram-sha-256 as real servers ask for it; 127.0.0.1 only. */
export async function startPostgres(): Promise<PostgresServer> {
  return inHome("postgres", async (home) => {
    const password = randomBytes(12).toString("hex");
    const passwordFile = home.write("password", `${password}\n`);
    const data = home.path("data");
    await home.run("initdb", ["-D", data, "-U", "stratus", "-A", "scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "--no-sync"]);
    const settings = {
      listen_addresses: "127.0.0.1",
      port: String(home.port),
      unix_socket_directories: home.path("run"),
      fsync: "off",
      max_connections: "60",
    };
    const args = ["-D", data, ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`])];
    const up = async () => {
      const started = await home.start("postgres", args);
      // It listens before it serves.
      await home.ready("serves", async () => readFileSync(started.log, "utf8").includes("ready to accept connections"), started);
      return started;
    };
    let server = await up();
    return {
      url: `postgres://stratus:${password}@127.0.0.1:${home.port}/postgres`,
      home: home.directory,
      crash: async () => {
        await home.signal("SIGKILL", server);
        await server.exit;
        // Its children notice that it is gone, and the data stays theirs until then.
        for (let attempt = 1; ; attempt += 1) {
          try {
            server = await up();
            return;
          } catch (error) {
            if (attempt === 50 || !/still in use|already exists/.test(String(error))) throw error;
            await delay(50);
          }
        }
      },
      stop: () => home.close(),
      [Symbol.asyncDispose]: () => home.close(),
    };
  });
}
