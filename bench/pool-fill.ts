/** Catalogues of so many files as rows, by few statements: what is done with them is measured, not the filling. */
import { createHash } from "node:crypto";
import type { Catalogue, Value } from "../src/catalogue/index.ts";

export const hashOf = (n: number): string => createHash("sha256").update(`file ${n}`).digest("hex");
/** Of the files that are in the cache: they are alike, so that which one leaves does not matter. */
export const CACHED_SIZE = 100;
/** Versions of a path, files of a directory, files of a tag. */
export const GROUP = 10;

const STEP = 1000;

/** `into`: "file(hash, name)". */
async function insert(db: Catalogue, into: string, files: number, row: (n: number) => readonly Value[]): Promise<void> {
  const places = `(${row(0)
    .map(() => "?")
    .join(", ")})`;
  for (let from = 0; from < files; from += STEP) {
    const rows = Array.from({ length: Math.min(STEP, files - from) }, (_, n) => row(from + n));
    await db.run(`insert into ${into} values ${rows.map(() => places).join(", ")}`, ...rows.flat());
  }
}

async function ready(db: Catalogue): Promise<void> {
  // What a server does by itself soon after.
  if (db.kind === "postgres") await db.run("analyze");
}

/** Files with one copy each on host "a", all confirmed; the first ones in the cache of this node under names that `cachedName` gives. */
export async function fillPool(db: Catalogue, files: number): Promise<void> {
  await insert(db, "file(hash, name, size, created_ms, queued, confirmed)", files, (n) => [hashOf(n), `file ${n}`, CACHED_SIZE, n, 0, "bench"]);
  await db.run(
    "insert into copy(file, host, url, state, owned, made_ms, checked_ms) select id, 'a', '/' || substr(hash, 1, 2) || '/' || hash || '.0123456789ab', 1, 1, created_ms, created_ms from file",
  );
  await ready(db);
}

/** So many versions of each path, of which the newest is published and the others are expired; each with an object, a local copy and two tags. Nothing is updated: dead rows are not what is measured. */
export async function fillRepository(db: Catalogue, files: number): Promise<void> {
  const [host] = await db.query<{ readonly id: number }>("select id from repo_host");
  const paths = Math.ceil(files / GROUP);
  await insert(db, "repo_path(path, versions)", paths, (n) => [`/d${Math.floor(n / GROUP)}/f${n}`, GROUP]);
  const [first] = await db.query<{ readonly id: number }>("select min(id) as id from repo_path");
  const path = (n: number): number => (first?.id ?? 1) + Math.floor(n / GROUP);
  const columns =
    "guid, bucket, key, path, origin, content, md5, sha256, size, created_ms, changed_ms, uploaded_ms, version, published, published_ms, expired_ms, expired_after";
  await insert(db, `repo_file(${columns})`, files, (n) => {
    const sha256 = hashOf(n);
    const newest = n % GROUP === GROUP - 1 || n === files - 1;
    const version = (n % GROUP) + 1;
    const rest = newest ? [1, n, null, null] : [0, n, n, 0];
    return [sha256.slice(0, 32), "main", `/k${n}`, path(n), host?.id ?? 1, 1, sha256.slice(32), sha256, CACHED_SIZE, n, n, n, version, ...rest];
  });
  const object =
    "insert into repo_object(bucket, path, file, content, state, made_ms, due_ms, tries) select 'main', '/object' || id, id, 1, 1, 0, 0, 0 from repo_file";
  await db.run(object);
  await db.run("insert into repo_copy(host, name, file, size, downloaded_ms, used_ms, leaving) select origin, 'copy' || id, id, size, 0, id, 0 from repo_file");
  await db.run(`insert into repo_file_tag(file, tag, tagged_ms) select id, 'tag ' || (id / ${GROUP}), 0 from repo_file`);
  await db.run("insert into repo_path_tag(path, tag, tagged_ms) select id, 'path ' || id, 0 from repo_path");
  await ready(db);
}
