import { patternProblem } from '../../contract/wire/index.ts';
import { HeartwireError } from '../../errors.ts';
import { openFeed } from '../bridge-connection.ts';
import { bridgeKeys, openPayloads, readerOptions } from '../bridge-keys.ts';
import { bridgeToken, bridgeUrl } from '../bridge-options.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { errorText } from '../error-text.ts';
import { bytesLine, jsonLine, type TailEntry, TailLines, tailEntries } from '../ui/feed-lines.ts';
import { Units } from '../ui/units.ts';

export interface TailArgs {
  readonly pattern: readonly string[];
  readonly url: string | undefined;
  readonly origin: string | undefined;
  readonly 'token-file': string | undefined;
  readonly 'key-file': readonly string[] | undefined;
  readonly json: boolean;
  readonly merged: boolean;
  readonly bytes: string | undefined;
  readonly count: number | undefined;
  readonly retry: boolean;
}

/** What is followed, and where. */
interface Source {
  readonly url: string;
  readonly topics: readonly string[];
  readonly token: string | undefined;
  readonly keys: readonly Uint8Array[];
}

/** Prints what happens on a bridge's feed until a signal to stop. */
export const command: Command<TailArgs> = {
  usage: 'tail [pattern..]',
  describe: 'Print the live feed of a bridge: JSON lines in a pipe, one short line each on a terminal',
  place: 210,
  task: 'look',
  raw: true,
  examples: [
    ['heartwire tail', 'everything about all devices'],
    ["heartwire tail 'devices/+/state' --merged | jq .state.status", 'the whole document after each change'],
    ['heartwire tail --bytes psu-1', 'raw bytes of one device as hex, < from it and > to it'],
    ['heartwire tail --url http://10.0.0.5:8080 --count 1', 'one line of a bridge elsewhere'],
    ['heartwire tail --key-file keys/bench-2026.key', 'what the bridge encrypts, too'],
  ],
  options: (yargs) =>
    readerOptions(
      yargs
        .positional('pattern', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'Topics; + is one level, # the rest (devices/# by default)',
        })
        .option('json', { type: 'boolean', default: false, describe: 'JSON lines on a terminal too' })
        .option('merged', {
          type: 'boolean',
          default: false,
          describe: 'Whole documents instead of what changed in them',
        })
        .option('bytes', { type: 'string', requiresArg: true, describe: 'Raw bytes of this device as hex' })
        .option('count', { type: 'number', requiresArg: true, describe: 'End after so many lines' })
        .option('retry', {
          type: 'boolean',
          default: false,
          describe: 'Wait for a bridge that is not there yet',
        }),
    ),
  run,
};

async function run(args: TailArgs, io: CliIo): Promise<ExitCode> {
  let source: Source;
  try {
    source = await sourceOf(args, io);
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    io.err(errorText(error));
    return 2;
  }
  await follow(source, args, io);
  return 0;
}

async function follow({ url, topics, token, keys }: Source, args: TailArgs, io: CliIo): Promise<void> {
  const line = lineOf(args, io);
  const note = (text: string): void => io.err(`heartwire: ${text}\n`);
  const decode = openPayloads(keys, note);
  using feed = openFeed({ url, origin: args.origin, token, decode, retry: args.retry, io, note });
  let printed = 0;
  const units = isForPeople(args, io) ? new Units(feed.client, topics) : undefined;
  feed.client.on('message', (message, changes, repeated) => {
    const entries = repeated ? [] : tailEntries(message, changes, args.merged, units?.of);
    units?.follow(changes);
    for (const entry of entries) {
      if (units?.hides(entry.topic) === true) continue;
      const text = line(entry);
      if (text === undefined || printed === args.count) continue;
      printed += 1;
      io.out(text);
    }
    if (printed === args.count) feed.end();
  });
  feed.client.subscribe(topics);
  await feed.ended;
}

/** @throws HeartwireError where the arguments make no sense. */
async function sourceOf(args: TailArgs, io: CliIo): Promise<Source> {
  const { count } = args;
  if (count !== undefined && !(Number.isInteger(count) && count > 0)) {
    throw new HeartwireError('bad_argument', '--count must be a whole number above 0.', {
      seen: String(count),
    });
  }
  const url = bridgeUrl(args.url, io);
  return {
    url,
    topics: topicsOf(args),
    token: await bridgeToken(args['token-file'], io),
    keys: await bridgeKeys(args['key-file'], io),
  };
}

function topicsOf({ pattern, bytes }: TailArgs): readonly string[] {
  const topics = bytes === undefined ? pattern : [...pattern, `devices/${bytes}/bytes`];
  for (const each of topics) {
    const problem = patternProblem(each);
    if (problem !== undefined) {
      throw new HeartwireError('bad_argument', `Not a pattern: ${problem}.`, {
        seen: each,
        fix: 'Patterns look like devices/+/state or devices/#; quote them, because a shell takes # for a comment.',
      });
    }
  }
  return topics.length === 0 ? ['devices/#'] : topics;
}

/** Columns and units are for terminals. */
const isForPeople = ({ json }: TailArgs, io: CliIo): boolean => io.terminal && !json;

function lineOf(args: TailArgs, io: CliIo): (entry: TailEntry) => string | undefined {
  const { bytes, json } = args;
  if (json || (!io.terminal && bytes === undefined)) return (entry) => jsonLine(entry.json);
  // https://no-color.org
  const lines = new TailLines({ colours: io.terminal && (io.env.NO_COLOR ?? '') === '' });
  if (bytes === undefined) return (entry) => lines.line(entry);
  return (entry) => bytesLine(entry) ?? lines.line(entry);
}
