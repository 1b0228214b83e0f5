import type { ViewChange } from '../../client/index.ts';
import type { ServerMessage } from '../../contract/feed/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../../contract/wire/index.ts';
import { printable } from '../../system/index.ts';

/** Something to print: JSON for programs, its parts for people. */
export interface TailEntry {
  readonly json: JsonObject;
  /** ms since the epoch. */
  readonly at: number;
  readonly topic: string;
  readonly what: string;
}

const LONGEST_VALUE = 80;
const TIME_OF_DAY = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
} as const;
/** What one message of the server, with the changes that it made, gives to print. */
export function tailEntries(
  message: ServerMessage,
  changes: readonly ViewChange[],
  merged: boolean,
): TailEntry[] {
  const at = message.timestamp;
  if (message.type === 'event') {
    const { topic, data } = message.payload;
    return [{ json: { timestamp: at, ...message.payload }, at, topic, what: members(data) }];
  }
  if (message.type === 'gap') {
    const { topic, from_seq, to_seq, reason } = message.payload;
    const what = `missed ${to_seq - from_seq + 1} events (${reason})`;
    return [{ json: { timestamp: at, gap: true, ...message.payload }, at, topic, what }];
  }
  if (message.type === 'broadcast') {
    const { topic, from, data } = message.payload;
    return [{ json: { timestamp: at, ...message.payload }, at, topic, what: `from ${from}: ${leaf(data)}` }];
  }
  return changes.map((change) => ({
    json: { timestamp: at, ...changeJson(change, merged) },
    at,
    topic: change.topic,
    what: changeText(change, merged),
  }));
}

/** One line without anything that a terminal or a pipe could take for an order; still the same JSON. */
export function jsonLine(json: JsonObject): string {
  return `${printable(JSON.stringify(json))}\n`;
}

/** One line for people: the time of day here, the topic, and what happened. */
export function textLine({ at, topic, what }: TailEntry): string {
  const time = new Date(at).toLocaleTimeString('en-GB', TIME_OF_DAY);
  return `${time}  ${printable(topic)}  ${printable(what)}\n`;
}

/** Raw bytes of an event on `devices/<id>/bytes` as a line of hex; undefined where it holds none. */
export function bytesLine({ json, at }: TailEntry): string | undefined {
  const data = json.data;
  if (!isJsonObject(data) || !isJsonObject(data.bytes) || typeof data.bytes.$bytes !== 'string')
    return undefined;
  const bytes = Buffer.from(data.bytes.$bytes, 'base64');
  const groups = bytes.toString('hex').replace(/(.{8})(?=.)/g, '$1 ');
  const time = new Date(typeof data.at === 'number' ? data.at : at).toISOString();
  return `${time} ${data.direction === 'out' ? '>' : '<'} ${groups}\n`;
}

function changeJson({ topic, document, update }: ViewChange, merged: boolean): JsonObject {
  if (update === undefined) return { topic, removed: true };
  if (!merged || document === undefined) return { ...update };
  const { epoch, rev, seq } = update;
  return { topic, epoch, rev, seq, state: document };
}

function changeText({ document, update }: ViewChange, merged: boolean): string {
  if (document === undefined || update === undefined) return 'removed';
  return members('patch' in update && !merged ? update.patch : document);
}

function members(value: JsonObject): string {
  return [...leaves(value, '')].join(' ');
}

function* leaves(value: JsonObject, path: string): Generator<string> {
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const at = path === '' ? key : `${path}.${key}`;
    if (inner === null) yield `-${at}`;
    else if (isJsonObject(inner) && !Object.hasOwn(inner, '$bytes')) yield* leaves(inner, at);
    else yield `${at}=${leaf(inner)}`;
  }
}

function leaf(value: Json): string {
  const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
