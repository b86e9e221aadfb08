import { dropboxContenders } from "./providers/dropbox.ts";
import { startService } from "./providers/service.ts";
await using service = await startService("dropbox");
const c = dropboxContenders(service);
await using store = c.open();
const body = Buffer.alloc(4096, 7);
await store.write("/d/f", body);
const N = Number(process.env.N ?? 400);
let n = 0;
const ways: Record<string, () => Promise<unknown>> = {
  "read ours": async () => (await store.read("/d/f")).bytes(),
  "read sdk": () => c.official!.read("/d/f"),
  "write ours": () => store.write(`/d/o${n++}`, body),
  "write sdk": () => c.official!.create(`/d/s${n++}`, body),
};
const only = process.argv[2];
const sums: Record<string, number[]> = {};
for (let round = 0; round < 4; round++)
  for (const [what, work] of Object.entries(ways)) {
    if (only && !what.includes(only)) continue;
    const c0 = process.cpuUsage(),
      t0 = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (next++ < N) await work();
      }),
    );
    const { user, system } = process.cpuUsage(c0);
    (sums[what] ??= []).push(Math.round((user + system) / N), Math.round(((performance.now() - t0) * 1000) / N));
  }
for (const [k, v] of Object.entries(sums)) console.log(k, "cpu,wall us", v.join(" "));
