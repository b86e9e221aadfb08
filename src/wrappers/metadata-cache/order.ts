/** The order of listings where a service promises one. */

/** By code points: JavaScript compares UTF-16 units, in which what lies beyond U+FFFF comes before U+E000. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one === other) continue;
    const beyond = isSurrogate(one);
    return beyond === isSurrogate(other) ? one - other : beyond ? 1 : -1;
  }
  return a.length - b.length;
}

/** Half of something beyond U+FFFF: after everything else. */
function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
