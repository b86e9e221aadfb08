/** Works on a pool until it is killed, and says on stdout what is acknowledged: `node crash-child.ts BASE SEED [DATABASE NODE]`. */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { Pool, PoolError, postgresCatalogue, sqliteCatalogue } from "../../src/pool/index.ts";
import { local } from "../../src/providers/local/index.ts";
import { seededRandom } from "../../src/wrappers/seeded-random.ts";

const [base = "", seed = "0", database, node = "cache"] = process.argv.slice(2);
const random = seededRandom(Number(seed) + 1);
const pool = await Pool.open({
  catalogue: database === undefined ? sqliteCatalogue({ file: join(base, "catalogue.db"), flush: false }) : postgresCatalogue({ connectionString: database }),
  directory: join(base, node),
  capacityBytes: 20_000,
  hosts: Object.fromEntries(["a", "b", "c"].map((name) => [name, local({ directory: join(base, name), name })])),
  copies: 2,
  random,
});
// Written before anything else happens: a pipe would still hold it when we are killed.
const say = (line: string): void => void writeSync(1, `${line}\n`);
const known: string[] = [];
const one = async (): Promise<void> => {
  const choice = random();
  if (choice < 0.5) {
    const hash = await pool.upload(Buffer.alloc(Math.floor(random() * 1500), `${seed} ${Math.floor(random() * 40)} `), { name: "file" });
    say(`put ${hash}`);
    known.push(hash);
  } else if (choice < 0.7) await pool.sync();
  else if (choice < 0.8 && known.length > 3) {
    const [hash = ""] = known.splice(Math.floor(random() * known.length), 1);
    say(`removing ${hash}`);
    await pool.remove(hash);
  } else if (choice < 0.9) await pool.collect({ graceMs: 0 });
  else if (known.length > 0) await pool.warmUp(known[Math.floor(random() * known.length)] as string);
};
for (;;) {
  // Two at once; a full cache is emptied by the next sync, and what was removed beside is unknown.
  const ended = await Promise.allSettled([one(), one()]);
  for (const each of ended) if (each.status === "rejected" && !PoolError.is(each.reason)) throw each.reason;
}
