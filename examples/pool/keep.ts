/** Keeps a file on two of three hosts, and gets it back although one of them is gone. */
import type { Store } from "stratus";
import { Pool, PoolError, sqliteCatalogue } from "stratus/pool";

export async function keep(directory: string, hosts: Readonly<Record<string, Store>>, file: string, target: string): Promise<string> {
  await using pool = await Pool.open({
    catalogue: sqliteCatalogue({ file: `${directory}/catalogue.db` }),
    directory: `${directory}/cache`,
    capacityBytes: 10e9,
    hosts,
    copies: 2,
  });
  const hash = await pool.uploadFile(file); // on this disk, flushed; no host was asked
  const { short } = await pool.sync(); // on two hosts
  for (const { copies, failures } of short) console.log(`only ${copies} copies so far`, failures);
  await pool.verify(); // asks for every copy
  await pool.repair(); // and makes new ones of those that are gone
  try {
    await pool.download(hash, target); // the hash is checked, whoever gave the bytes
  } catch (error) {
    if (PoolError.is(error) && error.code === "sources-failed") console.log("every host failed", error.causes);
    throw error;
  }
  return hash;
}
