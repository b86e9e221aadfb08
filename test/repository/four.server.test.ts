/** Four processes work on one repository and are killed, for a few seconds. The long run is four.server.torture.test.ts. */
import { describe, expect, test } from "vitest";
import { startPostgres } from "../servers/postgres.ts";
import { notProvedBy } from "../servers/shared.ts";
import { fourProcesses } from "./processes.ts";

describe.skipIf(notProvedBy("postgres", "the repository's processes on PostgreSQL") !== undefined)("four processes", () => {
  test("work side by side and are killed, twice: what was acknowledged is there, nothing is left over, no lock stays", { timeout: 400_000 }, async () => {
    await using server = await startPostgres();
    const { lines, files } = await fourProcesses(server.url, 1, 2, 4000);
    expect(lines).toBeGreaterThan(50);
    expect(files).toBeGreaterThan(10);
  });
});
