/** Rows as lines with columns below each other: numbers to the right, texts to the left, the last one as long as it is. */
export function columns(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => printable(row[at] ?? "").length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, at) =>
        typeof cell === "number"
          ? printable(cell).padStart(widths[at] ?? 0)
          : at === row.length - 1
            ? printable(cell)
            : printable(cell).padEnd(widths[at] ?? 0),
      )
      .join("  "),
  );
}

/** A name is anybody's: what would move the cursor or change colours is shown, not done. */
function printable(cell: string | number): string {
  // eslint-disable-next-line no-control-regex
  return String(cell).replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
