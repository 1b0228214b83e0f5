import type { BenchRow } from './bench.ts';

/** A bench with all that it measured, and how many programs wanted a processor at its end. */
export interface MeasuredBench {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly BenchRow[];
  readonly load: number;
}

export const COLUMNS = ['name', 'figure', 'peer', 'ratio', 'target'] as const;

/** The cells of a row, as they are printed. */
export function cells(row: BenchRow): readonly string[] {
  const target = row.target === undefined ? '' : `${row.target.text}: ${row.target.met ? 'met' : 'MISSED'}`;
  return [row.name, row.figure, row.peer, row.ratio, target];
}

/** The tables as a page of the documents; nothing in it is typed by hand. */
export function benchmarksText(machine: string, command: string, measured: readonly MeasuredBench[]): string {
  const parts = measured.map(({ name, about, rows, load }) => {
    const lines = [COLUMNS, COLUMNS.map(() => '---'), ...rows.map(cells)].map(
      (row) => `| ${row.map(escaped).join(' | ')} |`,
    );
    return `## ${name}\n\n${escaped(about)} (load of the machine: ${load.toFixed(1)})\n\n${lines.join('\n')}\n`;
  });
  const head = `# Benchmarks\n\nWritten by \`${command}\`, which measures again. ${machine}.\n\nA load of the machine above its number of processors means that other programs took part of the time: look at the ratios then, not at the figures.\n`;
  return [head, ...parts].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
