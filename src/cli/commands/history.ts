import { HeartwireError } from '../../errors.ts';
import { reachBridge } from '../bridge-http.ts';
import { type BridgeArgs, bridgeOptions, type PeriodArgs, periodOptions } from '../bridge-options.ts';
import type { Command } from '../command.ts';
import { errorText } from '../error-text.ts';
import { columnsOf, historyRows } from '../history-rows.ts';
import { legible } from '../legible.ts';
import { checkPlace, TABLE_FORMATS, type ValueColumn, writeTable } from '../value-table.ts';

interface HistoryArgs extends BridgeArgs, PeriodArgs {
  readonly device: string;
  readonly fields: readonly string[] | undefined;
  readonly to: (typeof TABLE_FORMATS)[number];
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
        .option('to', { choices: TABLE_FORMATS, default: 'csv' as const, describe: 'The format' })
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
    try {
      checkPlace(args);
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(errorText(error));
      return 2;
    }
    const api = await reachBridge(args, io);
    if (api === undefined) return 2;
    const columns = wanted(await columnsOf(api, args.device), args);
    await writeTable({ device: args.device, columns, rows: historyRows(api, args, columns) }, args, io);
    return 0;
  },
};

/** @throws HeartwireError `field_unknown` */
function wanted(
  columns: readonly ValueColumn[],
  { device, fields = [] }: HistoryArgs,
): readonly ValueColumn[] {
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
