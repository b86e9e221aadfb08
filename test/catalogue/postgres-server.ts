/** One PostgreSQL for the tests of a `describe`. */
import { afterAll, beforeAll } from "vitest";
import { postgresCatalogue } from "../../src/catalogue/index.ts";
import { startPostgres } from "../servers/postgres.ts";
import type { PostgresServer } from "../servers/postgres.ts";
import type { Places } from "./lab-parts.ts";

/** Started before its tests, stopped after them: what is returned is read in a test. */
export function usePostgres(): { readonly url: string } {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  return {
    get url() {
      if (server === undefined) throw new Error("PostgreSQL runs during tests only");
      return server.url;
    },
  };
}

/** For one lab: its catalogues by name, each a schema whose name begins so. */
export function postgresPlaces(server: { readonly url: string }, letter: string): Places {
  let schemas = 0;
  return () => {
    const prefix = `${letter}${(schemas += 1)}`;
    return (name) => postgresCatalogue({ connectionString: server.url, schema: `${prefix}_${name}`, maxConnections: 3 });
  };
}
