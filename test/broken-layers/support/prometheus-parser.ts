/** Reads Prometheus' text format 0.0.4 strictly: throws an AssertionError on whatever a scraper would reject or misread. */
import assert from "node:assert/strict";

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** HELP and TYPE once per family and before its samples, samples of a family in one block, each series once, histograms cumulative and complete. */
export function parsePrometheus(text: string): ReadonlyMap<string, Family> {
  assert.ok(text.endsWith("\n"), "the last line ends too");
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>();
  const series = new Set<string>();
  let help: [name: string, text: string] | undefined;
  let current: { name: string; type: string; help: string; samples: Sample[] } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      assert.match(name, NAME);
      if (kind === "HELP") {
        assert.equal(help, undefined, `HELP ${name} is followed by TYPE`);
        help = [name, rest];
        continue;
      }
      assert.equal(help?.[0], name, `TYPE ${name} follows its HELP`);
      assert.ok(["counter", "gauge", "histogram"].includes(rest), `${rest} is a type`);
      assert.ok(!families.has(name), `${name} is one block`);
      current = { name, type: rest, help: help?.[1] ?? "", samples: [] };
      help = undefined;
      families.set(name, current);
      continue;
    }
    const sample = parseSample(line);
    assert.ok(current, "a sample follows its TYPE");
    const suffixes = current.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    assert.ok(
      suffixes.some((suffix) => sample.name === `${current?.name}${suffix}`),
      `${sample.name} belongs to ${current.name}`,
    );
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted())}`;
    assert.ok(!series.has(key), `${key} is there once`);
    series.add(key);
    if (current.type === "counter") assert.ok(sample.value >= 0, "a counter is not negative");
    current.samples.push(sample);
  }
  for (const family of families.values()) {
    assert.ok(family.samples.length > 0, `${family.name} has samples`);
    if (family.type === "counter") assert.match(family.name, /_total$/);
    if (family.type === "histogram") checkHistogram(family);
  }
  return families;
}

function parseSample(line: string): Sample {
  const head = /^([^\s{]+)/.exec(line)?.[1] ?? "";
  assert.match(head, NAME, `a sample: ${line}`);
  let at = head.length;
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    at++;
    for (;;) {
      const label = /^([^=]+)="/.exec(line.slice(at));
      assert.ok(label, `a label: ${line}`);
      const name = label[1] as string;
      assert.match(name, LABEL);
      assert.ok(!Object.hasOwn(labels, name), `label ${name} once`);
      at += label[0].length;
      let value = "";
      for (; line[at] !== '"'; at++) {
        assert.ok(at < line.length, `the label ends: ${line}`);
        if (line[at] !== "\\") value += line[at];
        else {
          const escape = line[++at] as string;
          assert.ok(["\\", '"', "n"].includes(escape), `an escape that exists: \\${escape}`);
          value += escape === "n" ? "\n" : escape;
        }
      }
      labels[name] = value;
      at++;
      if (line[at] === ",") {
        at++;
        continue;
      }
      assert.equal(line[at], "}", `the labels end: ${line}`);
      at++;
      break;
    }
  }
  const rest = line.slice(at);
  assert.match(rest, /^ (?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/, `one value, no time: ${line}`);
  const text = rest.slice(1);
  return { name: head, labels, value: text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text) };
}

function checkHistogram({ name, samples }: Family): void {
  const groups = new Map<string, { buckets: [number, number][]; sum?: number; count?: number }>();
  for (const { name: sampleName, labels, value } of samples) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(Object.entries(rest).toSorted());
    const group = groups.get(key) ?? { buckets: [] };
    groups.set(key, group);
    if (sampleName === `${name}_sum`) group.sum = value;
    else if (sampleName === `${name}_count`) group.count = value;
    else {
      assert.ok(le !== undefined, "a bucket has its border");
      group.buckets.push([le === "+Inf" ? Infinity : Number(le), value]);
    }
  }
  for (const { buckets, sum, count } of groups.values()) {
    assert.ok(sum !== undefined && count !== undefined, `${name} has sum and count`);
    for (let i = 1; i < buckets.length; i++) {
      assert.ok((buckets[i]?.[0] as number) > (buckets[i - 1]?.[0] as number), "borders grow");
      assert.ok((buckets[i]?.[1] as number) >= (buckets[i - 1]?.[1] as number), "buckets are cumulative");
    }
    assert.equal(buckets.at(-1)?.[0], Infinity, "the last bucket is +Inf");
    assert.equal(buckets.at(-1)?.[1], count, "the last bucket holds all");
  }
}
