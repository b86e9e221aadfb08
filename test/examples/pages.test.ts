/** Whoever copies the code of a page has all of it: what a shown file imports beside itself is shown on the same page. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { embedded, pages } from "../../scripts/embed.ts";

test("every page shows the files that its code imports, as they are", async () => {
  let files = 0;
  for (const page of await pages()) {
    const text = await readFile(page, "utf8");
    expect(await embedded(text), `${page.pathname} is not current: node scripts/run.js scripts/embed`).toBe(text);
    const shown = new Set([...text.matchAll(/<!-- (examples\/[\w./-]+) -->/g)].map(([, file]) => file as string));
    for (const file of shown) {
      files++;
      const code = await readFile(new URL(`../../${file}`, import.meta.url), "utf8");
      for (const [, beside = ""] of code.matchAll(/from "(\.[^"]+)"/g)) expect(shown, `${page.pathname}: ${file}`).toContain(join(dirname(file), beside));
    }
  }
  expect(files).toBeGreaterThan(5);
});
