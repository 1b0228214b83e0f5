import { resolve } from 'node:path';
import { CSV_HEAD, csvLine, type ExportRow, jsonLine, PcapngExport, RowMaker } from '../../capture/index.ts';
import { HeartwireError } from '../../errors.ts';
import { followTrace, openTrace, type TraceSource, traceName } from '../../links/index.ts';
import type { DeclaredProtocol } from '../../protocol/index.ts';
import { sourceWithSilences } from '../../recording/index.ts';
import { readerOptions } from '../bridge-keys.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { errorText } from '../error-text.ts';
import { refuseInput } from '../files.ts';
import { legible } from '../legible.ts';
import { messagesOption } from '../messages.ts';
import { byteSink, fileSink, type Sink, textSink } from '../sink.ts';
import { traceValues } from '../trace-values.ts';
import { checkPlace, writeTable } from '../value-table.ts';

const FORMATS = ['pcapng', 'csv', 'jsonl', 'parquet'] as const;

export interface ExportArgs {
  readonly trace: string | undefined;
  readonly to: (typeof FORMATS)[number];
  readonly output: string | undefined;
  readonly messages: string | undefined;
  readonly values: boolean;
  readonly device: string | undefined;
  readonly follow: boolean;
  readonly url: string | undefined;
  readonly origin: string | undefined;
  readonly 'token-file': string | undefined;
  readonly 'key-file': readonly string[] | undefined;
}

/** Writes a trace for other programs: frame by frame, or its values as `heartwire history` does. */
export const command: Command<ExportArgs> = {
  usage: 'export [trace]',
  describe: 'Write the frames of a trace, or its values: pcapng, CSV, JSON lines, Parquet',
  place: 150,
  task: 'record',
  raw: true,
  examples: [
    ['heartwire export psu-1.trace --to pcapng -o psu-1.pcapng', 'for Wireshark, with `heartwire dissector`'],
    ['heartwire export psu-1.trace --to csv > psu-1.csv', 'for a spreadsheet'],
    ['heartwire export oven-1.trace --to jsonl --messages messages.yaml', 'with the declared messages'],
    [
      'heartwire export oven-1.trace --values --to csv --messages messages.yaml',
      'a column for each field, as `heartwire history` has them',
    ],
    [
      'heartwire export --follow --device psu-1 --to pcapng | tshark -i -',
      'live frames of a running bridge; `heartwire extcap` brings them into Wireshark',
    ],
  ],
  options: (yargs) =>
    readerOptions(yargs)
      .positional('trace', { type: 'string', describe: 'A trace, also .gz; none where a bridge is followed' })
      .option('to', { choices: FORMATS, demandOption: true, describe: 'The format' })
      .option('output', {
        type: 'string',
        alias: 'o',
        requiresArg: true,
        describe: 'The file; parquet needs one, and pcapng on a terminal',
      })
      .option('values', {
        type: 'boolean',
        default: false,
        describe: 'Values instead of frames, a column for each field; Parquet has nothing else',
      })
      .option('device', {
        type: 'string',
        requiresArg: true,
        describe: 'Of --values, on a bus; of a bridge that is followed',
      })
      .option('follow', {
        type: 'boolean',
        default: false,
        describe: 'What comes, too: of a trace that is still written, or of a --device of a running bridge',
      })
      .option('messages', { type: 'string', requiresArg: true, describe: 'messages.yaml of the device' }),
  async run(args, given) {
    // Programs behind a pipe get the bytes as they are.
    const io = given.terminal ? legible(given) : given;
    const problem = problemOf(args, io);
    if (problem !== undefined) {
      io.err(errorText(new HeartwireError('bad_argument', problem)));
      return 2;
    }
    if (args.trace !== undefined && (args.values || args.to === 'parquet'))
      return writeValues({ ...args, trace: args.trace }, io);
    return writeFrames(args, io);
  },
};

/** Why arguments make no sense together. */
function problemOf({ trace, to, output, values, device, follow }: ExportArgs, io: CliIo): string | undefined {
  if (follow && (values || to === 'parquet')) return '--follow has frames, and no values.';
  if (trace === undefined && !follow) return 'Name a trace, or --follow a --device of a running bridge.';
  if (trace === undefined && device === undefined) return 'Name the --device of the bridge to follow.';
  if (trace !== undefined && follow && device !== undefined)
    return 'A trace is followed, or a --device of a bridge, and not both.';
  if (to === 'pcapng' && !values && output === undefined && (io.terminal || io.outBytes === undefined))
    return 'pcapng is no text: name a file with --output, or write it into a pipe.';
  return undefined;
}

