/** Whether the stores have what the catalogue says, and putting right from local copies what they have not. */
import { Tally } from "../catalogue/index.ts";
import type { OnProgress } from "../catalogue/index.ts";
import { hasCode } from "../store/index.ts";
import type { StoreError } from "../store/index.ts";
import type { Core } from "./core.ts";
import { sumOfBytes } from "./disk.ts";
import type { RepositoryError } from "./errors.ts";
import { ofOneFile } from "./failures.ts";
import type { FileFailure } from "./failures.ts";
import { copyOf, fullRow } from "./rows.ts";
import { send } from "./send.ts";
import { STORED } from "./schema.ts";

export interface Finding {
  readonly file: number;
  /** The logical path. */
  readonly path: string;
  readonly bucket: string;
  readonly object: string;
  /** Hosts that have a local copy, by name: `repair` there. None: the bytes are gone, but for backups of the store. */
  readonly copies: readonly string[];
}
export interface VerifyReport {
  /** Objects that were asked about. */
  readonly objects: number;
  readonly good: number;
  /** Not there. */
  readonly missing: readonly Finding[];
  /** There with another size or other bytes. */
  readonly wrong: readonly Finding[];
  /** Nothing could be learnt, for the store failed; they count as before. */
  readonly unknown: readonly (Finding & { readonly error: StoreError | RepositoryError })[];
  /** Ids of published files that were not sent yet: their publication was offline. */
  readonly unsent: readonly number[];
}
export interface RepairReport {
  /** Ids of files whose object is right again. */
  readonly repaired: readonly number[];
  /** Ids of files that this host has not got. */
  readonly elsewhere: readonly number[];
  readonly failures: readonly FileFailure[];
}
interface Row {
  readonly id: number;
  readonly bucket: string;
  readonly path: string;
  readonly file: number;
  readonly bad: string | null;
  readonly logical: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

const PAGE = 500;
const AT_ONCE = 8;
const COLUMNS = `select o.id, o.bucket, o.path, o.file, o.bad, p.path as logical, f.size, f.md5, f.sha256
 from repo_object o join repo_file f on f.id = o.file join repo_path p on p.id = f.path`;

/** Of each object its place, size and what hashes the store tells; with `deep` all its bytes. What is wrong is written down. */
export async function verify(core: Core, deep: boolean, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<VerifyReport> {
  const tally = new Tally(onProgress);
  if (tally.heard) {
    const [all] = await core.db.query<{ readonly objects: number; readonly bytes: number }>(
      `select count(*) as objects, cast(coalesce(sum(f.size), 0) as {int}) as bytes from repo_object o join repo_file f on f.id = o.file where o.state = ${STORED} and f.pending is null`,
    );
    tally.expect(all?.objects ?? 0, deep ? (all?.bytes ?? 0) : null);
  }
  const found = { objects: 0, good: 0, missing: [] as Finding[], wrong: [] as Finding[], unknown: [] as VerifyReport["unknown"][number][] };
  for (let last = 0; ;) {
    const rows = await core.db.query<Row>(`${COLUMNS} where o.state = ? and f.pending is null and o.id > ? order by o.id limit ${PAGE}`, STORED, last);
    const line = [...rows];
    const worker = async (): Promise<void> => {
      for (let row = line.shift(); row !== undefined; row = line.shift()) {
        signal?.throwIfAborted();
        await look(core, row, deep, signal, found);
        tally.add(1, deep ? row.size : 0);
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
    for (const each of ended) if (each.status === "rejected") throw each.reason;
    last = rows.at(-1)?.id ?? last;
    if (rows.length < PAGE) break;
  }
  for (const list of [found.missing, found.wrong, found.unknown]) list.sort((a, b) => a.file - b.file);
  const unsent = await core.db.query<{ readonly id: number }>(
    "select id from repo_file where published = 1 and uploaded_ms is null and pending is null order by id",
  );
  return { ...found, unsent: unsent.map(({ id }) => id) };
}

interface Found {
  objects: number;
  good: number;
  readonly missing: Finding[];
  readonly wrong: Finding[];
  readonly unknown: VerifyReport["unknown"][number][];
}

async function look(core: Core, row: Row, deep: boolean, signal: AbortSignal | undefined, found: Found): Promise<void> {
  found.objects += 1;
  try {
    const state = await probe(core, row, deep, signal);
    if (state === "good") {
      found.good += 1;
      // Whether its bytes are right again only they can say.
      if (row.bad !== null) await mark(core, row.id, null);
    } else if (!(await mark(core, row.id, state))) {
      // It was collected, or sent again, while it was looked at.
      found.objects -= 1;
    } else found[state].push(await finding(core, row));
  } catch (error) {
    found.unknown.push({ ...(await finding(core, row)), error: ofOneFile(row.file, error, signal).error });
  }
}

async function probe(core: Core, row: Row, deep: boolean, signal: AbortSignal | undefined): Promise<"good" | "missing" | "wrong"> {
  const store = core.storeOf(row.bucket, row.file);
  const { md5, sha256, size } = row;
  try {
    if (!deep) {
      const entry = await store.stat(row.path, { fresh: true, signal });
      const right = entry.kind === "file" && (entry.size ?? size) === size && (entry.hashes.md5 ?? md5) === md5 && (entry.hashes.sha256 ?? sha256) === sha256;
      if (!right) return "wrong";
      if (row.bad !== "wrong") return "good";
    }
    const sum = await sumOfBytes(await store.read(row.path, { fresh: true, signal }));
    return sum.sha256 === sha256 && sum.size === size ? "good" : "wrong";
  } catch (error) {
    if (hasCode(error, "not-found", "not-a-directory")) return "missing";
    if (hasCode(error, "is-a-directory", "integrity")) return "wrong";
    throw error;
  }
}

async function mark(core: Core, object: number, bad: string | null): Promise<boolean> {
  return (await core.db.run("update repo_object set bad = ?, checked_ms = ? where id = ? and state = ?", bad, core.now(), object, STORED)) > 0;
}

async function finding(core: Core, { file, logical, bucket, path }: Row): Promise<Finding> {
  const rows = await core.db.query<{ readonly name: string }>(
    "select h.name from repo_copy c join repo_host h on h.id = c.host where c.file = ? and c.leaving = 0 order by h.name",
    file,
  );
  return { file, path: logical, bucket, object: path, copies: rows.map(({ name }) => name) };
}

/** Objects that a verification or a download found missing or wrong are sent again, under a new path, from local copies of this host that have the right bytes. */
export async function repair(core: Core, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<RepairReport> {
  const tally = new Tally(onProgress);
  const rows = await core.db.query<Row>(
    `${COLUMNS} where o.state = ? and o.bad is not null and f.pending is null and f.purged_ms is null order by f.id`,
    STORED,
  );
  tally.expect(
    rows.length,
    rows.reduce((sum, { size }) => sum + size, 0),
  );
  const repaired: number[] = [];
  const elsewhere: number[] = [];
  const failures: FileFailure[] = [];
  for (const { file, size } of rows) {
    signal?.throwIfAborted();
    const item = tally.begin(size);
    if ((await copyOf(core.db, core.host, file)) === undefined) {
      elsewhere.push(file);
      item.end();
      continue;
    }
    try {
      await core.turn(file, signal, async () => send(core, await fullRow(core.db, core.host, file), null, signal, item.moved));
      repaired.push(file);
    } catch (error) {
      failures.push(ofOneFile(file, error, signal));
    }
    item.end();
  }
  return { repaired, elsewhere, failures };
}
