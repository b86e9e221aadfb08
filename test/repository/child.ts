/**
 * Works on a repository until it is killed: `node child.ts BASE SEED DATABASE HOST`. What it does to a file it does under that file's lock, so that the state it finds and the state it
 * leaves can be held against the table; what it is about to do and what it has done it says on stdout, with the time, so that who killed it can tell what must be there.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { local } from "../../src/providers/local/index.ts";
import { Repository, RepositoryError, postgresCatalogue } from "../../src/repository/index.ts";
import type { FileInfo, FileState } from "../../src/repository/index.ts";
import { seededRandom } from "../../src/wrappers/seeded-random.ts";

const [base = "", seed = "0", database, host = ""] = process.argv.slice(2);
const random = seededRandom(Number(seed) + 1);
const repo = await Repository.open({
  catalogue: postgresCatalogue({ connectionString: database, maxConnections: 3 }),
  store: local({ directory: join(base, "store"), name: "store" }),
  directory: join(base, "hosts", host),
  host,
  cacheLimitBytes: 20_000,
  graceMs: 0,
  random,
});
/** Written before anything else happens: a pipe would still hold it when we are killed. The time is that of the machine, so that lines of several processes have one order. */
const say = (what: string, id: number, ...rest: readonly (string | number | null)[]): void => sayOf(process.hrtime.bigint(), what, id, ...rest);
const sayOf = (at: bigint, what: string, id: number, ...rest: readonly (string | number | null)[]): void =>
  void writeSync(1, `${[at, what, id, ...rest].join(" ")}\n`);
const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
const paths = Array.from({ length: 12 }, (_, n) => `/p${n % 3}/f${n}`);
let count = 0;
const text = (): string => `${host} ${seed} ${(count += 1)} `.repeat(1 + Math.floor(random() * 60));

/** The table: what each verb makes of each state; undefined: it is refused. */
const TABLE: Readonly<Record<"publish" | "expire" | "purge", Readonly<Record<FileState, FileState | undefined>>>> = {
  publish: { unpublished: "published", published: "published", expired: "published", purged: undefined },
  expire: { unpublished: "expired", published: "expired", expired: "expired", purged: undefined },
  purge: { unpublished: "purged", published: undefined, expired: "purged", purged: undefined },
};

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the model does not hold: ${what}`);
}

async function add(): Promise<void> {
  const bytes = text();
  const id = await repo.addFile(pick(paths));
  // Others may see it already.
  await using lock = await repo.lock(id, { mode: "skip" }).catch(gone);
  if (lock?.file.state !== "unpublished") return;
  say("begin", id, "write", sha(bytes));
  await repo.write(id, bytes);
  say("done", id, "unpublished", null, sha(bytes));
}

async function together(): Promise<void> {
  const commits = random() < 0.6;
  let at = 0n;
  const added: { id: number; hash: string }[] = [];
  const work = repo.transaction(async (t) => {
    for (let n = 0; n < 2; n++) {
      const bytes = text();
      const id = await t.addFile(pick(paths));
      added.push({ id, hash: sha(bytes) });
      say("begin", id, "publish", sha(bytes));
      await t.write(id, bytes);
      await t.publish(id);
      t.tagFile(id, "together");
    }
    if (!commits) throw new Error("rolled back");
    // Others can see it from the commit on, and that comes after this.
    at = process.hrtime.bigint();
  });
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined) {
    if (commits) throw error;
    for (const { id } of added) say("done", id, "gone", null, "");
    return;
  }
  for (const { id, hash } of added) sayOf(at, "done", id, "published", 0, hash);
}

/** One verb on one file, under its lock. */
async function change(): Promise<void> {
  const files = await repo.find({ limit: 500 });
  if (files.length === 0) return;
  await using lock = await repo.lock(pick(files), { mode: "skip" }).catch(gone);
  if (lock === null) return;
  const { file } = lock;
  const choice = random();
  if (choice < 0.1) return await appendTo(file);
  if (choice < 0.35) return await readOf(file);
  if (choice < 0.42) return await repo.unlink(file).catch(may("not-uploaded", "illegal-transition"));
  const verb = choice < 0.7 ? "publish" : choice < 0.85 ? "expire" : "purge";
  const next = TABLE[verb][file.state];
  say("begin", file.id, verb, file.sha256);
  try {
    await repo[verb](file);
  } catch (error) {
    if (!RepositoryError.is(error)) throw error;
    const refused = next === undefined ? ["illegal-transition", "purging-published"] : verb === "publish" ? ["not-local", "no-content"] : [];
    must(refused.includes(error.code), `${verb} of ${JSON.stringify(file)} failed with ${error.code}`);
    if (error.code === "not-local") must(file.uploadedMs === null && !file.local, `bytes of ${JSON.stringify(file)} are here`);
  }
  const after = await repo.info(file);
  const changed = next !== undefined && after.state === next;
  must(changed || after.state === file.state, `${verb} of ${JSON.stringify(file)} gave ${JSON.stringify(after)}`);
  must(after.sha256 === file.sha256 && after.path === file.path, `${verb} changed the bytes of ${JSON.stringify(file)}`);
  must(after.state !== "published" || (after.uploadedMs !== null && after.version !== null && after.expiredMs === null), `published: ${JSON.stringify(after)}`);
  if (file.state === "published" && after.state === "published")
    must(after.publishedMs === file.publishedMs && after.version === file.version, "published anew");
  say("done", file.id, after.state, after.version, after.sha256);
}

async function appendTo(file: FileInfo): Promise<void> {
  if (file.state !== "unpublished" || file.origin !== host || file.sha256 === null) return;
  const whole = (await repo.text(file)) + text();
  say("begin", file.id, "write", sha(whole));
  await repo.append(file, whole.slice((await repo.text(file)).length));
  must((await repo.info(file)).sha256 === sha(whole), "appended bytes");
  say("done", file.id, "unpublished", null, sha(whole));
}

async function readOf(file: FileInfo): Promise<void> {
  const bytes = await repo.text(file).catch(may("not-local", "no-content", "unknown-file"));
  if (typeof bytes !== "string") return;
  must(sha(bytes) === file.sha256, `wrong bytes of ${JSON.stringify(file)}`);
}

const gone = (error: unknown): null => may("unknown-file")(error) ?? null;
function may(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!RepositoryError.is(error) || !codes.includes(error.code)) throw error;
    return undefined;
  };
}

async function one(): Promise<void> {
  const choice = random();
  if (choice < 0.2) await add();
  else if (choice < 0.3) await together();
  else if (choice < 0.85) await change();
  else if (choice < 0.9) await repo.maintainHost();
  else if (choice < 0.96) await repo.maintainDatabase();
  else {
    const { missing, wrong, unknown } = await repo.verify({ deep: random() < 0.3 });
    must(missing.length + wrong.length + unknown.length === 0, `verify: ${JSON.stringify({ missing, wrong, unknown })}`);
  }
}

for (;;) await Promise.all([one(), one()]);