async function writeFrames(args: ExportArgs, io: CliIo): Promise<ExitCode> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  const unwatch = args.follow ? [io.onSignal('SIGINT', abort), io.onSignal('SIGTERM', abort)] : [];
  io.outClosed.addEventListener('abort', abort);
  if (io.outClosed.aborted) abort();
  try {
    const declared = await messagesOption(args.messages, io);
    if (args.trace !== undefined) {
      if (args.output !== undefined) await refuseInput(io, [args.trace], args.output);
      const source = await traceOf(args.trace, args.follow ? stop.signal : undefined, declared, io);
      return await writeRows(args, source, declared, io);
    }
    // With the client; most of the time a file is exported.
    const { feedTrace } = await import('../feed-trace.ts');
    using feed = await feedTrace(
      { ...args, device: args.device ?? '', messages: declared, signal: stop.signal },
      io,
    );
    return await writeRows(args, feed.source, feed.messages, io);
  } catch (error) {
    // A trace that had not begun yet.
    if (args.follow && stop.signal.aborted) return 0;
    throw error;
  } finally {
    for (const each of unwatch) each();
    io.outClosed.removeEventListener('abort', abort);
  }
}

async function traceOf(
  trace: string,
  followed: AbortSignal | undefined,
  messages: DeclaredProtocol | undefined,
  io: CliIo,
): Promise<TraceSource> {
  const warn = (text: string): void => io.err(`heartwire: ${text}\n`);
  const path = resolve(io.cwd, trace);
  const source = await (followed === undefined
    ? openTrace(path, trace, warn)
    : followTrace(path, trace, warn, followed));
  return sourceWithSilences(source, messages, warn);
}

async function writeRows(
  args: Pick<ExportArgs, 'to' | 'output' | 'follow'>,
  { head, events, name }: TraceSource,
  messages: DeclaredProtocol | undefined,
  io: CliIo,
): Promise<ExitCode> {
  const device = head.meta.device ?? traceName(name);
  const pcapng = new PcapngExport(head);
  const rows = new RowMaker(head, messages);
  const pieceOf = (row: ExportRow): readonly (string | Uint8Array)[] => {
    switch (args.to) {
      case 'pcapng':
        return pcapng.row(row);
      case 'parquet':
        return [];
      case 'csv':
        return [csvLine(row, head, device)];
      case 'jsonl':
        return [jsonLine(row, head, device)];
    }
  };
  const sink = sinkOf(args, io);
  if (args.to === 'pcapng') await sink.write(pcapng.begin());
  if (args.to === 'csv') await sink.write(CSV_HEAD);
  if (args.follow) await sink.flush();
  for await (const piece of events) {
    if (sink.unwanted()) break;
    for (const event of piece) {
      for (const row of rows.take(event)) for (const part of pieceOf(row)) await sink.write(part);
    }
    if (args.follow) await sink.flush();
  }
  for (const row of rows.finish()) for (const part of pieceOf(row)) await sink.write(part);
  await sink.close();
  return 0;
}

function sinkOf({ to, output }: Pick<ExportArgs, 'to' | 'output'>, io: CliIo): Sink {
  if (output !== undefined) return fileSink(resolve(io.cwd, output));
  return to === 'pcapng' && io.outBytes !== undefined ? byteSink(io.outBytes, io) : textSink(io);
}

async function writeValues(
  { to, trace, output, device, ...args }: ExportArgs & { readonly trace: string },
  io: CliIo,
): Promise<ExitCode> {
  try {
    if (to === 'pcapng')
      throw new HeartwireError('bad_argument', 'pcapng has frames, and no values: leave out --values.');
    checkPlace({ to, output });
    if (output !== undefined) await refuseInput(io, [trace], output);
    const messages = await messagesOption(args.messages, io);
    const warnings = new Set<string>();
    // The trace is read twice, and says what is odd about it once.
    const warn = (text: string): void => {
      if (!warnings.has(text)) io.err(`heartwire: ${text}\n`);
      warnings.add(text);
    };
    const open = async () =>
      sourceWithSilences(await openTrace(resolve(io.cwd, trace), trace, warn), messages, warn);
    await writeTable(await traceValues(open, messages, device), { to, output }, io);
    return 0;
  } catch (error) {
    if (!(error instanceof HeartwireError) || error.code !== 'bad_argument') throw error;
    io.err(errorText(error));
    return 2;
  }
}
