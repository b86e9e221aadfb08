/** The order of paths in manifests and listings: that of their UTF-8 bytes, which is the one SQLite keeps text in. */

/** As `Buffer.compare` of the UTF-8 bytes, without making them: UTF-16 units differ only in where surrogates stand. */
export function comparePaths(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const highX = x >= 0xd800 && x <= 0xdfff;
    const highY = y >= 0xd800 && y <= 0xdfff;
    return highX === highY ? x - y : highX ? 1 : -1;
  }
  return a.length - b.length;
}
