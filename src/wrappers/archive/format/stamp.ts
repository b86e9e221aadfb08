/** Stamps: the order of everything that installations say about one path. */

/** Milliseconds of a hybrid clock and the writer's id. Each record keeps its own for ever, also when it is packed again. */
export type Stamp = readonly [timeMs: number, writer: string];

/** Times of stamps are below this. A later one would push every clock that sees it out of what a number can count up from. */
export const MAX_TIME_MS: number = 2 ** 48;

/** By time, then by writer: total, since no writer uses a time twice. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  return a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0;
}

/** What callers see as the etag of a version. */
export function etagOf([timeMs, writer]: Stamp): string {
  return `${timeMs.toString(36)}.${writer}`;
}
