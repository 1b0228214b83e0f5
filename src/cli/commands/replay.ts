import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { HeartwireError } from '../../errors.ts';
import { FeedStore } from '../../feed/index.ts';
import { openTrace, type TraceSource } from '../../links/index.ts';
import type { DeclaredProtocol } from '../../protocol/index.ts';
import { sourceWithSilences } from '../../recording/index.ts';
import { type ReplayResult, ReplayServer, replayTraces } from '../../replay/index.ts';
import { printableLines, readRegular } from '../../system/index.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { errorText } from '../error-text.ts';
import { LARGEST_INPUT, refuseInput, writeOutput } from '../files.ts';
import { legible } from '../legible.ts';
import { stopRequest } from '../lifecycle.ts';
import { cliLog } from '../log.ts';
import { messagesOption } from '../messages.ts';
import { portNumber } from '../option-values.ts';
import { packageVersion } from '../version.ts';

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
export const command: Command<ReplayArgs> = {
  usage: 'replay <trace..>',
  describe: 'Play traces: print what devices said, what became of them and what was sent, or compare it',
  place: 140,
  task: 'record',
  raw: true,
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
      .option('update', { type: 'boolean', default: false, describe: 'Write the file of --expect again' })
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
      io.err(errorText(error));
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

/** Lines shown before and behind each difference. */
const CONTEXT = 2;
/** Beyond this the rest is counted, not shown. */
const MOST_SHOWN = 60;
/** How far ahead the lines are looked for again. */
const LOOK_AHEAD = 200;

/** Where two lists of lines differ, for people; undefined where they do not. */
export function diffLines(expected: readonly string[], got: readonly string[]): string | undefined {
  const shown: string[] = [];
  let differences = 0;
  let [e, g] = [0, 0];
  while (e < expected.length || g < got.length) {
    if (expected[e] === got[g]) {
      e++;
      g++;
      continue;
    }
    differences++;
    const [nextE, nextG] = nextCommon(expected, got, e, g);
    if (shown.length < MOST_SHOWN) {
      shown.push(`@@ line ${e + 1} of what was expected, line ${g + 1} of what came`);
      for (const line of expected.slice(Math.max(0, e - CONTEXT), e)) shown.push(`  ${line}`);
      for (const line of marked(expected.slice(e, nextE), got.slice(g, nextG))) shown.push(line);
    }
    [e, g] = [nextE, nextG];
  }
  if (differences === 0) return undefined;
  const rest = shown.length > MOST_SHOWN ? `... and ${shown.length - MOST_SHOWN} more lines\n` : '';
  const count = `${differences} ${differences === 1 ? 'place differs' : 'places differ'}\n`;
  return `${shown.slice(0, MOST_SHOWN).join('\n')}\n${rest}${count}`;
}

/** The nearest place where both go on alike. */
function nextCommon(
  expected: readonly string[],
  got: readonly string[],
  e: number,
  g: number,
): readonly [number, number] {
  for (let ahead = 1; ahead <= LOOK_AHEAD; ahead++) {
    for (let ofE = 0; ofE <= ahead; ofE++) {
      const [atE, atG] = [e + ofE, g + ahead - ofE];
      if (atE > expected.length || atG > got.length) continue;
      if (atE === expected.length && atG === got.length) return [atE, atG];
      if (atE < expected.length && expected[atE] === got[atG]) return [atE, atG];
    }
  }
  return [expected.length, got.length];
}

/** What is missing with -, what came with +; of a pair that differs in some places only, these are named. */
function marked(missing: readonly string[], came: readonly string[]): string[] {
  const lines = [...missing.map((line) => `- ${line}`), ...came.map((line) => `+ ${line}`)];
  if (missing.length !== came.length) return lines;
  for (const [index, line] of missing.entries()) {
    const paths = differingPaths(parse(line), parse(came[index] ?? ''), '');
    if (paths.length > 0 && paths.length <= 5) lines.push(...paths.map((path) => `  ^ ${path}`));
  }
  return lines;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A golden file that was damaged: its lines are compared as text.
    return line;
  }
}

function differingPaths(expected: unknown, got: unknown, path: string): string[] {
  const keyed = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (keyed(expected) && keyed(got)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(got)])];
    return keys.flatMap((key) =>
      differingPaths(expected[key], got[key], path === '' ? key : `${path}.${key}`),
    );
  }
  const [a, b] = [JSON.stringify(expected), JSON.stringify(got)];
  return a === b || path === '' ? [] : [`${path}: expected ${a ?? 'nothing'}, got ${b ?? 'nothing'}`];
}
