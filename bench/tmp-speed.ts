import { driveContenders } from "./providers/drive.ts";
import { dropboxContenders } from "./providers/dropbox.ts";
import { sugarsyncContenders } from "./providers/sugarsync.ts";
import { startService } from "./providers/service.ts";
import { speedFigures } from "./providers/speed.ts";
const all = { dropbox: dropboxContenders, drive: driveContenders, sugarsync: sugarsyncContenders } as const;
for (const name of process.argv.slice(2) as (keyof typeof all)[]) {
  await using service = await startService(name);
  await speedFigures(service, all[name](service), (f) => console.log(f.name, f.value.toFixed(1), f.unit, f.against, f.ratio.toFixed(2)));
}
