import { resolve } from 'node:path';
import { CSV_HEAD, csvLine, type ExportRow, jsonLine, PcapngExport, RowMaker } from '../../capture/index.ts';
import { HeartwireError } from '../../errors.ts';
import { openTrace, traceName } from '../../links/index.ts';
import { sourceWithSilences } from '../../recording/index.ts';
import type { Command } from '../command.ts';
import { errorText } from '../error-text.ts';
import { refuseInput } from '../files.ts';
import { legible } from '../legible.ts';
import { messagesOption } from '../messages.ts';
import { fileSink, textSink } from '../sink.ts';

const FORMATS = ['pcapng', 'csv', 'jsonl'] as const;

interface ExportArgs {
  readonly trace: string;
  readonly to: (typeof FORMATS)[number];
  readonly output: string | undefined;
  readonly messages: string | undefined;
}

/** Writes a trace frame by frame for other programs. */
export const command: Command<ExportArgs> = {
  usage: 'export <trace>',
  describe: 'Write a trace frame by frame: pcapng for Wireshark, CSV for spreadsheets, JSON lines',
  place: 150,
  task: 'record',
  raw: true,
  examples: [
    ['heartwire export psu-1.trace --to pcapng -o psu-1.pcapng', 'for Wireshark, with `heartwire dissector`'],
    ['heartwire export psu-1.trace --to csv > psu-1.csv', 'for a spreadsheet'],
    ['heartwire export oven-1.trace --to jsonl --messages messages.yaml', 'with the declared messages'],
  ],
  options: (yargs) =>
    yargs
      .positional('trace', { type: 'string', demandOption: true, describe: 'A trace, also .gz' })
      .option('to', { choices: FORMATS, demandOption: true, describe: 'The format' })
      .option('output', {
        type: 'string',
        alias: 'o',
        requiresArg: true,
        describe: 'The file; pcapng needs one',
      })
      .option('messages', { type: 'string', requiresArg: true, describe: 'messages.yaml of the device' }),
  async run(args, given) {
    // Programs behind a pipe get the bytes as they are.
    const io = given.terminal ? legible(given) : given;
    if (args.to === 'pcapng' && args.output === undefined) {
      io.err(errorText(new HeartwireError('bad_argument', 'pcapng is no text: name a file with --output.')));
      return 2;
    }
    const messages = await messagesOption(args.messages, io);
    const warn = (text: string): void => io.err(`heartwire: ${text}\n`);
    const source = await openTrace(resolve(io.cwd, args.trace), args.trace, warn);
    const { head, events } = sourceWithSilences(source, messages, warn);
    const device = head.meta.device ?? traceName(args.trace);
    const pcapng = new PcapngExport(head);
    const rows = new RowMaker(head, messages);
    const pieceOf = (row: ExportRow): readonly (string | Uint8Array)[] => {
      switch (args.to) {
        case 'pcapng':
          return pcapng.row(row);
        case 'csv':
          return [csvLine(row, head, device)];
        case 'jsonl':
          return [jsonLine(row, head, device)];
      }
    };
    if (args.output !== undefined) await refuseInput(io, [args.trace], args.output);
    const sink = args.output === undefined ? textSink(io) : fileSink(resolve(io.cwd, args.output));
    if (args.to === 'pcapng') await sink.write(pcapng.begin());
    if (args.to === 'csv') await sink.write(CSV_HEAD);
    for await (const piece of events) {
      if (sink.unwanted()) break;
      for (const event of piece) {
        for (const row of rows.take(event)) for (const part of pieceOf(row)) await sink.write(part);
      }
    }
    for (const row of rows.finish()) for (const part of pieceOf(row)) await sink.write(part);
    await sink.close();
    return 0;
  },
};
