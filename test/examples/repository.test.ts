/** The example of docs/repository.md does what the page says. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keep, lookAfter, options, read } from "../../examples/repository/logs.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { Repository, sqliteCatalogue } from "../../src/repository/index.ts";
import { borrow } from "../../src/store/index.ts";
import { scratch } from "../scratch.ts";

test("a log is kept on one machine and read on another", async () => {
  const base = mkdtempSync(join(scratch(), "repository-example-"));
  try {
    await using store = memory();
    const at = (host: string): ReturnType<typeof options> =>
      options(sqliteCatalogue({ file: join(base, "catalogue.db") }), borrow(store), join(base, host), host);
    writeFileSync(join(base, "web.log"), "GET /");
    {
      await using repo = await Repository.create(at("one"));
      await keep(repo, join(base, "web.log"), new Date("2026-01-15T12:00:00Z"));
      expect(existsSync(join(base, "web.log"))).toBe(false);
    }
    await using repo = await Repository.open(at("two"));
    expect(await read(repo, "2026-01-15")).toEqual(["GET /"]);
    expect(await read(repo, "2026-01-16")).toEqual([]);
    await lookAfter(repo);
    expect(await read(repo, "2026-01-15")).toEqual(["GET /"]);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
