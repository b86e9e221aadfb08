/** Reports: what changed, what vanished, and that nothing of a name becomes markup. */
import { expect, test } from "vitest";
import { compare, createReport, isGreen, parseReport, runConformance, toHtml, toJson, toMarkdown } from "../../src/conformance/index.ts";
import type { Check, Outcome, Report, SubjectReport } from "../../src/conformance/index.ts";
import { fail } from "../../src/conformance/assert.ts";
import { memorySubject } from "./memory-subject.ts";

function outcome(check: string, status: Outcome["status"], more: Partial<Outcome> = {}): Outcome {
  return {
    check,
    group: "names",
    title: "t",
    why: "w",
    stack: null,
    status,
    ms: 1,
    calls: 1,
    requests: null,
    bytesUp: null,
    bytesDown: null,
    seed: 1,
    notes: [],
    refused: [],
    failures: [],
    transcript: [],
    expected: null,
    doc: "docs/checks/names.md",
    ...more,
  };
}
function report(outcomes: readonly Outcome[], more: Partial<SubjectReport> = {}): Report {
  return createReport(
    [{ name: "acme", tier: "full", seed: 1, only: [], stacks: [{ name: null, store: "acme", declared: null }], notOffered: {}, notRun: [], outcomes, ...more }],
    0,
  );
}
const ids = (changes: readonly { readonly check: string }[]): string[] => changes.map((change) => change.check);

test("newly failing, fixed, vanished, given up, gained", () => {
  const before = report([
    outcome("a", "pass"),
    outcome("b", "fail"),
    outcome("c", "pass"),
    outcome("d", "pass"),
    outcome("e", "refused"),
    outcome("f", "xfail"),
    outcome("g", "pass"),
  ]);
  const now = report([
    outcome("a", "fail"),
    outcome("b", "pass"),
    outcome("d", "refused"),
    outcome("e", "pass"),
    outcome("f", "xpass"),
    outcome("g", "infra-error"),
    outcome("new", "fail"),
    outcome("fine", "pass"),
  ]);
  const diff = compare(now, before);
  expect(ids(diff.newlyFailing)).toEqual(["a", "f", "g", "new"]);
  expect(ids(diff.fixed)).toEqual(["b"]);
  expect(ids(diff.vanished)).toEqual(["c"]);
  expect(ids(diff.weakened)).toEqual(["d"]);
  expect(ids(diff.gained)).toEqual(["e"]);
});

test("one check under two stacks is two things", () => {
  const before = report([outcome("a", "pass"), outcome("a", "pass", { stack: "cached" })]);
  const now = report([outcome("a", "pass")]);
  expect(compare(now, before).vanished).toMatchObject([{ check: "a", stack: "cached" }]);
});

test("a smaller tier or a filter leaves out on purpose; a subject that is gone has vanished where all were asked for", () => {
  const before = report([outcome("a", "pass")]);
  expect(compare(report([], { tier: "smoke" }), before).vanished).toEqual([]);
  expect(compare(report([], { only: ["names"] }), before).vanished).toEqual([]);
  expect(compare(report([], { tier: "torture" }), before).vanished).toHaveLength(1);
  const other = report([outcome("a", "pass")], { name: "other" });
  expect(compare(other, before).vanished).toEqual([]);
  expect(compare(other, before, { subjects: "all" }).vanished).toHaveLength(1);
});

test("a vanished check is not green, whatever holds", () => {
  const before = report([outcome("a", "pass"), outcome("b", "pass")]);
  const now = report([outcome("a", "pass")]);
  expect(isGreen(now)).toBe(true);
  expect(isGreen({ ...now, diff: compare(now, before) })).toBe(false);
  expect(isGreen(report([outcome("a", "infra-error")]))).toBe(false);
});

test("JSON comes back as it went, infinities included; another schema and other files are refused", async () => {
  const made = await runConformance(memorySubject(), { only: ["names.nested"], seed: 3 });
  expect(made.subjects[0]?.stacks[0]?.declared?.maxFileBytes).toBe(Infinity);
  expect(parseReport(toJson(made), "x")).toEqual(made);
  expect(() => parseReport(toJson({ ...made, schema: 99 }), "old.json")).toThrow(/old\.json has schema 99/);
  expect(() => parseReport("{}", "x.json")).toThrow(/no conformance report/);
  expect(() => parseReport("{", "x.json")).toThrow(/no JSON/);
});

test("the page is one file, loads nothing, and takes no name for markup", async () => {
  const hostile = `</script><img src="http://evil.example/x.png" onerror="alert(1)">|\`\`\`\n# <b>`;
  const bad: Check = {
    id: "own.hostile",
    title: `a file called ${hostile}`,
    why: hostile,
    tier: "smoke",
    behaviours: [1],
    guarantees: [],
    kills: [],
    async run({ store, note }) {
      await store.write(`/${hostile.replaceAll("/", "-").replaceAll("\n", " ")}`, "x");
      note(hostile);
      fail(hostile, hostile, hostile);
    },
  };
  const made = await runConformance(memorySubject({ name: hostile }), { only: ["own.hostile"], extra: [bad] });
  const page = toHtml({ ...made, module: hostile });
  expect(page).not.toContain("<img");
  expect(page).not.toContain("</script><");
  expect(page.match(/<script>/g)).toHaveLength(1);
  expect(page.match(/<\/script>/g)).toHaveLength(1);
  // Attributes that load: none. Addresses as text are text.
  expect(page).not.toMatch(/<(?:link|img|iframe|object|embed|video|audio|source|base)\b/);
  expect(page.replace(/<script>[^]*<\/script>/, "").replace(/="[^"]*"/g, '=""')).not.toMatch(/<[^>]*\s(?:src|href|action|data|srcset|on\w+)\s*=/);
  expect(page).not.toMatch(/@import|url\(/);
  expect(page).toContain("default-src 'none'");
  const markdown = toMarkdown(made);
  // What is in a fence longer than any in it is shown as it is; everywhere else a name is words.
  const outside = markdown.replace(/^(`{3,})text\n[^]*?\n\1$/gm, "");
  expect(outside.split("\n").filter((line) => line.startsWith("# "))).toEqual(["# Conformance"]);
  expect(outside.replaceAll(/\\[<>`|]/g, "")).not.toMatch(/[<>]|```/);
});
