/** The line that says how far a long work is. */
import { expect, test } from "vitest";
import { workBar } from "../../src/cli/work-bar.ts";

function screen(columns = 200) {
  const written: string[] = [];
  let at = 0;
  const bar = workBar({ write: (text: string) => written.push(text) > 0, columns }, "stratus pool sync", () => at);
  return { written, bar, wait: (ms: number) => void (at += ms), line: () => written.join("").split("\r\u001b[2K").at(-1) };
}

test("files and bytes done of their totals, as far as they are known, written over at most ten times a second, and gone at the end", () => {
  const { bar, written, wait, line } = screen();
  bar.show({ done: 0, total: null, bytes: 0, totalBytes: null });
  expect(line()).toBe("stratus pool sync: 0 · 0 s");
  const before = written.length;
  wait(99);
  bar.show({ done: 1, total: 1234, bytes: 10, totalBytes: 20 });
  expect(written.length).toBe(before);
  wait(1901);
  bar.show({ done: 1200, total: 1234, bytes: 1536, totalBytes: 5 * 2 ** 30 });
  expect(line()).toBe("stratus pool sync: 1,200 of 1,234 · 1.5 KiB of 5.0 GiB · 2 s");
  wait(1000);
  bar.show({ done: 1201, total: 1234, bytes: 900, totalBytes: null });
  expect(line()).toBe("stratus pool sync: 1,201 of 1,234 · 900 B · 3 s");
  bar.end();
  expect(line()).toBe("");
});

test("a narrow terminal gets one line, and nothing is cleared where nothing was shown", () => {
  const { bar, line, written } = screen(20);
  bar.show({ done: 1, total: 2, bytes: 0, totalBytes: null });
  expect(Array.from(line() ?? "").length).toBeLessThan(20);
  const quiet = screen();
  quiet.bar.end();
  expect([quiet.written, written.length > 0]).toEqual([[], true]);
});
