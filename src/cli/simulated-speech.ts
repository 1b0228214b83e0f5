import { resolve } from 'node:path';
import { parseDuration } from '../config/index.ts';
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
  readonly seed: number;
}

/** How often a message is sent of which nothing says how often, in ms. */
const EVERY_MS = 5_000;

const MOST_ADDRESSES = 247;

/** What simulated devices say, where that is not the built-in protocol. @throws HeartwireError */
export async function speech(args: SpeechArgs, io: CliIo): Promise<Partial<SimulatedFleetOptions>> {
  const { messages, pack, like, address, every, seed } = args;
  const given = [messages, pack, like].filter((each) => each !== undefined);
  if (given.length > 1) throw bad('Choose one of --messages, --pack and --like', `${given.length} of them`);
  if (like !== undefined) return { recorded: await recordedSpeech(like, io) };
  const file = messages ?? (pack === undefined ? undefined : `pack:${pack.replace(/^pack:/, '')}`);
  if (file === undefined) {
    if (address !== undefined) throw bad('--address goes with --messages or --pack', address);
    return {};
  }
  const protocol = await declaredIn(file, io);
  const everyMs = every === undefined ? EVERY_MS : parseDuration(every);
  return { declared: { protocol, addresses: addressesOf(address, protocol), seed, everyMs } };
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
