/**
 * Backs a catalogue up, or puts it back, and dies by SIGKILL before its step `at` (0: never): `node backup-child.ts JSON`. A step is a question to the catalogue, a beginning or end of a transaction or of
 * a call to the store, or a piece of a body. Says "begin" when it begins, and "steps <n>" at its end.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { backupCatalogue, postgresCatalogue, restoreCatalogue, sqliteCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue, Transaction } from "../../src/catalogue/index.ts";
import { local } from "../../src/providers/local/index.ts";
import { byteStream, layer, stack, uniform } from "../../src/store/index.ts";
import { component } from "./backup-things.ts";

export interface ChildTask {
  readonly what: "backup" | "restore";
  readonly at: number;
  /** Of PostgreSQL; empty: SQLite. */
  readonly url: string;
  /** Of the schema, or of the file. */
  readonly name: string;
  readonly base: string;
}

const { what, at, url, name, base } = JSON.parse(process.argv[2] ?? "{}") as ChildTask;
let steps = 0;
/** SIGKILL of oneself comes at once. */
const step = (): void => void (++steps === at && process.kill(process.pid, "SIGKILL"));
async function around<T>(work: () => Promise<T>): Promise<T> {
  step();
  const result = await work();
  step();
  return result;
}

function stepping(inner: Catalogue): Catalogue {
  const inside = (tx: Transaction): Transaction => ({
    query: (sql, ...values) => around(() => tx.query(sql, ...values)),
    run: (sql, ...values) => around(() => tx.run(sql, ...values)),
    lock: (key) => around(() => tx.lock(key)),
    free: (key) => tx.free(key),
  });
  return {
    kind: inner.kind,
    migrate: (of, migrations) => around(() => inner.migrate(of, migrations)),
    query: (sql, ...values) => around(() => inner.query(sql, ...values)),
    run: (sql, ...values) => around(() => inner.run(sql, ...values)),
    transaction: (work) => around(() => inner.transaction((tx) => around(() => work(inside(tx))))),
    hold: (key) => around(() => inner.hold(key)),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
}

const pieces = layer("pieces", (inner) => ({
  backend: uniform(inner, {
    around: (call, next) => around(() => next(call)),
    read: async (call, next) => {
      const reply = await around(() => next(call));
      const { body } = reply;
      return { ...reply, body: byteStream({ length: body.length, pull: () => around(() => body.pull()), close: () => body.close() }) };
    },
  }),
  identity: () => "pieces:1",
}));

await using catalogue =
  url === ""
    ? sqliteCatalogue({ file: join(base, `${name}.db`), flush: false })
    : postgresCatalogue({ connectionString: url, schema: name, maxConnections: 2 });
await catalogue.migrate("things", what === "backup" ? component.migrations : []);
await using store = stack(local({ directory: join(base, "store"), name: "store" }), pieces);
writeSync(1, "begin\n");
const common = { catalogue: stepping(catalogue), components: [component], store, temporaryDirectory: join(base, "tmp") };
await (what === "backup" ? backupCatalogue({ ...common, keep: 2 }) : restoreCatalogue(common));
writeSync(1, `steps ${steps}\n`);
