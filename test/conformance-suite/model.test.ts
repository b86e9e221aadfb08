/** The oracle by itself, and programs against it: a mistake is found, shrunk to what it needs, printed, and found again by its path. */
import { afterEach, expect, test, vi } from "vitest";
import type { CheckFailure } from "../../src/conformance/failure.ts";
import { bugged } from "../../src/conformance/broken/broken.ts";
import { brokenStores } from "../../src/conformance/broken/index.ts";
import { checkOf } from "../../src/conformance/checks/index.ts";
import type { Check } from "../../src/conformance/check.ts";
import { Oracle } from "../../src/conformance/model/oracle.ts";
import type { Known } from "../../src/conformance/model/oracle.ts";
import { possible, printed } from "../../src/conformance/model/programs.ts";
import type { Program, Step } from "../../src/conformance/model/programs.ts";
import { hunt } from "../../src/conformance/model/random-programs.ts";
import { everything } from "../../src/conformance/model/reference.ts";
import { regressions } from "../../src/conformance/model/regressions.ts";
import { runCheck } from "../../src/conformance/run.ts";

const known = (text: string): Known => ({ bytes: new TextEncoder().encode(text), contentType: undefined, metadata: undefined });
const codes = (verdict: { readonly codes: readonly string[] }): readonly string[] => verdict.codes;
const children = (oracle: Oracle, dir: string): string[] =>
  (oracle.list(dir, true).children ?? []).map(({ key, kind }) => (kind === "directory" ? `${key}/` : key)).sort();

test("the oracle: rename(2), parents, emptiness, conditions", () => {
  const oracle = new Oracle(everything);
  expect(codes(oracle.write("/a/b", known("1"), {}))).toEqual([]);
  expect(children(oracle, "/")).toEqual(["/a/", "/a/b"]);
  expect(codes(oracle.write("/a", known("2"), {}))).toEqual(["is-a-directory"]);
  expect(codes(oracle.write("/a/b/c", known("2"), {}))).toEqual(["not-a-directory"]);
  expect(codes(oracle.write("/a/b", known("2"), { ifAbsent: true }))).toEqual(["already-exists"]);
  expect(codes(oracle.write("/x", known("2"), { ifMatch: "current" }))).toEqual(["precondition-failed"]);
  expect(codes(oracle.delete("/a", { recursive: false }))).toEqual(["not-empty"]);
  expect(codes(oracle.move("/a", "/a/b", false))).toEqual(["invalid-path"]);
  expect(codes(oracle.move("/a", "/a", true))).toEqual(["already-exists"]);
  expect(codes(oracle.mkdir("/empty", false))).toEqual([]);
  expect(codes(oracle.copy("/a", "/empty", false))).toEqual([]);
  expect(codes(oracle.copy("/a", "/empty", false))).toEqual(["not-empty"]);
  expect(codes(oracle.copy("/a/b", "/empty", false))).toEqual(["is-a-directory"]);
  expect(codes(oracle.move("/empty", "/a/b", false))).toEqual(["not-a-directory"]);
  expect(codes(oracle.move("/a", "/n/m", false))).toEqual([]);
  expect(children(oracle, "/")).toEqual(["/empty/", "/empty/b", "/n/", "/n/m/", "/n/m/b"]);
  expect(codes(oracle.delete("/empty", { recursive: true }))).toEqual([]);
  expect(codes(oracle.delete("/empty", { recursive: false, ifMatch: "stale" }))).toEqual([]);
  expect(children(oracle, "/")).toEqual(["/n/", "/n/m/", "/n/m/b"]);
});

test("the oracle: ranges, as the contract clamps them", () => {
  const oracle = new Oracle(everything);
  oracle.write("/f", known("hello"), {});
  const text = (range: { offset: number; length?: number }): string => {
    const verdict = oracle.read("/f", range);
    return verdict.bytes === undefined ? verdict.codes.join() : new TextDecoder().decode(verdict.bytes);
  };
  expect([
    text({ offset: 1, length: 2 }),
    text({ offset: 4, length: 9 }),
    text({ offset: 5 }),
    text({ offset: -2 }),
    text({ offset: -9 }),
    text({ offset: 0, length: 0 }),
  ]).toEqual(["el", "o", "bad-range", "lo", "hello", ""]);
});

test("the oracle follows the capabilities: implied directories go with their last child, loose names stand beside each other", () => {
  const flat = new Oracle({ ...everything, directories: "implied", strictHierarchy: false });
  flat.write("/a/b", known("1"), {});
  expect(codes(flat.write("/a", known("2"), {}))).toEqual([]);
  expect(flat.kind("/a")).toBe("file");
  expect(children(flat, "/")).toEqual(["/a", "/a/", "/a/b"]);
  flat.delete("/a/b", { recursive: false });
  expect(children(flat, "/")).toEqual(["/a"]);
  flat.mkdir("/m/n", false);
  flat.delete("/m/n", { recursive: false });
  // mkdir may have made the parent or not: only a look can tell.
  expect(flat.doubtful).toEqual(["/m"]);
  flat.settle("/m", false);
  expect(flat.kind("/m")).toBeUndefined();
  const folding = new Oracle({ ...everything, caseSensitive: false, normalisation: "nfc" });
  folding.write("/A\u0301", known("1"), {});
  expect(folding.kind("/\u00e1")).toBe("file");
});

