/** `verify`: every manifest again, the index against a rebuild, and on request every byte. Changes nothing. */
import { createHash } from "node:crypto";
import { StoreError, hasCode } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { isOwn } from "./core.ts";
import { openArchive } from "./format/open.ts";
import { parseName } from "./format/names.ts";
import { memberHeader } from "./format/tar.ts";
import type { ArchiveRow } from "./index/index.ts";
import { FILE, Index } from "./index/index.ts";
import type { Problem } from "./options.ts";
import type { Manifest } from "./format/records.ts";

export async function verify(core: Core, data: boolean, signal: AbortSignal | undefined): Promise<readonly Problem[]> {
  const { index, remote, rules, settings } = core;
  const problems: Problem[] = [];
  const add = (archive: string, path: string | null, problem: string): void => void problems.push({ archive, path, problem });
  for (const { name, reason, newer } of index.archives.unread()) add(name, null, newer === 1 ? `of a newer version: ${reason}` : reason);
  const rebuilt = await Index.inMemory(rules, (writer) => isOwn(core, writer));
  try {
    const known = index.archives.all();
    for (const row of known) {
      if (signal?.aborted === true) throw new StoreError("aborted", "the caller gave up", { cause: signal.reason });
      const parsed = parseName(row.object);
      if (parsed === undefined) throw new Error("the index knows an archive of an impossible name");
      try {
        const opened = await openArchive(parsed, row.bytes, (offset, length) => remote.readPart(row.object, offset, length, signal), settings, rules);
        rebuilt.learn({ ...opened, object: row.object, bytes: row.bytes, learnedMs: row.learned });
        if (data) await verifyData(core, row, opened.manifest, add, signal);
      } catch (error) {
        if (!hasCode(error, "corrupt", "unsupported", "not-found")) throw error;
        add(row.name, null, error.reason);
      }
    }
    compare(index, rebuilt, known, add);
  } finally {
    rebuilt.close();
  }
  for (const row of index.db.all<{ readonly dir: number; readonly name: string; readonly home: number }>(
    "select e.dir, e.name, e.home from entry e join dir d on d.parent = e.dir and d.name = e.name where e.kind = 1 and d.children > 0",
  ))
    add(index.archives.byId(row.home)?.name ?? "", index.view.pathOf(row), "a file is hidden behind a directory of its name");
  return problems;
}

type Add = (archive: string, path: string | null, problem: string) => void;

/** The header before each member, and what the member hashes to. */
async function verifyData(core: Core, row: ArchiveRow, { records }: Manifest, add: Add, signal: AbortSignal | undefined): Promise<void> {
  for (const record of records) {
    if (record.kind !== "file") continue;
    const { path, size, modifiedMs, offset, sha256 } = record;
    const header = memberHeader({ name: path.slice(1), directory: false, size, modifiedMs });
    if (offset < header.length || !header.equals(await core.remote.readPart(row.object, offset - header.length, header.length, signal)))
      add(row.name, path, "its tar header says something else than the manifest");
    const hash = createHash("sha256");
    if (size > 0) {
      const body = await core.remote.openPart(row.object, offset, size, signal);
      for await (const chunk of body) hash.update(chunk);
    }
    if (hash.digest("base64url") !== sha256) add(row.name, path, "its bytes are not those that were written");
  }
}

/** What both show, path by path. */
function compare(index: Index, rebuilt: Index, known: readonly ArchiveRow[], add: Add): void {
  const left = shownOf(index);
  const right = shownOf(rebuilt);
  const names = new Map(known.map(({ id, name }) => [id, name]));
  for (const path of new Set([...left.keys(), ...right.keys()])) {
    const [one, other] = [left.get(path), right.get(path)];
    if (one?.text !== other?.text) add(names.get(one?.home ?? 0) ?? "", path, "the index shows something else than the manifests");
  }
}

function shownOf(index: Index): Map<string, { readonly text: string; readonly home: number }> {
  const shown = new Map<string, { readonly text: string; readonly home: number }>();
  for (const { path, row } of index.view.below("/" as Parameters<Index["view"]["below"]>[0])) {
    const at = row.at === null ? row.ref : index.archives.byId(row.at)?.name;
    const facts = [row.kind, row.t, row.w, row.modified, row.kind === FILE ? [at, row.off, row.size, row.hash, row.extra] : null];
    shown.set(path, { text: JSON.stringify(facts), home: row.home });
  }
  return shown;
}
