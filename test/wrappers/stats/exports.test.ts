/** What the statistics tell: reports of layers below (CF29, CF30, CF32 as far as statistics go), Prometheus, OpenTelemetry, profiles (CF99, CF108). */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { find, stack } from "../../../src/store/index.ts";
import * as wrappers from "../../../src/wrappers/index.ts";
import { Stats, limit, prefix, stats } from "../../../src/wrappers/index.ts";
import { exportProofs } from "../../broken-layers/support/stats-export-proofs.ts";
import { parsePrometheus } from "../../broken-layers/support/prometheus-parser.ts";

for (const proof of exportProofs) test(proof.name, () => proof.run(wrappers));

const directory = await mkdtemp(join(tmpdir(), "stratus-stats-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

test("CF108, CF99: profiling is switched on and off while the store runs, and yields a profile that is its owner's alone", async () => {
  await using store = stack(memory(), stats());
  const file = join(directory, "on-demand.cpuprofile");
  await store.layers.stats.configure({ profileFile: file });
  for (let i = 0; i < 2000; i++) await store.write(`/${i % 10}`, "text");
  await store.layers.stats.configure({ profileFile: "" });
  const profile = JSON.parse(await readFile(file, "utf8")) as { nodes: unknown[]; samples: unknown[] };
  expect(profile.nodes.length).toBeGreaterThan(1);
  expect(profile.samples.length).toBeGreaterThan(0);
  // CF109: nobody else's to read.
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("a profile that runs is written when the store closes", async () => {
  const file = join(directory, "at-close.cpuprofile");
  const store = stack(memory(), stats({ profileFile: file }));
  await store.write("/f", "text");
  await store.close();
  expect(JSON.parse(await readFile(file, "utf8"))).toHaveProperty("nodes");
});

test("openTelemetry: true without an SDK changes nothing", async () => {
  await using store = stack(memory(), stats({ openTelemetry: true }));
  await store.write("/f", "text");
  expect(store.layers.stats.snapshot().calls).toBe(1);
});

test("reachable from the top of any stack, typed or found", async () => {
  await using store = stack(memory(), stats(), prefix("/a"), limit());
  await store.write("/f", "text");
  expect(store.layers.stats.snapshot().calls).toBe(find(store, Stats)?.snapshot().calls);
  expect(store.layers.stats.report()).toMatchObject({ calls: 1, failed: 0, inFlight: 0, upBytes: 4, downBytes: 0 });
});

test("a page of nothing is a valid page", () => {
  parsePrometheus(stack(memory(), stats()).layers.stats.prometheus());
});

test("settings are checked and changed while running", async () => {
  expect(() => stack(memory(), stats({ rateWindowMs: 10 }))).toThrow("rateWindowMs");
  await using store = stack(memory(), stats());
  await store.layers.stats.configure({ rateWindowMs: 10_000, maxErrorKinds: 1 });
  for (const name of ["/a", "/b"]) await store.read(name).catch(() => {});
  await store.stat("/a").catch(() => {});
  const { exceptions, otherExceptions } = store.layers.stats.snapshot();
  expect(exceptions.map(({ operation, count }) => `${operation} ${count}`)).toEqual(["stat 1"]);
  expect(otherExceptions).toBe(2);
});

test("the parser of Prometheus pages is strict", () => {
  const valid = '# HELP a_total x\n# TYPE a_total counter\na_total{l="1"} 1\n';
  parsePrometheus(valid);
  for (const wrong of [
    valid.trimEnd(),
    valid.replace('l="1"', 'l="1'),
    valid.replace('"1"', '"\\x"'),
    valid.replace("} 1", "} one"),
    valid.replace("} 1", "} -1"),
    valid + 'a_total{l="1"} 2\n',
    'b{l="1"} 1\n',
    valid + valid.slice(valid.indexOf("# HELP")),
    valid.replaceAll("a_total", "a"),
    '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
  ])
    expect(() => parsePrometheus(wrong), wrong).toThrow();
});
