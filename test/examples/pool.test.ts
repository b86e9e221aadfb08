/** The example of docs/pool.md does what the page says. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keep } from "../../examples/pool/keep.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { scratch } from "../scratch.ts";
import { sha } from "../pool/lab.ts";

test("a file is kept on two hosts and comes back", async () => {
  const base = mkdtempSync(join(scratch(), "pool-example-"));
  try {
    mkdirSync(join(base, "state"));
    writeFileSync(join(base, "talk.txt"), "a talk");
    const hosts = { a: memory({ name: "a" }), b: memory({ name: "b" }), c: memory({ name: "c" }) };
    expect(await keep(join(base, "state"), hosts, join(base, "talk.txt"), join(base, "again.txt"))).toBe(sha("a talk"));
    expect(readFileSync(join(base, "again.txt"), "utf8")).toBe("a talk");
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
