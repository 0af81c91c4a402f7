/** Rows of text as columns, two blanks apart; the first row is the heading. Cells that are numbers stand to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const numeric = widths.map((_, i) => rows.slice(1).every((row) => /^[\d.,]+$/.test(row[i] ?? "")));
  return rows
    .map((row) =>
      widths
        .map((width, i) => (numeric[i] ? (row[i] ?? "").padStart(width) : (row[i] ?? "").padEnd(width)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
