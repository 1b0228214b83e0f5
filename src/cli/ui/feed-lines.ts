import type { ViewChange } from '../../client/index.ts';
import type { ServerMessage } from '../../contract/feed/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../../contract/wire/index.ts';
import { printable } from '../../system/index.ts';
import { paint, type Style } from './styled-text.ts';

/** Something to print: JSON for programs, its parts for people. */
export interface TailEntry {
  readonly json: JsonObject;
  /** ms since the epoch. */
  readonly at: number;
  readonly topic: string;
  readonly words: readonly Word[];
}

/** A piece of a line: what it is called, and what it is. */
export interface Word {
  /** With what stands between both; empty where the value says it all. */
  readonly key: string;
  readonly value: string;
  readonly style: Style;
}

/** How lines look to people. */
export interface Look {
  readonly colours: boolean;
  /** The unit of a value of a device, by the path of the field; empty where it has none or it is not known yet. */
  unitOf(topic: string, path: string): string;
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
  unitOf: Look['unitOf'] = () => '',
): TailEntry[] {
  const at = message.timestamp;
  if (message.type === 'event') {
    const { topic, data } = message.payload;
    return [
      {
        json: { timestamp: at, ...message.payload },
        at,
        topic,
        words: members(data, (path) => unitOf(topic, eventPath(data, path))),
      },
    ];
  }
  if (message.type === 'gap') {
    const { topic, from_seq, to_seq, reason } = message.payload;
    const value = `missed ${to_seq - from_seq + 1} events (${reason})`;
    const words = [{ key: '', value, style: 'yellow' }] as const;
    return [{ json: { timestamp: at, gap: true, ...message.payload }, at, topic, words }];
  }
  if (message.type === 'broadcast') {
    const { topic, from, data } = message.payload;
    const words = [{ key: `from ${from}: `, value: leaf(data), style: 'plain' }] as const;
    return [{ json: { timestamp: at, ...message.payload }, at, topic, words }];
  }
  return changes.map((change) => ({
    json: { timestamp: at, ...changeJson(change, merged) },
    at,
    topic: change.topic,
    words: changeWords(change, merged, unitOf),
  }));
}

/** One line without anything that a terminal or a pipe could take for an order; still the same JSON. */
export function jsonLine(json: JsonObject): string {
  return `${printable(JSON.stringify(json))}\n`;
}

/** Topics are as wide as the widest one so far, up to this. */
const WIDEST_TOPIC = 40;

/** Lines for people: the time of day here, the topic, and what happened, in columns. */
export class TailLines {
  readonly #look: Pick<Look, 'colours'>;
  #width = 0;

  constructor(look: Pick<Look, 'colours'>) {
    this.#look = look;
  }

  line({ at, topic, words }: TailEntry): string {
    const { colours } = this.#look;
    const styled = (text: string, style: Style): string =>
      colours ? paint({ text: printable(text), style }, true) : printable(text);
    const time = new Date(at).toLocaleTimeString('en-GB', TIME_OF_DAY);
    this.#width = Math.max(this.#width, Math.min(WIDEST_TOPIC, topic.length));
    const said = words.map(
      ({ key, value, style }) => (key === '' ? '' : styled(key, 'dim')) + styled(value, style),
    );
    return `${styled(time, 'dim')}  ${styled(topic.padEnd(this.#width), 'blue')}  ${said.join(' ')}\n`;
  }
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

function changeWords(
  { topic, document, update }: ViewChange,
  merged: boolean,
  unitOf: Look['unitOf'],
): readonly Word[] {
  if (document === undefined || update === undefined) return [{ key: '', value: 'removed', style: 'yellow' }];
  return members('patch' in update && !merged ? update.patch : document, (path) =>
    path.startsWith('values.') ? unitOf(topic, path.slice('values.'.length)) : '',
  );
}

/** The field of a message that an event carries, as declarations name it. */
function eventPath({ message }: JsonObject, path: string): string {
  return typeof message === 'string' && path.startsWith('fields.')
    ? `${message}.${path.slice('fields.'.length)}`
    : '';
}

function members(value: JsonObject, unitOf: (path: string) => string): readonly Word[] {
  return [...leaves(value, '', unitOf)];
}

function* leaves(value: JsonObject, path: string, unitOf: (path: string) => string): Generator<Word> {
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const at = path === '' ? key : `${path}.${key}`;
    if (inner === null) yield { key: '', value: `-${at}`, style: 'dim' };
    else if (isJsonObject(inner) && !Object.hasOwn(inner, '$bytes')) yield* leaves(inner, at, unitOf);
    else {
      const unit = typeof inner === 'number' ? unitOf(at) : '';
      yield { key: `${at}=`, value: `${leaf(inner)}${unit === '' ? '' : ` ${unit}`}`, style: styleOf(inner) };
    }
  }
}

/** Words of statuses and alarms stand out. */
const STYLES: ReadonlyMap<Json, Style> = new Map<Json, Style>([
  ['online', 'green'],
  ['connected', 'green'],
  ['stale', 'yellow'],
  ['warn', 'yellow'],
  ['away', 'yellow'],
  ['offline', 'red'],
  ['failed', 'red'],
  ['alarm', 'red'],
]);

const styleOf = (value: Json): Style => STYLES.get(value) ?? 'plain';

function leaf(value: Json): string {
  const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
