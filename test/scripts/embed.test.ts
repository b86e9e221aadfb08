/** The code on the pages is the code that the tests run. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { embedded, pages } from "../../scripts/embed.ts";

test("every page shows the files that it names as they are now: run `node scripts/run.js scripts/embed`", async () => {
  for (const page of await pages()) {
    const text = await readFile(page, "utf8");
    expect(await embedded(text), page.pathname).toBe(text);
  }
});
