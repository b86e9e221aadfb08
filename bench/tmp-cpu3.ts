import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromFile } from "../src/store/index.ts";
import { driveContenders } from "./providers/drive.ts";
import { dropboxContenders } from "./providers/dropbox.ts";
import { sugarsyncContenders } from "./providers/sugarsync.ts";
import { startService } from "./providers/service.ts";
const all = { dropbox: dropboxContenders, drive: driveContenders, sugarsync: sugarsyncContenders } as const;
const name = process.argv[2] as keyof typeof all;
await using service = await startService(name);
const c = all[name](service);
await using store = c.open();
const file = join(service.directory, "large");
const MIB = 96;
await writeFile(file, Buffer.alloc(MIB << 20, "abcdefg"));
await store.mkdir("/d");
let n = 0;
const ways: Record<string, () => Promise<unknown>> = {
  "up ours": async () => store.write(`/d/o${n++}`, await fromFile(file)),
  ...(c.official && { "up sdk": () => c.official!.upload(file, `/d/s${n++}`) }),
  "up rclone": () => service.rclone.text("copyto", ...c.flags, file, `x:d/r${n++}`),
  "down ours": async () => {
    for await (const _ of await store.read("/d/o0"));
  },
  ...(c.official && { "down sdk": () => c.official!.download("/d/o0") }),
  "down rclone": () => service.rclone.bytes("cat", ...c.flags, "x:d/o0"),
};
const sums: Record<string, string[]> = {};
const only = process.argv[3];
for (let round = 0; round < 3; round++)
  for (const [what, work] of Object.entries(ways)) {
    if (only && !what.includes(only)) continue;
    const c0 = process.cpuUsage(),
      t0 = performance.now();
    await work();
    const { user, system } = process.cpuUsage(c0);
    (sums[what] ??= []).push(`${((user + system) / 1000 / MIB).toFixed(1)}/${((performance.now() - t0) / MIB).toFixed(1)}`);
  }
for (const [k, v] of Object.entries(sums)) console.log(name, k, "cpu/wall ms per MiB", v.join(" "));
