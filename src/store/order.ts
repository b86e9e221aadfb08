/** The order that `listSorted` promises. */

/**
 * By Unicode code points, which is also the order of the UTF-8 bytes, and that of SQLite's text. JavaScript compares UTF-16 units, in which the surrogates
 * of what lies beyond U+FFFF stand before U+E000.
 */
export function byCodePoint(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x < 0xd800 || y < 0xd800 ? x - y : rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
