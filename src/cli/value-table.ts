import { resolve } from 'node:path';
import { csvCell } from '../capture/index.ts';
import { HeartwireError } from '../errors.ts';
import type { CliIo } from './command.ts';
import { outputNotWritten } from './files.ts';
import { fileSink, textSink } from './sink.ts';

/** A field of a device as a column. */
export interface ValueColumn {
  readonly field: string;
  readonly unit: string | undefined;
  readonly type: 'number' | 'boolean' | 'text';
}

export type Cell = number | boolean | string | undefined;

/** One moment; a cell for each column, undefined where that has no value then. */
export interface ValueRow {
  /** Epoch ms. */
  readonly t: number;
  readonly cells: readonly Cell[];
}

export const TABLE_FORMATS = ['csv', 'jsonl', 'parquet'] as const;

export interface ValueTable {
  readonly device: string;
  readonly columns: readonly ValueColumn[];
  readonly rows: AsyncIterable<ValueRow>;
}

interface TablePlace {
  readonly to: (typeof TABLE_FORMATS)[number];
  /** A file; standard output where it is left out, except for Parquet. */
  readonly output: string | undefined;
}

/** Rows of a group in a Parquet file, which is in memory until it is written. */
const GROUP_ROWS = 50_000;
const PARQUET_TYPES = { number: 'DOUBLE', boolean: 'BOOLEAN', text: 'STRING' } as const;

/** What stands above a column: `line.volts (V)`. */
const headOf = ({ field, unit }: ValueColumn): string => (unit === undefined ? field : `${field} (${unit})`);

/** Refuses Parquet without a file. @throws HeartwireError `bad_argument` */
export function checkPlace({ to, output }: TablePlace): void {
  if (to === 'parquet' && output === undefined)
    throw new HeartwireError('bad_argument', 'Parquet is no text: name a file with --output.');
}

/**
 * Writes values of a device: a column for the time and one for each field, a row for each moment.
 *
 * @throws HeartwireError `file_not_written`
 */
export async function writeTable(table: ValueTable, { to, output }: TablePlace, io: CliIo): Promise<void> {
  if (to === 'parquet') return writeParquet(resolve(io.cwd, output ?? ''), table);
  const { device, columns, rows } = table;
  const sink = output === undefined ? textSink(io) : fileSink(resolve(io.cwd, output));
  if (to === 'csv') await sink.write(`${['time', ...columns.map(headOf)].map(csvCell).join(',')}\r\n`);
  for await (const { t, cells } of rows) {
    if (sink.unwanted()) break;
    const time = new Date(t).toISOString();
    if (to === 'csv') await sink.write(`${[time, ...cells.map(textOf)].map(csvCell).join(',')}\r\n`);
    else await sink.write(`${JSON.stringify({ time, t, device, ...byName(columns, cells) })}\n`);
  }
  await sink.close();
}

const textOf = (cell: Cell): string => (cell === undefined ? '' : String(cell));

const byName = (columns: readonly ValueColumn[], cells: readonly Cell[]): Readonly<Record<string, Cell>> =>
  Object.fromEntries(
    columns.flatMap(({ field }, index) => (cells[index] === undefined ? [] : [[field, cells[index]]])),
  );

async function writeParquet(path: string, { columns, rows }: ValueTable): Promise<void> {
  const { fileWriter, parquetWriteRows } = await import('hyparquet-writer');
  const heads = columns.map(headOf);
  async function* records(): AsyncGenerator<Record<string, Cell | Date>> {
    for await (const { t, cells } of rows)
      yield { time: new Date(t), ...Object.fromEntries(heads.map((head, index) => [head, cells[index]])) };
  }
  let writer: ReturnType<typeof fileWriter>;
  try {
    writer = fileWriter(path);
  } catch (cause) {
    throw outputNotWritten(path, cause);
  }
  await parquetWriteRows({
    writer,
    rows: records(),
    rowGroupSize: GROUP_ROWS,
    columns: [
      { name: 'time', type: 'TIMESTAMP', nullable: false },
      ...columns.map(({ type }, index) => ({
        name: heads[index] ?? '',
        type: PARQUET_TYPES[type],
        nullable: true,
      })),
    ],
  });
}
