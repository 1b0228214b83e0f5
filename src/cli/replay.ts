import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { HeartwireError } from '../errors.ts';
import { FeedStore } from '../feed/core/store.ts';
import { openTrace, type TraceSource } from '../links/trace-file.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { sourceWithSilences } from '../recording/trace-meta.ts';
import { ReplayServer } from '../replay/replay-server.ts';
import { type ReplayResult, replayTraces } from '../replay/replay-traces.ts';
import { printableLines } from '../system/printable.ts';
import { readRegular } from '../system/regular-file.ts';
import { cliLog } from './cli-log.ts';
import type { CliIo, Command, ExitCode } from './command.ts';
import { legible } from './legible.ts';
import { messagesOption } from './messages-option.ts';
import { LARGEST_INPUT } from './read-bytes.ts';
import { diffLines } from './replay-diff.ts';
import { stopRequest } from './stop-request.ts';
import { tellError } from './tell-error.ts';
import { packageVersion } from './version.ts';
import { portNumber } from './whole-number.ts';
import { refuseInput, writeOutput } from './write-output.ts';

interface ReplayArgs {
  readonly trace: readonly string[];
  readonly speed: string | undefined;
  readonly expect: string | undefined;
  readonly update: boolean;
  readonly serve: boolean;
  readonly port: number;
  readonly messages: string | undefined;
}

/** Plays traces through the decoder and session of live devices. */
export const replay: Command<ReplayArgs> = {
  usage: 'replay <trace..>',
  raw: true,
  describe: 'Play traces: print what devices said, what became of them and what was sent, or compare it',
  examples: [
    ['heartwire replay psu-1.trace', 'as fast as possible, as JSON lines'],
    ['heartwire replay psu-1.trace --expect psu-1.golden.jsonl', 'exits with 1 and a diff where it differs'],
    [
      'heartwire replay traces/*.trace.gz --serve --speed 10',
      'ten times as fast, for subscribers and the page',
    ],
  ],
  options: (yargs) =>
    yargs
      .positional('trace', { type: 'string', array: true, demandOption: true, describe: 'Traces, also .gz' })
      .option('speed', {
        type: 'string',
        requiresArg: true,
        describe: 'max, or how many times as fast as it was (max; 1 with --serve)',
      })
      .option('expect', { type: 'string', requiresArg: true, describe: 'JSON lines to compare with' })
      .option('update', { type: 'boolean', default: false, describe: 'Write the file of --expect anew' })
      .option('messages', { type: 'string', requiresArg: true, describe: 'messages.yaml of the devices' })
      .option('serve', { type: 'boolean', default: false, describe: 'Serve page, API and feed meanwhile' })
      .option('port', {
        coerce: portNumber,
        default: 8080,
        requiresArg: true,
        describe: 'Of --serve; 0 takes any',
      }),
  async run(args, given) {
    const io = legible(given, 'out');
    let speed: number | undefined;
    try {
      speed = speedOf(args);
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(tellError(error));
      return 2;
    }
    const messages = await messagesOption(args.messages, io);
    if (args.update && args.expect !== undefined) await refuseInput(io, args.trace, args.expect);
    const sources: TraceSource[] = [];
    for (const name of args.trace) {
      const warn = (text: string): void => io.err(printableLines(`heartwire: ${text}\n`));
      sources.push(sourceWithSilences(await openTrace(resolve(io.cwd, name), name, warn), messages, warn));
    }
    return args.serve
      ? served(sources, { speed, messages }, args, io)
      : printed(sources, { speed, messages }, args, io);
  },
};

interface Playing {
  readonly speed: number | undefined;
  readonly messages: DeclaredProtocol | undefined;
}