test("what a store cannot do is in none of its programs", () => {
  const all: readonly Step[] = [
    { do: "write", on: 0, path: ["a"], size: 1, ifMatch: "current" },
    { do: "write", on: 0, path: ["a"], size: 1, how: "unknown" },
    { do: "read", on: 0, path: ["a"], offset: -1 },
    { do: "list", on: 0, path: [], recursive: true },
    { do: "mkdir", on: 0, path: ["a"] },
    { do: "move", on: 0, path: ["a"], to: ["b"], ifAbsent: true },
  ];
  expect(all.every((step) => possible(step, everything))).toBe(true);
  const little = {
    ...everything,
    writeIfMatch: false,
    writeUnknownSize: false,
    readSuffix: false,
    listRecursive: false,
    mkdir: false,
    moveIfAbsent: false,
  } as const;
  expect(all.some((step) => possible(step, little))).toBe(false);
  expect(possible({ do: "write", on: 0, path: ["a"], size: 1000 }, { ...everything, maxFileBytes: 100 })).toBe(false);
});

const model = (id: string): Check => checkOf(id) ?? expect.unreachable(id);
afterEach(() => vi.unstubAllEnvs());

test("a mistake is shrunk to the two steps that it needs, printed, and found again by the path that was printed", async () => {
  const forgets = bugged({
    id: "X01",
    bug: "a second write is ignored",
    killedBy: [],
    below: () => {
      const seen = new Set<string>();
      return (inner) => ({
        write: async (call) => {
          if (!seen.has(call.path)) return await inner.write(call).finally(() => seen.add(call.path));
          await call.body.open().all();
          return await inner.stat({ operation: "stat", path: call.path, signal: undefined, detail: "full", fresh: true });
        },
      });
    },
  });
  const outcome = await runCheck(model("model.programs"), forgets.subject(), { seed: 1, tier: "full" });
  expect(outcome.status).toBe("fail");
  const found = outcome.failures[0]?.found ?? "";
  const program = JSON.parse(`[${found.slice(found.indexOf('{"do"'))}]`) as Program;
  expect(program.map((step) => step.do)).toEqual(["write", "write"]);
  const replay = /STRATUS_MODEL="([^"]+)"/.exec(found)?.[1] ?? "";
  vi.stubEnv("STRATUS_MODEL", replay);
  const again = await runCheck(model("model.programs"), forgets.subject(), { seed: 2, tier: "smoke" });
  expect(again.failures[0]?.found).toContain(printed(program));
  // As a regression it is found too, without fast-check.
  expect(regressions.length).toBeGreaterThan(20);
  expect((await runCheck(model("model.regressions"), forgets.subject(), { seed: 1, tier: "smoke" })).status).toBe("fail");
});

test("the same programs every time: two runs make the same calls", async () => {
  const runs = await Promise.all(
    [1, 2].map(async () => {
      const programs: string[] = [];
      const found = await hunt({
        programs: 5,
        steps: 20,
        seed: 7,
        reopen: true,
        capabilities: everything,
        run: async (program) => void programs.push(printed(program)),
      });
      expect(found).toBeUndefined();
      return programs;
    }),
  );
  expect(runs[0]).toEqual(runs[1]);
  expect(runs[0]?.length).toBe(5);
  expect(new Set((runs[0] ?? []).flatMap((text) => [...text.matchAll(/"do":"(\w+)"/g)].map(([, verb]) => verb))).size).toBeGreaterThan(6);
});

test("a body that is given up, fails, is short or long leaves what was there, and the model sees a store where it does not", async () => {
  for (const id of ["M16", "M17", "M20", "M21"]) {
    const store = brokenStores.find((one) => one.id === id) ?? expect.unreachable(id);
    expect((await runCheck(model("model.programs"), store.subject(), { seed: 1, tier: "full" })).status, id).toBe("fail");
  }
});

test("without fast-check the checks fail and name it", async () => {
  vi.doMock("fast-check", () => {
    throw new Error("Cannot find package 'fast-check'");
  });
  vi.resetModules();
  const fresh = await import("../../src/conformance/model/random-programs.ts");
  const error: unknown = await fresh
    .hunt({ programs: 1, steps: 1, seed: 1, reopen: false, capabilities: everything, run: async () => {} })
    .catch((thrown: unknown) => thrown);
  vi.doUnmock("fast-check");
  expect((error as CheckFailure).name).toBe("CheckFailure");
  expect((error as CheckFailure).message).toContain("npm install --save-dev fast-check");
});
