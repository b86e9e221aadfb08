/** Settings: described once, checked at the start and while running, never half applied, secrets never shown. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, control, layer, setting, stack, uniform } from "../../src/store/index.ts";
import type { Setting } from "../../src/store/index.ts";
import { thrown, tick } from "./make.ts";

interface Sample {
  readonly delayMs: number;
  readonly maxBytes: number;
  readonly tries: number;
  readonly eager: boolean;
  readonly label: string;
  readonly password: string;
  readonly mode: "fast" | "safe";
  readonly folder: string;
}
const DESCRIBED = {
  delayMs: setting.ms("how long", 1000, { min: 10, max: 60_000 }),
  maxBytes: setting.bytes("how much", 1 << 20),
  tries: setting.count("how often", 3, { min: 1 }),
  eager: setting.flag("at once", false),
  label: setting.text("what it is called", "x"),
  password: setting.secret("who asks"),
  mode: setting.choice("how", ["fast", "safe"], "safe"),
  folder: { ...setting.text("where", "/tmp"), live: false },
};
const sample = (given: Partial<Sample> = {}, changed?: (settings: Readonly<Sample>) => void | Promise<void>) =>
  control<Sample>("sample", DESCRIBED, given, changed);

test("defaults, what is given, and both as text", () => {
  expect(sample({ tries: 5 }).settings).toEqual({ delayMs: 1000, maxBytes: 1 << 20, tries: 5, eager: false, label: "x", mode: "safe", folder: "/tmp" });
  expect(sample({ delayMs: undefined } as never).settings.delayMs).toBe(1000);
});

test.each<[keyof typeof DESCRIBED, unknown, unknown]>([
  ["delayMs", "30s", 30_000],
  ["delayMs", "1.005 s", 1005],
  ["delayMs", " 250 ms ", 250],
  ["delayMs", "1 min", 60_000],
  ["delayMs", "20", 20],
  ["maxBytes", "10 MB", 10_000_000],
  ["maxBytes", "1.5GiB", 1.5 * 1024 ** 3],
  ["maxBytes", "2.3 kb", 2300],
  ["maxBytes", "7", 7],
  ["maxBytes", 0, 0],
  ["maxBytes", Infinity, Infinity],
  ["tries", "4", 4],
  ["eager", "yes", true],
  ["eager", "TRUE", true],
  ["eager", "off", false],
  ["eager", "0", false],
  ["label", "", ""],
  ["mode", "fast", "fast"],
])("%s: %j is %j", (key, given, value) => {
  expect(DESCRIBED[key].parse(given)).toBe(value);
});

test.each<[keyof typeof DESCRIBED, unknown]>([
  ["delayMs", "30 parsecs"],
  ["delayMs", 9],
  ["delayMs", 60_001],
  ["delayMs", Infinity],
  ["delayMs", Number.NaN],
  ["delayMs", "1e3"],
  ["delayMs", 10.5],
  ["delayMs", null],
  ["delayMs", true],
  ["delayMs", "10 constructor"],
  ["delayMs", {}],
  ["maxBytes", -1],
  ["maxBytes", "10 m"],
  ["maxBytes", ""],
  ["maxBytes", "1 b 2"],
  ["maxBytes", "0.5 b"],
  ["tries", 0],
  ["tries", "3 s"],
  ["eager", 1],
  ["eager", "maybe"],
  ["label", 1],
  ["password", 1],
  ["mode", "slow"],
  ["mode", "toString"],
])("%s: %j is config, at the start and while running, and changes nothing", async (key, value) => {
  expect(() => sample({ [key]: value })).toThrow(expect.objectContaining({ code: "config" }) as Error);
  const running = sample();
  const before = running.settings;
  const error = await thrown(running.configure({ tries: 9, [key]: value }));
  expect(error).toMatchObject({ code: "config" });
  expect((error as StoreError).reason).toContain(`sample.${key}`);
  expect(running.settings).toEqual(before);
});

// CF24
test("configure: in force when it resolves, told to the layer before; what is not given stays", async () => {
  const seen: unknown[] = [];
  const running = sample({ label: "a" }, (settings) => void seen.push([settings.tries, running.settings.tries]));
  await running.configure({ tries: 7 });
  // The layer sees the new ones while the old ones are in force, so that it can tell the difference.
  expect(seen).toEqual([[7, 3]]);
  expect(running.settings).toMatchObject({ tries: 7, label: "a" });
  await running.configure({ tries: undefined } as never);
  await running.configure({});
  expect(running.settings.tries).toBe(7);
  expect(Object.isFrozen(running.settings)).toBe(true);
  expect(running.report()).toEqual({});
  await running.flush();
});

test("an unknown key, one that is fixed, and keys of every object", async () => {
  const running = sample();
  for (const patch of [{ colour: "red" }, { folder: "/other" }, { constructor: 1 }, JSON.parse('{"__proto__": {"tries": 9}}') as object])
    expect(await thrown(running.configure(patch))).toMatchObject({ code: "config" });
  expect(await thrown(running.configure({ colour: 1 } as never))).toMatchObject({ reason: expect.stringContaining("delayMs, maxBytes") as string });
  expect(running.settings.tries).toBe(3);
});

test("changes at once come one after the other, and both hold; what the caller changes in its patch afterwards does not", async () => {
  const running = sample({}, () => tick(2));
  const patch = { label: "first" };
  const one = running.configure(patch);
  patch.label = "changed";
  const two = running.configure({ tries: 8 });
  const bad = thrown(running.configure({ tries: 0 }));
  const three = running.configure({ eager: true });
  await Promise.all([one, two, three]);
  expect(await bad).toMatchObject({ code: "config" });
  expect(running.settings).toMatchObject({ label: "first", tries: 8, eager: true });
});

test("a layer that cannot take a change refuses it whole", async () => {
  const running = sample({}, ({ tries }) => {
    if (tries > 5) throw new StoreError("config", "too many");
  });
  expect(await thrown(running.configure({ tries: 6, label: "new" }))).toMatchObject({ code: "config", reason: "too many" });
  expect(running.settings).toMatchObject({ tries: 3, label: "x" });
});

test("secrets: never shown, never in an error, kept when what is shown is given back, refused when it is given at the start", async () => {
  let inForce: string | undefined;
  const running = sample({ password: "hunter2" }, ({ password }) => void (inForce = password));
  expect(running.settings.password).toBe("***");
  expect(inspect(running, { depth: 9 }) + JSON.stringify(running.settings)).not.toContain("hunter2");
  await running.configure({ ...running.settings, folder: undefined } as never);
  expect(inForce).toBe("hunter2");
  expect(() => sample({ password: "***" })).toThrow(expect.objectContaining({ code: "config" }) as Error);
  const picky: Setting<string> = {
    about: "",
    secret: true,
    parse: (value) => {
      throw new StoreError("config", `${String(value)} is wrong`, { cause: value });
    },
  };
  const error = await thrown((async () => control<{ key: string }>("k", { key: picky }, { key: "hunter2" }))());
  expect(inspect(error, { depth: 9 })).not.toContain("hunter2");
});

test("a setting of a layer's own making that throws anything is config", async () => {
  const odd: Setting<string> = {
    about: "",
    parse: () => {
      throw new RangeError("odd");
    },
  };
  expect(await thrown(control<{ key: string }>("k", { key: odd }, {}).configure({ key: "x" }))).toMatchObject({
    code: "config",
    reason: "k.key: not valid",
    cause: { message: "odd" },
  });
});

test("settings of a layer are reached through the stack, under its name", async () => {
  const calm = layer("calm", (inner) => ({
    control: control<{ readonly delayMs: number }>("calm", { delayMs: setting.ms("", 5) }, {}),
    backend: uniform(inner, { around: (call, next) => next(call) }),
  }));
  const store = stack(memory(), calm, calm.as("again"));
  await store.layers.again.configure({ delayMs: 7 });
  expect([store.layers.calm.settings.delayMs, store.layers.again.settings.delayMs]).toEqual([5, 7]);
});
