/**
 * (d) 10,000 files of 4 KiB to a Ceph gateway that is 50 ms of round trip away: `caching(archive(s3))` until flushed, rclone, and plain `s3`; and (e) back
 * again, cold. One after the other through one line, with the requests that each sent. Seconds, not rates: each is done once.
 */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { s3 } from "../src/providers/s3/index.ts";
import { copyBetween, stack } from "../src/store/index.ts";
import type { Store } from "../src/store/index.ts";
import { local } from "../src/providers/local/index.ts";
import { archive, caching } from "../src/wrappers/index.ts";
import { startServer } from "../test/servers/index.ts";
import type { Figure } from "./figure.ts";
import { rcloneToCeph } from "./rclone.ts";
import { scaled } from "./scale.ts";
import { slowLine } from "./slow-line.ts";

const ROUND_TRIP_MS = 50;
const SIZE = 4096;
const WIDTH = 32;

interface Run {
  readonly seconds: number;
  readonly requests: number;
}

export async function serviceFigures(report: (figure: Figure) => void): Promise<void> {
  await using ceph = await startServer("ceph");
  const home = await mkdtemp(join(tmpdir(), "stratus-bench-service-"));
  const { hostname, port } = new URL(ceph.endpoint);
  await using line = await slowLine({ host: hostname, port: Number(port) }, ROUND_TRIP_MS);
  const credentials = { accessKeyId: ceph.accessKeyId, secretAccessKey: ceph.secretAccessKey };
  const endpoint = `http://127.0.0.1:${line.port}`;
  const remote = (bucket: string): Store => s3({ bucket, endpoint, region: ceph.region, vendor: "ceph", createBucket: true, credentials });
  const rclone = rcloneToCeph({ endpoint, region: ceph.region, ...credentials });
  const timed = async (work: () => Promise<unknown>): Promise<Run> => {
    const before = line.requests;
    const start = performance.now();
    await work();
    return { seconds: (performance.now() - start) / 1000, requests: line.requests - before };
  };
  try {
    const count = scaled(10_000, 50);
    const source = join(home, "source");
    const paths = await fill(source, count);
    const named = `${count.toLocaleString("en-US")} files of 4 KiB`;

    // The buckets are made outside of the race.
    for (const bucket of ["bench-stack", "bench-plain", "bench-rclone"]) {
      await using store = remote(bucket);
      await store.list("/").toArray();
    }
    const layered = (at: string): ReturnType<typeof stackOver> => stackOver(remote("bench-stack"), join(home, at));
    let acknowledged = 0;
    const ours = await timed(async () => {
      await using store = layered("first");
      const start = performance.now();
      await copyBetween(local({ directory: source }), "/", store, "/", { concurrency: WIDTH });
      acknowledged = (performance.now() - start) / 1000;
      await store.layers.caching.flush();
    });
    const plain = await timed(async () => {
      await using store = remote("bench-plain");
      await each(paths, async (path) => void (await store.write(`/${path}`, await readFile(join(source, path)))));
    });
    const theirs = await timed(() => rclone("copy", "--transfers", `${WIDTH}`, source, "ceph:bench-rclone"));
    tell(report, `(d) ${named} up`, ours, { rclone: theirs, "s3 at 32 in flight": plain }, { rclone: 10 });
    report({
      name: `(d) ${named} acknowledged`,
      value: acknowledged,
      unit: "s",
      against: "until flushed",
      ratio: ours.seconds / acknowledged,
      goal: null,
      met: null,
    });

    const some = paths.filter((_, i) => (i * 7919) % count < scaled(1000, 10));
    const list = join(home, "list");
    await writeFile(list, `${some.join("\n")}\n`);
    for (const [what, wanted, filter] of [
      [`(e) ${some.length.toLocaleString("en-US")} random ones, cold`, some, ["--files-from", list, "--no-traverse"]],
      [`(e) all ${paths.length.toLocaleString("en-US")}, cold`, paths, []],
    ] as const) {
      const back = await timed(async () => {
        await using store = layered(`back-${wanted.length}`);
        await each(wanted, async (path) => {
          const bytes = await (await store.read(`/${path}`)).bytes();
          if (bytes.byteLength !== SIZE) throw new Error(`${path} has ${bytes.byteLength} bytes`);
        });
      });
      const into = join(home, `rclone-${wanted.length}`);
      const rcloneBack = await timed(() => rclone("copy", "--transfers", `${WIDTH}`, ...filter, "ceph:bench-rclone", into));
      const arrived = (await readdir(into, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()).length;
      if (arrived !== wanted.length) throw new Error(`rclone brought ${arrived} of ${wanted.length} files`);
      tell(report, what, back, { rclone: rcloneBack }, {});
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function stackOver(service: Store, directory: string) {
  return stack(service, archive({ directory: join(directory, "archive") }), caching({ directory: join(directory, "cache") }));
}

/** Times and requests of each; the ratio is theirs by ours. */
function tell(report: (figure: Figure) => void, name: string, ours: Run, others: Readonly<Record<string, Run>>, goals: Readonly<Record<string, number>>): void {
  for (const [against, theirs] of Object.entries(others)) {
    const goal = goals[against];
    const ratio = theirs.seconds / ours.seconds;
    report({
      name,
      value: ours.seconds,
      unit: "s",
      against: `${against}, ${theirs.seconds.toFixed(1)} s`,
      ratio,
      goal: goal === undefined ? null : `at least ${goal}`,
      met: goal === undefined ? null : ratio >= goal,
    });
    const less = theirs.requests / Math.max(1, ours.requests);
    const least = goal === undefined ? undefined : 100;
    report({
      name: `${name}, requests`,
      value: ours.requests,
      unit: "requests",
      against: `${against}, ${theirs.requests}`,
      ratio: less,
      goal: least === undefined ? null : `at least ${least}`,
      met: least === undefined ? null : less >= least,
    });
  }
}

/** Files in directories of a hundred, all different. */
async function fill(directory: string, count: number): Promise<readonly string[]> {
  const paths: string[] = [];
  for (let i = 0; i < count; i++) {
    const dir = `d${Math.floor(i / 100)}`;
    if (i % 100 === 0) await mkdir(join(directory, dir), { recursive: true });
    const path = `${dir}/f${i}.bin`;
    await writeFile(join(directory, path), Buffer.alloc(SIZE, `${i} `));
    paths.push(path);
  }
  return paths;
}

async function each(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < paths.length) await work(paths[next++] as string);
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
}
