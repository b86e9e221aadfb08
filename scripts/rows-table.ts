/** The rows of docs/rows.md, and which tests name them. A check of the suite names its rows in `rows`, a test in its title or a comment. */
import { readFile, readdir } from "node:fs/promises";

export interface Row {
  readonly id: string;
  readonly feature: string;
  readonly state: string;
  readonly tests: readonly string[];
}

const root = new URL("../", import.meta.url);

export async function readRows(): Promise<readonly Row[]> {
  const text = await readFile(new URL("docs/rows.md", root), "utf8");
  const named = await namedRows();
  return text.split("\n").flatMap((line) => {
    const found = /^\| ((?:CF|CM|PW|PS|S3R)\d+) \| (.+?) \| (.+?) \|$/.exec(line);
    if (found === null) return [];
    const [, id = "", feature = "", state = ""] = found;
    return [{ id, feature, state, tests: [...(named.get(id) ?? [])] }];
  });
}

export function faults(rows: readonly Row[]): string[] {
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const { id, state, tests } of rows) {
    if (seen.has(id)) wrong.push(`${id} stands twice in docs/rows.md`);
    seen.add(id);
    if (state === "covered" && tests.length === 0) wrong.push(`${id} is claimed as covered and named by no test`);
    else if (!/^(covered|not yet: .+|out of scope: .+)$/.test(state)) wrong.push(`${id} has no state that is known: ${state}`);
  }
  return wrong;
}

async function namedRows(): Promise<Map<string, Set<string>>> {
  const named = new Map<string, Set<string>>();
  for (const folder of ["test", "src/conformance/checks"]) {
    for (const file of await readdir(new URL(folder, root), { recursive: true })) {
      if (!file.endsWith(".ts")) continue;
      const text = await readFile(new URL(`${folder}/${file}`, root), "utf8");
      for (const id of rowsIn(folder === "test" ? text : listed(text))) {
        const where = named.get(id) ?? new Set();
        named.set(id, where.add(`${folder}/${file}`.replace("src/conformance/checks/", "check ")));
      }
    }
  }
  return named;
}

/** The `rows: [...]` of checks: a mention in prose proves nothing. */
function listed(text: string): string {
  return [...text.matchAll(/\brows: \[([^\]]*)\]/g)].map(([, inside]) => inside).join(" ");
}

/** "CF6", and the ids between the two of "CF1–CF4". */
function rowsIn(text: string): string[] {
  const ids: string[] = [];
  for (const [, group = "", first = "", last] of text.matchAll(/\b(CF|CM|PW|PS|S3R)(\d+)(?:[–-](?:CF|CM|PW|PS|S3R)?(\d+))?\b/g))
    for (let n = Number(first); n <= Number(last ?? first) && n - Number(first) < 200; n++) ids.push(`${group}${n}`);
  return ids;
}
