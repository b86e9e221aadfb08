/** The figures for people: one line, as a status. */
import type { StatsSnapshot } from "./snapshot.ts";

/** "up 10.0 MB at 2.1 MB/s, down 0 B, 31 calls, 2 failed (unavailable 2), 3 files pending, 12 hits, 4 misses". One line. */
export function statusText(snapshot: StatsSnapshot): string {
  const { up, down, calls, failed, inFlight, cache, stalled } = snapshot;
  const flow = (name: string, { bytesOk, bytesPerSecond }: StatsSnapshot["up"]): string =>
    `${name} ${bytesText(bytesOk)}${bytesPerSecond > 0 ? ` at ${bytesText(bytesPerSecond)}/s` : ""}`;
  const parts = [flow("up", up), flow("down", down), `${calls} calls`];
  if (inFlight > 0) parts.push(`${inFlight} under way`);
  if (failed > 0) parts.push(`${failed} failed (${errorsText(snapshot)})`);
  if (cache.dirtyFiles > 0) parts.push(`${cache.dirtyFiles} files pending`);
  if (cache.cacheBytes > 0) parts.push(`${bytesText(cache.cacheBytes)} cached`);
  if (cache.hits + cache.misses > 0) parts.push(`${cache.hits} hits, ${cache.misses} misses`);
  if (cache.overHardLimit) parts.push("over the hard limit");
  if (stalled.length > 0) parts.push(`stalled: ${stalled.join(", ")}`);
  return parts.join(", ");
}

export function errorsText({ operations }: Pick<StatsSnapshot, "operations">): string {
  const counts = new Map<string, number>();
  for (const { errors } of Object.values(operations)) for (const [code, count] of Object.entries(errors)) counts.set(code, (counts.get(code) ?? 0) + count);
  return [...counts].map(([code, count]) => `${code} ${count}`).join(", ");
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** "10.0 MB": powers of ten, as transfers are measured. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 999.95 && unit < UNITS.length - 1; unit++) value /= 1000;
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}
