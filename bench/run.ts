// npm run bench [-- decoders resync] [--set=limit] [--json] [--check] [--large] [--minutes=60] [--write]
// Runs every bench in this folder, or those named, one after the other in this process, and prints one table.
// --set=limit: those of the page of benchmarks, some ten minutes on a quiet machine.
// --json: one row per line instead; --check: exit 1 where a target was missed; --large: sizes for a machine of its own;
// --minutes: how long to go on, for a bench that measures over a time. --write: the tables as Markdown too, to
// docs/background/benchmarks.md or to --write=FILE, with the machine and how busy it was. --before=DIR: the dist/ of another build, which `fan-out` measures in turn with this one.
import { readdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchRow } from './support/bench.ts';
import { benchmarksText, COLUMNS, cells, type MeasuredBench } from './support/benchmarks-text.ts';

/** Benches that are run together. */
const SETS: Readonly<Record<string, readonly string[]>> = {
  limit: ['fan-out', 'fan-out-writes', 'relay', 'many-devices', 'idle-fleet', 'sizes'],
};
const PAGE = 'docs/background/benchmarks.md';

const own = fileURLToPath(import.meta.url);
const extension = own.endsWith('.ts') ? '.ts' : '.js';
const available = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith(extension) && !file.endsWith('.d.ts') && file !== basename(own))
  .map((file) => basename(file, extension))
  .sort();

function isBench(value: unknown): value is Bench {
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function';
}

async function load(name: string): Promise<Bench> {
  const module: unknown = await import(new URL(`./${name}${extension}`, import.meta.url).href);
  if (typeof module === 'object' && module !== null && 'bench' in module && isBench(module.bench))
    return module.bench;
  throw new Error(`bench/${name}.ts exports no \`bench\``);
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

function machine(): string {
  const processor = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`;
  return `Node ${process.version} on ${process.platform} ${process.arch}, ${processor}`;
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const set = args.find((arg) => arg.startsWith('--set='))?.slice('--set='.length);
  if (set !== undefined && SETS[set] === undefined) {
    console.error(`No set named ${set}; there are ${Object.keys(SETS).join(', ')}.`);
    return 2;
  }
  const names = [...args.filter((arg) => !arg.startsWith('--')), ...(SETS[set ?? ''] ?? [])];
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
  if (!json) console.log(machine());
  const before = args.find((arg) => arg.startsWith('--before='))?.slice('--before='.length);
  const file = args.includes('--write')
    ? PAGE
    : args.find((arg) => arg.startsWith('--write='))?.slice('--write='.length);
  const measured: MeasuredBench[] = [];
  let missed = 0;
  let failed = false;
  for (const name of names.length > 0 ? names : available) {
    const bench = await load(name);
    const rows: BenchRow[] = [];
    if (!json) console.log(`\n${name}: ${bench.about}\n`);
    const add = (row: BenchRow): void => {
      if (json) console.log(JSON.stringify({ bench: name, ...row }));
      rows.push(row);
      if (row.target?.met === false) missed++;
    };
    try {
      for await (const row of bench.run({
        large: args.includes('--large'),
        minutes: minutes === undefined ? undefined : Number(minutes),
        before,
      }))
        add(row);
    } catch (error) {
      // What the others measured in many minutes is not lost for it.
      console.error(error);
      failed = true;
      add({
        name: 'failed',
        figure: '-',
        peer: String(error),
        ratio: '-',
        target: { text: 'runs', met: false },
      });
    }
    if (!json) print(rows);
    measured.push({ name, about: bench.about, rows, load: loadavg()[0] ?? 0 });
  }
  if (file !== undefined)
    writeFileSync(file, benchmarksText(machine(), `npm run bench -- ${args.join(' ')}`, measured));
  return failed || (args.includes('--check') && missed > 0) ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
