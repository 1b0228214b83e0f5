import { resolve } from 'node:path';
import { findPack, type PackFrame, parseDuration, readPack } from '../config/index.ts';
import type { Values } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import { openTrace } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import type { RecordedSpeech, SimulatedFleetOptions } from '../simulator/index.ts';
import type { CliIo } from './command.ts';
import { declaredIn } from './messages.ts';

/** What is typed about what simulated devices say. */
interface SpeechArgs {
  readonly messages: string | undefined;
  readonly pack: string | undefined;
  readonly address: string | undefined;
  readonly like: string | undefined;
  readonly every: string | undefined;
  readonly 'ask-time': string | undefined;
  readonly identity: string | undefined;
  readonly seed: number;
}

/** How often a message is sent of which nothing says how often, in ms. */
const EVERY_MS = 5_000;

const MOST_ADDRESSES = 247;

/** What simulated devices say, where that is not the built-in protocol. @throws HeartwireError */
export async function speech(args: SpeechArgs, io: CliIo): Promise<Partial<SimulatedFleetOptions>> {
  const { messages, pack, like, address, every, seed, identity } = args;
  const given = [messages, pack, like].filter((each) => each !== undefined);
  if (given.length > 1) throw bad('Choose one of --messages, --pack and --like', `${given.length} of them`);
  if (like !== undefined) return { recorded: await recordedSpeech(like, io) };
  const file = messages ?? (pack === undefined ? undefined : `${PACK}${pack.replace(/^pack:/, '')}`);
  if (file === undefined) {
    if (address !== undefined) throw bad('--address goes with --messages or --pack', address);
    if (identity !== undefined) throw bad('--identity goes with --messages or --pack', identity);
    return {};
  }
  const protocol = await declaredIn(file, io);
  if (identity !== undefined && !protocol.logsIn)
    throw bad('These messages declare no login; leave out --identity', identity);
  const own = every === undefined ? undefined : parseDuration(every);
  const asksEvery = args['ask-time'];
  return {
    declared: {
      protocol,
      addresses: addressesOf(address, protocol),
      seed,
      everyMs: own ?? EVERY_MS,
      heartbeatEveryMs: own,
      timeEveryMs: asksEvery === undefined ? undefined : parseDuration(asksEvery),
      name: identity,
      said:
        file.startsWith(PACK) && protocol.logsIn ? await publishedBy(file.slice(PACK.length), io) : undefined,
    },
  };
}

const PACK = 'pack:';

/** What a pack's published frames hold: places and states of real devices, which made-up values would not be. */
async function publishedBy(name: string, io: CliIo): Promise<ReadonlyMap<string, readonly Values[]>> {
  const { pack } = await readPack(await findPack(name, io.cwd));
  return publishedValues(pack?.frames ?? []);
}

/** The values of each message that a device sends. */
export function publishedValues(frames: readonly PackFrame[]): ReadonlyMap<string, readonly Values[]> {
  const said = new Map<string, Values[]>();
  for (const { from, kind, message, fields, encode } of frames) {
    if (from !== 'device' || kind === 'reply' || encode === false) continue;
    // Its frames were checked against the messages when the pack was made.
    said.set(message, [...(said.get(message) ?? []), fields as Values]);
  }
  return said;
}

function addressesOf(text: string | undefined, protocol: DeclaredProtocol): readonly number[] {
  if (text === undefined) return [1];
  if (protocol.declaration.address === undefined)
    throw bad('These messages carry no address; leave out --address', text);
  const addresses = text.split(',').flatMap((part) => {
    const [, first = '', last = first] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(part.trim()) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (first === '' || count < 1 || count > MOST_ADDRESSES)
      throw bad('--address is for example 1, 1,5 or 1..8', text);
    return Array.from({ length: count }, (_, index) => Number(first) + index);
  });
  return [...new Set(addresses)];
}

/** An answer comes within so long, in ms; what comes later was said without being asked. */
const ANSWERS_WITHIN_MS = 1_000;

/** What the device of a trace said by itself, and what it answered to what it was sent. */
async function recordedSpeech(name: string, io: CliIo): Promise<RecordedSpeech> {
  const { events } = await openTrace(resolve(io.cwd, name), name, (text) => io.err(`heartwire: ${text}\n`));
  const unasked: { atMs: number; bytes: Uint8Array }[] = [];
  const answers = new Map<string, Uint8Array[][]>();
  let openedAt = 0;
  let last = 0;
  let asked: { readonly atMs: number; readonly replies: Uint8Array[] } | undefined;
  for await (const piece of events) {
    for (const { atUs, fact } of piece) {
      const atMs = atUs / 1_000;
      last = atMs - openedAt;
      if (fact.kind === 'life' && fact.word === 'open') {
        openedAt = unasked.length === 0 && answers.size === 0 ? atMs : openedAt;
        asked = undefined;
      } else if (fact.kind === 'out') {
        const key = Buffer.from(fact.bytes).toString('hex');
        asked = { atMs, replies: [] };
        const before = answers.get(key);
        if (before === undefined) answers.set(key, [asked.replies]);
        else before.push(asked.replies);
      } else if (fact.kind === 'in') {
        if (asked !== undefined && atMs - asked.atMs <= ANSWERS_WITHIN_MS) asked.replies.push(fact.bytes);
        else unasked.push({ atMs: atMs - openedAt, bytes: fact.bytes });
      }
    }
  }
  if (unasked.length === 0 && answers.size === 0) {
    throw new HeartwireError('trace_unfit', `${name}: the device says nothing in this trace.`, {
      seen: name,
      fix: 'Name a trace with bytes from a device.',
    });
  }
  return { unasked, answers, durationMs: last };
}

const bad = (expected: string, seen: string): HeartwireError =>
  new HeartwireError('bad_argument', `${expected}; seen: ${seen}.`, { seen, fix: expected });
