/** What a backup of the catalogue takes of a pool, and what a restore makes of it: the world went on since, and no byte that it may still have is given up. */
import type { BackupComponent } from "../catalogue/index.ts";
import { DEAD, SENDING, migrations } from "./schema.ts";

export const poolTables: BackupComponent = {
  name: "pool",
  migrations,
  tables: [
    { name: "node", rows: "replaced" },
    { name: "file" },
    { name: "cached" },
    { name: "copy" },
    { name: "host", rows: "replaced" },
    { name: "meter" },
    { name: "fact" },
    { name: "removal" },
    // A name in a cache may be another file's by now, perhaps of one that waits for its upload.
    { name: "leaving", rows: "left-out" },
  ],
  settle: async (tx, now) => {
    // What was under way then may have arrived, and be the only copy: a source, until somebody looks.
    await tx.run("update copy set state = ? where state = ?", DEAD, SENDING);
    // Somebody may have put it in again since: the grace begins anew.
    await tx.run("update file set marked_ms = ? where marked_ms is not null", now);
  },
};
