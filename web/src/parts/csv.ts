/** One row of a CSV file (RFC 4180). A text that a spreadsheet would take for a formula stays a text. */
export function csvRow(cells: readonly (string | number | boolean | undefined)[]): string {
  return cells.map(cellOf).join(',');
}

function cellOf(cell: string | number | boolean | undefined): string {
  if (cell === undefined) return '';
  if (typeof cell !== 'string') return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A name for a file, of what it is about and when. */
export function fileName(about: string, atMs: number, ending: string): string {
  const time = new Date(atMs).toISOString().slice(0, 19).replaceAll(':', '');
  return `${about.replace(/[^\w.-]+/g, '_')}-${time}Z.${ending}`;
}
