/** A terminal of a few lines: what text with escapes would show. Throws on an escape that it does not know. */
import type { TopOutput } from "../../../src/wrappers/index.ts";

export interface Terminal extends TopOutput {
  readonly writes: readonly string[];
  /** What is seen, without blanks at the end. */
  readonly screen: () => string[];
  readonly cursorShown: () => boolean;
  /** Lines that were seen after any single write, and were empty although the frame before and after had text there: flicker. */
  readonly flickered: () => boolean;
}

export function terminal(columns: number, rows: number): Terminal {
  let lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  let shown = true;
  let flicker = false;
  const writes: string[] = [];

  const put = (char: string): void => {
    const line = (lines[row] ??= []);
    if (column >= columns) throw new Error(`a line is longer than ${columns}: it would wrap`);
    while (line.length < column) line.push(" ");
    line[column++] = char;
  };
  const escape = (code: string): void => {
    const up = /^\[(\d+)A$/.exec(code);
    if (up !== null) row = Math.max(0, row - Number(up[1]));
    else if (code === "[K") (lines[row] ??= []).splice(column);
    else if (code === "[J") {
      (lines[row] ??= []).splice(column);
      lines.splice(row + 1);
    } else if (code === "[?25l") shown = false;
    else if (code === "[?25h") shown = true;
    else if (!/^\[\d+(?:;\d+)*m$/.test(code)) throw new Error(`an escape that nobody knows: ${JSON.stringify(code)}`);
  };
  return {
    isTTY: true,
    columns,
    rows,
    getColorDepth: () => 8,
    writes,
    write(text) {
      writes.push(text);
      const before = lines.filter((line) => line.join("").trim() !== "").length;
      // eslint-disable-next-line no-control-regex
      for (const [token] of text.matchAll(/\u001b\[[?\d;]*[a-zA-Z]|[^]/gu)) {
        if (token.startsWith("\u001b")) escape(token.slice(1));
        else if (token === "\n") {
          row++;
          column = 0;
          if (row >= rows) throw new Error(`more than ${rows} lines: it would scroll`);
          lines[row] ??= [];
        } else if (token === "\r") column = 0;
        else put(token);
      }
      const after = lines.filter((line) => line.join("").trim() !== "").length;
      if (after < before / 2) flicker = true;
      return true;
    },
    screen: () => lines.map((line) => line.join("").trimEnd()),
    cursorShown: () => shown,
    flickered: () => flicker,
  };
}
