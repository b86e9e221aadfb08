/** Four processes on one repository for some minutes, killed again and again; a fresh seed each time, which is printed. */
import { describe, expect, test } from "vitest";
import { startPostgres } from "../servers/postgres.ts";
import { notProvedBy } from "../servers/shared.ts";
import { fourProcesses } from "./processes.ts";

describe.skipIf(notProvedBy("postgres", "the repository's processes on PostgreSQL") !== undefined)("four processes, for minutes", () => {
  test("are killed twenty times each; what was acknowledged is there, nothing is left over, no lock stays", { timeout: 3_600_000 }, async () => {
    await using server = await startPostgres();
    const seed = Number(process.env["STRATUS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`seed ${seed}`);
    const { lines, files } = await fourProcesses(server.url, seed, 20, 8000);
    console.log(`${lines} lines about ${files} files`);
    expect(lines).toBeGreaterThan(1000);
  });
});
