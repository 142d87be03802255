/** Columns of text for terminals. */

/** Aligns the cells of all rows; the last column is as long as it is. Ends with a line break. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map(row => Bun.stringWidth(row[column] ?? ""))),
  )
  const pad = (cell: string, column: number): string => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell))
  return rows.map(row => `${row.map(pad).join("  ").trimEnd()}\n`).join("")
}
