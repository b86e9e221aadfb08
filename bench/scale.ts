/** How much of the large figures is done: STRATUS_BENCH_SCALE, 1 is all of it (10,000 files, 1,000,000 members, 4 GiB), `npm run bench -- --quick` a hundredth. */
export function scaled(count: number, least = 1): number {
  const text = process.env["STRATUS_BENCH_SCALE"] ?? "1";
  const scale = Number(text);
  if (!(scale > 0 && scale <= 1)) throw new Error(`STRATUS_BENCH_SCALE is a number above 0, at most 1, not ${text}`);
  return Math.max(least, Math.round(count * scale));
}
