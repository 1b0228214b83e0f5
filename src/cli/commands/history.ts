import { resolve } from 'node:path';
import { csvCell } from '../../capture/index.ts';
import { HeartwireError } from '../../errors.ts';
import { reachBridge } from '../bridge-http.ts';
import { type BridgeArgs, bridgeOptions, type PeriodArgs, periodOptions } from '../bridge-options.ts';
import type { CliIo, Command } from '../command.ts';
import { errorText } from '../error-text.ts';
import { outputNotWritten } from '../files.ts';
import {
  type Cell,
  columnsOf,
  type HistoryColumn,
  type HistoryRow,
  headOf,
  historyRows,
} from '../history-rows.ts';
import { legible } from '../legible.ts';
import { fileSink, textSink } from '../sink.ts';

const FORMATS = ['csv', 'jsonl', 'parquet'] as const;
/** Rows of a group in a Parquet file, which is in memory until it is written. */
const GROUP_ROWS = 50_000;

interface HistoryArgs extends BridgeArgs, PeriodArgs {
  readonly device: string;
  readonly fields: readonly string[] | undefined;
  readonly to: (typeof FORMATS)[number];
  readonly output: string | undefined;
}

/** Writes the values that a running bridge has kept of a device. */
export const command: Command<HistoryArgs> = {
  usage: 'history <device> [fields..]',
  describe: 'Write the values that a bridge has kept of a device: CSV, JSON lines or Parquet',
  place: 182,
  task: 'look',
  raw: true,
  examples: [
    ['heartwire history oven-1 --from -1d', 'all its fields, one column each, as CSV'],
    [
      'heartwire history oven-1 telemetry.temperature --from 2026-11-30T08:00 --until 2026-11-30T09:00',
      'one hour of one field',
    ],
    ['heartwire history oven-1 --from -7d --to parquet -o oven-1.parquet', 'for pandas, DuckDB or Spark'],
  ],
  options: (yargs) =>
    bridgeOptions(
      periodOptions(
        yargs
          .positional('device', { type: 'string', demandOption: true, describe: 'The device' })
          .positional('fields', {
            type: 'string',
            array: true,
            describe: 'Its fields; all where none is named',
          }),
      )
        .option('to', { choices: FORMATS, default: 'csv' as const, describe: 'The format' })
        .option('output', {
          type: 'string',
          alias: 'o',
          requiresArg: true,
          describe: 'The file; parquet needs one',
        }),
    ),
  async run(args, given) {
    // Programs behind a pipe get the bytes as they are.
    const io = given.terminal ? legible(given) : given;
    if (args.to === 'parquet' && args.output === undefined) {
      io.err(errorText(new HeartwireError('bad_argument', 'Parquet is no text: name a file with --output.')));
      return 2;
    }
    const api = await reachBridge(args, io);
    if (api === undefined) return 2;
    const columns = wanted(await columnsOf(api, args.device), args);
    const rows = historyRows(api, args, columns);
    if (args.to === 'parquet') await writeParquet(resolve(io.cwd, args.output ?? ''), columns, rows);
    else await writeText(args, io, columns, rows);
    return 0;
  },
};

/** @throws HeartwireError `field_unknown` */
function wanted(
  columns: readonly HistoryColumn[],
  { device, fields = [] }: HistoryArgs,
): readonly HistoryColumn[] {
  if (fields.length === 0) return columns;
  return fields.map((name) => {
    const column = columns.find(({ field }) => field === name);
    if (column !== undefined) return column;
    const known = columns
      .map(({ field }) => field)
      .slice(0, 20)
      .join(', ');
    throw new HeartwireError('field_unknown', `The history has no field "${name}" of ${device}.`, {
      seen: name,
      fix: known === '' ? 'Nothing is kept of this device yet.' : `It has ${known}.`,
    });
  });
}

async function writeText(
  { device, to, output }: HistoryArgs,
  io: CliIo,
  columns: readonly HistoryColumn[],
  rows: AsyncIterable<HistoryRow>,
): Promise<void> {
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

const byName = (columns: readonly HistoryColumn[], cells: readonly Cell[]): Readonly<Record<string, Cell>> =>
  Object.fromEntries(
    columns.flatMap(({ field }, index) => (cells[index] === undefined ? [] : [[field, cells[index]]])),
  );

const PARQUET_TYPES = { number: 'DOUBLE', boolean: 'BOOLEAN', text: 'STRING' } as const;

/** @throws HeartwireError `file_not_written` */
async function writeParquet(
  path: string,
  columns: readonly HistoryColumn[],
  rows: AsyncIterable<HistoryRow>,
): Promise<void> {
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
