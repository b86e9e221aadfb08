/** Pages show code that is compiled and run: `<!-- examples/acme/provider.ts -->` is followed by that file, put there by `node scripts/run.js scripts/embed`. */
import { readFile, readdir, writeFile } from "node:fs/promises";

const root = new URL("../", import.meta.url);

/** The page with every named file in place. */
export async function embedded(page: string): Promise<string> {
  let out = "";
  const mark = /<!-- ((?:examples|src)\/[\w./-]+) -->\n+(?:```ts\n[\s\S]*?\n```\n)?/g;
  let at = 0;
  for (const found of page.matchAll(mark)) {
    const code = (await readFile(new URL(found[1] as string, root), "utf8")).trimEnd();
    out += `${page.slice(at, found.index)}<!-- ${found[1]} -->\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
    at = found.index + found[0].length;
  }
  return out + page.slice(at);
}

export async function pages(): Promise<readonly URL[]> {
  const files = await readdir(new URL("docs", root), { recursive: true });
  return [new URL("README.md", root), ...files.filter((file) => file.endsWith(".md")).map((file) => new URL(`docs/${file}`, root))];
}

if (import.meta.main || process.argv[1] === import.meta.filename) {
  for (const page of await pages()) {
    const text = await readFile(page, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const now = await embedded(text);
    if (now !== text) await writeFile(page, now);
  }
}
