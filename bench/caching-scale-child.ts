/** One large step in a process of its own: `node caching-scale-child.ts repack DIRECTORY MEMBERS`. Prints what it took as JSON. */
import { join } from "node:path";
import { local } from "../src/providers/local/index.ts";
import { stack } from "../src/store/index.ts";
import type { Store } from "../src/store/index.ts";
import { archive, caching, stats } from "../src/wrappers/index.ts";

export interface Told {
  readonly seconds: number;
  readonly requests: number;
  readonly peakMiB: number;
  /** Resident when nothing had been done yet. */
  readonly restMiB: number;
  readonly note: string;
}

const WIDTH = 4096;
const MiB = 1024 ** 2;

async function run(step: string, directory: string, count: number, largeMiB: number): Promise<void> {
  const restMiB = Math.round(process.memoryUsage().rss / MiB);
  let note = "";
  const start = performance.now();
  let requests: number;
  if (step === "pending") requests = await pending(directory, count, largeMiB);
  else {
    const store = archives(directory, step === "rebuild" ? "other" : "own");
    if (step === "fill") await fill(store, count);
    else if (step === "repack") note = await repack(store, count);
    else await rebuild(store, count);
    requests = store.layers.service.snapshot().calls;
    await store.close();
  }
  const told: Told = {
    seconds: (performance.now() - start) / 1000,
    requests,
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    restMiB,
    note,
  };
  console.log(JSON.stringify(told));
}

function archives(directory: string, own: string) {
  const service = local({ directory: join(directory, "service"), createRoot: true, flush: false });
  return stack(service, stats().as("service"), archive({ directory: join(directory, own), ...(own === "own" ? { refreshMs: Infinity } : {}) }));
}

/** Many at once, so that groups are full. */
async function many(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
}

function pathOf(i: number): string {
  return `/d${Math.floor(i / 1000)}/f${i}`;
}

async function fill(store: Store, count: number): Promise<void> {
  await many(count, (i) => store.write(pathOf(i), `member ${i}`));
}

async function repack(store: ReturnType<typeof archives>, count: number): Promise<string> {
  await many(count, (i) => (i % 5 < 3 ? store.delete(pathOf(i)) : Promise.resolve()));
  const start = performance.now();
  const before = store.layers.service.snapshot().calls;
  const done = await store.layers.archive.repack({ all: true });
  const seconds = (performance.now() - start) / 1000;
  if (done.archives === 0) throw new Error("nothing was repacked");
  return `; the repack alone ${seconds.toFixed(1)} s, ${store.layers.service.snapshot().calls - before} requests, ${done.archives} archives`;
}

async function rebuild(store: Store, count: number): Promise<void> {
  let seen = 0;
  for await (const entry of store.list("/", { recursive: true })) if (entry.kind === "file") seen++;
  const left = count - Math.ceil((count / 5) * 3);
  if (Math.abs(seen - left) > 3) throw new Error(`${seen} members instead of ${left}`);
}

async function pending(directory: string, count: number, largeMiB: number): Promise<number> {
  const service = local({ directory: join(directory, "service"), createRoot: true, flush: false });
  const store = stack(service, stats().as("service"), caching({ directory: join(directory, "cache"), flushOnClose: false }));
  await store.open();
  await store.layers.caching.pause();
  const body = Buffer.alloc(4096, 7);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await store.write(pathOf(next++), body);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const chunk = Buffer.alloc(MiB, 5);
  await store.write(
    "/large",
    (async function* () {
      for (let i = 0; i < largeMiB; i++) yield chunk;
    })(),
  );
  const { dirtyFiles } = store.layers.caching.report();
  if (Number(dirtyFiles) < count) throw new Error(`${String(dirtyFiles)} files are pending instead of ${count}`);
  const { calls } = store.layers.service.snapshot();
  await store.close({ signal: AbortSignal.timeout(100) });
  return calls;
}

const [step = "", directory = "", count = "", large = "0"] = process.argv.slice(2);
await run(step, directory, Number(count), Number(large));