/** @throws HeartwireError where the arguments make no sense. */
function speedOf({ speed, serve, update, expect }: ReplayArgs): number | undefined {
  if (update && expect === undefined) {
    throw new HeartwireError('bad_argument', '--update needs --expect, the file that is to be written.');
  }
  if (serve && expect !== undefined) {
    throw new HeartwireError('bad_argument', '--serve and --expect do not go together.');
  }
  if (speed === 'max' || (speed === undefined && !serve)) return undefined;
  const factor = Number(speed ?? '1');
  if (Number.isFinite(factor) && factor > 0) return factor;
  throw new HeartwireError('bad_argument', '--speed must be max or a number above 0.', {
    seen: String(speed),
  });
}

async function printed(
  sources: readonly TraceSource[],
  { speed, messages }: Playing,
  args: ReplayArgs,
  io: CliIo,
): Promise<ExitCode> {
  using stop = stopRequest(io, { withOutput: true });
  const ended = new AbortController();
  void stop.requested.then(() => ended.abort());
  const kept: string[] = [];
  const result = await replayTraces(sources, {
    // The store's epoch is not part of the output, which is the same every time.
    store: new FeedStore({ epoch: 'replay' }),
    messages,
    ...(speed === undefined ? {} : { speed }),
    signal: ended.signal,
    ready: io.drained,
    line: (line) => {
      const text = JSON.stringify(line);
      if (args.expect === undefined) io.out(`${text}\n`);
      else kept.push(text);
    },
  });
  const met = tellUnmet(result, sources, io);
  if (args.expect === undefined) return met ? 0 : 1;
  return (await compared(kept, args.expect, args.update, io)) && met ? 0 : 1;
}

/** True where every `?` of the traces was met. */
function tellUnmet({ unmet }: ReplayResult, sources: readonly TraceSource[], io: CliIo): boolean {
  for (const { file = sources[0]?.name, line, connection, expected, got } of unmet) {
    io.err(printableLines(`${file}:${line}: ${connection}: expected ${expected}, got ${got ?? 'nothing'}\n`));
  }
  return unmet.length === 0;
}

async function compared(kept: readonly string[], name: string, update: boolean, io: CliIo): Promise<boolean> {
  const path = resolve(io.cwd, name);
  const text = kept.map((line) => `${line}\n`).join('');
  if (update) {
    await writeOutput(io, name, text);
    io.out(`${name}: ${kept.length} lines written\n`);
    return true;
  }
  let golden: string;
  try {
    golden = (await readRegular(path, LARGEST_INPUT)).toString('utf8');
  } catch (cause) {
    throw new HeartwireError('trace_unreadable', `${name}: the lines to compare with could not be read.`, {
      seen: name,
      fix: 'Write them first with --update, and look at what was written.',
      cause,
    });
  }
  if (golden === text) {
    io.out(`${name}: ${kept.length} lines as expected\n`);
    return true;
  }
  io.out(`${name}: not as expected\n${diffLines(golden.replace(/\n$/, '').split('\n'), kept) ?? ''}`);
  return false;
}

async function served(
  sources: readonly TraceSource[],
  { speed, messages }: Playing,
  args: ReplayArgs,
  io: CliIo,
): Promise<ExitCode> {
  using stop = stopRequest(io);
  const ended = new AbortController();
  void stop.requested.then(() => ended.abort());
  const store = new FeedStore({ epoch: randomBytes(12).toString('base64url') });
  await using server = new ReplayServer({
    store,
    port: args.port,
    log: cliLog(io, 'warn'),
    version: packageVersion(),
  });
  const { url } = await server.start();
  io.out(`The replay is at ${url} (feed: ${url.replace('http', 'ws')}/ws)\n`);
  const result = await replayTraces(sources, {
    store,
    log: cliLog(io, 'warn'),
    messages,
    ...(speed === undefined ? {} : { speed }),
    signal: ended.signal,
    wantsBytes: (topic) => server.wantsBytes(topic),
  });
  const met = tellUnmet(result, sources, io);
  if (!ended.signal.aborted)
    io.out('The traces are over; their last state is still served. Stop with Ctrl-C.\n');
  await stop.requested;
  return met ? 0 : 1;
}
