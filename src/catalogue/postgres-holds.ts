/** Advisory locks of one session: the database lets go of them when the process or the connection dies. */
import { Turns } from "../store/index.ts";
import { fromPostgres } from "./errors.ts";
import type { PgClient } from "./pg-package.ts";
import type { Hold } from "./types.ts";

interface Session {
  readonly client: PgClient;
  /** A session may take a lock twice, so what this process holds is known here. */
  readonly held: Set<string>;
  lost: boolean;
}

export class PostgresHolds {
  readonly #connect: () => Promise<PgClient>;
  readonly #turns = new Turns();
  #session: Session | undefined;

  constructor(connect: () => Promise<PgClient>) {
    this.#connect = connect;
  }

  async #open(): Promise<Session> {
    if (this.#session !== undefined && !this.#session.lost) return this.#session;
    const client = await this.#connect();
    const session: Session = { client, held: new Set(), lost: false };
    const gone = (): void => {
      if (session.lost) return;
      session.lost = true;
      client.release(true);
    };
    client.on("error", gone);
    client.on("end", gone);
    this.#session = session;
    return session;
  }

  take(name: string, key: string): Promise<Hold | null> {
    return this.#turns.take("session", undefined, async () => {
      const session = await this.#open();
      if (session.held.has(name)) return null;
      const { rows } = await ask(session.client, "select pg_try_advisory_lock(hashtextextended($1, 2)) as got", name);
      if (!(rows[0] as { readonly got: boolean }).got) return null;
      session.held.add(name);
      let mine = true;
      return {
        key,
        get lost() {
          return session.lost;
        },
        [Symbol.asyncDispose]: async () => {
          if (mine) await this.#release(session, name);
          mine = false;
        },
      };
    });
  }

  #release(session: Session, name: string): Promise<void> {
    return this.#turns.take("session", undefined, async () => {
      if (!session.held.delete(name) || session.lost) return;
      await ask(session.client, "select pg_advisory_unlock(hashtextextended($1, 2))", name);
    });
  }

  close(): Promise<void> {
    return this.#turns.take("session", undefined, async () => {
      const session = this.#session;
      if (session === undefined || session.lost) return;
      session.lost = true;
      // Thrown away, not given back: its locks go with it.
      session.client.release(true);
    });
  }
}

async function ask(client: PgClient, sql: string, value: string): Promise<{ readonly rows: unknown[] }> {
  try {
    return await client.query(sql, [value]);
  } catch (error) {
    throw fromPostgres(error);
  }
}
