// npm run bench [-- decoders resync] [--json] [--check] [--large] [--minutes=60]
// Runs every bench in this folder, or those named, one after the other in this process, and prints one table.
// --json: one row per line instead; --check: exit 1 where a target was missed; --large: sizes for a machine of its own;
// --minutes: how long to go on, for a bench that measures over a time.
import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchRow } from './support/bench.ts';

const own = fileURLToPath(import.meta.url);
const extension = own.endsWith('.ts') ? '.ts' : '.js';
const available = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith(extension) && !file.endsWith('.d.ts') && file !== basename(own))
  .map((file) => basename(file, extension))
  .sort();

const COLUMNS = ['name', 'figure', 'peer', 'ratio', 'target'] as const;

function isBench(value: unknown): value is Bench {
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function';
}

async function load(name: string): Promise<Bench> {
  const module: unknown = await import(new URL(`./${name}${extension}`, import.meta.url).href);
  if (typeof module === 'object' && module !== null && 'bench' in module && isBench(module.bench))
    return module.bench;
  throw new Error(`bench/${name}.ts exports no \`bench\``);
}

function cells(row: BenchRow): readonly string[] {
  const target = row.target === undefined ? '' : `${row.target.text}: ${row.target.met ? 'met' : 'MISSED'}`;
  return [row.name, row.figure, row.peer, row.ratio, target];
}

function print(rows: readonly BenchRow[]): void {
  const table = [COLUMNS, ...rows.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  table.forEach((line, index) => {
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(' | ')
        .trimEnd(),
    );
    if (index === 0) console.log(widths.map((width) => '-'.repeat(width)).join('-|-'));
  });
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const names = args.filter((arg) => !arg.startsWith('--'));
  const minutes = args.find((arg) => arg.startsWith('--minutes='))?.slice('--minutes='.length);
  if (minutes !== undefined && !(Number(minutes) > 0)) {
    console.error(`--minutes=${minutes} is no number above 0; write for example --minutes=60.`);
    return 2;
  }
  const unknown = names.filter((name) => !available.includes(name));
  if (unknown.length > 0) {
    console.error(`No bench named ${unknown.join(', ')}; there are ${available.join(', ')}.`);
    return 2;
  }
  if (!json)
    console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`);
  let missed = 0;
  for (const name of names.length > 0 ? names : available) {
    const bench = await load(name);
    const rows: BenchRow[] = [];
    if (!json) console.log(`\n${name}: ${bench.about}\n`);
    for await (const row of bench.run({
      large: args.includes('--large'),
      minutes: minutes === undefined ? undefined : Number(minutes),
    })) {
      if (json) console.log(JSON.stringify({ bench: name, ...row }));
      rows.push(row);
      if (row.target?.met === false) missed++;
    }
    if (!json) print(rows);
  }
  return args.includes('--check') && missed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
