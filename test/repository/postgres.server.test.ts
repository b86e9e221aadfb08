/** The repository on PostgreSQL: all that it does on SQLite, and several machines on one catalogue. */
import { afterAll, beforeAll, describe } from "vitest";
import { postgresCatalogue } from "../../src/catalogue/index.ts";
import { startPostgres } from "../servers/postgres.ts";
import type { PostgresServer } from "../servers/postgres.ts";
import { notProvedBy } from "../servers/shared.ts";
import type { Places } from "./lab.ts";
import { backupTests } from "./suite-backup.ts";
import { careTests } from "./suite-care.ts";
import { drillTests } from "./suite-drills.ts";
import { stateTests } from "./suite-states.ts";
import { workTests } from "./suite-work.ts";

const why = notProvedBy("postgres", "the repository on PostgreSQL");

describe.skipIf(why !== undefined)("on PostgreSQL", () => {
  let server: PostgresServer;
  let schemas = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  /** For one lab: its catalogues by name, each a schema. */
  const places: Places = () => {
    const prefix = `r${(schemas += 1)}`;
    return (name) => postgresCatalogue({ connectionString: server.url, schema: `${prefix}_${name}`, maxConnections: 3 });
  };

  stateTests("postgres", places);
  workTests("postgres", places);
  careTests("postgres", places);
  backupTests("postgres", places);
  drillTests("postgres", places);
});
