import { driveContenders } from "./providers/drive.ts";
import { dropboxContenders } from "./providers/dropbox.ts";
import { startService } from "./providers/service.ts";
const all = { dropbox: dropboxContenders, drive: driveContenders } as const;
const name = process.argv[2] as keyof typeof all;
const only = process.argv[3];
await using service = await startService(name);
const c = all[name](service);
await using store = c.open();
const body = Buffer.alloc(4096, 7);
await store.write("/d/f", body);
const N = 600;
const run = async (what: string, work: (i: number) => Promise<unknown>, width = 16) => {
  for (const part of ["warm", "timed"]) {
    const c0 = process.cpuUsage(),
      t0 = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: width }, async () => {
        while (next < N) await work(next++);
      }),
    );
    const { user, system } = process.cpuUsage(c0);
    if (part === "timed")
      console.log(name, what, "cpu us/op", Math.round((user + system) / N), "wall us/op", Math.round(((performance.now() - t0) * 1000) / N));
  }
};
let n = 0;
if (!only || only === "ours") {
  await run("read ours", async () => (await store.read("/d/f")).bytes());
  await run("write ours", () => store.write(`/d/o${n++}`, body));
  await run("stat ours", () => store.stat("/d/f"));
}
if (!only || only === "sdk") {
  await run("read sdk", () => c.official!.read("/d/f"));
  await run("write sdk", () => c.official!.create(`/d/s${n++}`, body));
}
await run("stat sdk", () => c.official!.stat("/d/f"));
