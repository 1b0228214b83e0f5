import { isTextByte } from './received.ts';

/** A part of a payload, and what shows what it is. */
export interface GuessedField {
  readonly at: number;
  readonly length: number;
  /** `constant` and `unknown` claim nothing but where they are; `selector` tells messages apart. */
  readonly kind: 'selector' | 'constant' | 'counter' | 'float' | 'number' | 'enum' | 'text' | 'unknown';
  /** As `messages.yaml` writes it; absent: bytes. */
  readonly type?: string | undefined;
  readonly evidence: string;
}

/** Payloads that look like one message. */
export interface GuessedMessage {
  readonly count: number;
  /** The byte that tells it from others, and its value. */
  readonly selector?: { readonly at: number; readonly value: number } | undefined;
  /** Bytes of the shortest payload and of the longest. */
  readonly least: number;
  readonly most: number;
  /** Lines of text; then `columns` says what is in them. */
  readonly text: boolean;
  readonly fields: readonly GuessedField[];
  /** What is in the columns of the lines. */
  readonly columns: readonly string[];
}

/** Payloads that are looked at; what a field is shows in fewer. */
const MOST_PAYLOADS = 512;
/** A byte that tells messages apart stands near the front, and has few values. */
const MOST_SELECTOR_AT = 12;
const MOST_VALUES = 12;
/** Bytes in which fields are looked for. */
const MOST_FIELD_BYTES = 256;

const LEAST_TEXT_SHARE = 0.95;

/** Sorts payloads into messages, and says what stands in each. */
export function guessMessages(payloads: readonly Uint8Array[]): readonly GuessedMessage[] {
  const seen = payloads.slice(0, MOST_PAYLOADS).filter(({ length }) => length > 0);
  if (seen.length === 0) return [];
  if (isText(seen)) return [lines(seen)];
  const at = selectorOf(seen);
  if (at === undefined) return [messageOf(seen, undefined)];
  const groups = new Map<number, Uint8Array[]>();
  for (const payload of seen) {
    const value = payload[at] ?? 0;
    groups.set(value, [...(groups.get(value) ?? []), payload]);
  }
  return [...groups].map(([value, group]) => messageOf(group, { at, value }));
}

/** Nearly all bytes are text: a few may be damaged. */
function isText(payloads: readonly Uint8Array[]): boolean {
  let text = 0;
  let all = 0;
  for (const payload of payloads) {
    all += payload.length;
    for (const byte of payload) if (isTextByte(byte)) text++;
  }
  return text >= all * LEAST_TEXT_SHARE;
}

/** The byte by whose value payloads are most alike; undefined where none makes them more so. */
function selectorOf(payloads: readonly Uint8Array[]): number | undefined {
  const shortest = Math.min(...payloads.map(({ length }) => length));
  const whole = likeness([payloads]);
  let best: { readonly at: number; readonly gain: number } | undefined;
  for (let at = 0; at < Math.min(shortest, MOST_SELECTOR_AT); at++) {
    const groups = new Map<number, Uint8Array[]>();
    for (const payload of payloads) {
      const value = payload[at] ?? 0;
      const group = groups.get(value);
      if (group === undefined) groups.set(value, [payload]);
      else group.push(payload);
    }
    // Each value has to come again, or it is a number.
    const again = [...groups.values()].filter(({ length }) => length > 1).length;
    if (groups.size < 2 || groups.size > MOST_VALUES || again * 2 < groups.size) continue;
    // What tells messages apart tells their lengths.
    if (![...groups.values()].every((group) => sameLength(group))) continue;
    const gain = likeness([...groups.values()]) - whole - groups.size - at;
    if (gain > (best?.gain ?? 0)) best = { at, gain };
  }
  return best?.at;
}

/** How many bytes are the same in all payloads of a group, and how many payloads are as long as the first. */
function likeness(groups: readonly (readonly Uint8Array[])[]): number {
  let sum = 0;
  for (const group of groups) {
    const [first] = group;
    if (first === undefined || group.length < 2) continue;
    const shortest = Math.min(MOST_FIELD_BYTES, ...group.map(({ length }) => length));
    for (let at = 0; at < shortest; at++)
      if (group.every((each) => each[at] === first[at])) sum += group.length / 4;
    if (sameLength(group)) sum += group.length;
  }
  return sum;
}

const sameLength = (group: readonly Uint8Array[]): boolean =>
  group.every(({ length }) => length === group[0]?.length);

function messageOf(group: readonly Uint8Array[], selector: GuessedMessage['selector']): GuessedMessage {
  const lengths = group.map(({ length }) => length);
  const least = Math.min(...lengths);
  return {
    count: group.length,
    selector,
    least,
    most: Math.max(...lengths),
    text: false,
    fields: fieldsOf(group, Math.min(least, MOST_FIELD_BYTES), selector?.at),
    columns: [],
  };
}

/** From the front to the back, at each byte what is shown best. */
function fieldsOf(
  group: readonly Uint8Array[],
  length: number,
  selectorAt: number | undefined,
): readonly GuessedField[] {
  const fields: GuessedField[] = [];
  for (let at = 0; at < length; ) {
    const limit = selectorAt !== undefined && selectorAt > at ? Math.min(length, selectorAt) : length;
    const field =
      at === selectorAt
        ? selectorField(group, at)
        : (counterAt(group, at, limit) ??
          textAt(group, at, limit) ??
          floatAt(group, at, limit) ??
          byteAt(group, at, limit));
    const last = fields.at(-1);
    // Bytes of which nothing is known stand together.
    if (last?.kind === field.kind && (field.kind === 'unknown' || field.kind === 'constant')) {
      fields[fields.length - 1] = {
        ...last,
        length: last.length + field.length,
        evidence: field.kind === 'constant' ? `${last.evidence} ${field.evidence.slice(-2)}` : last.evidence,
      };
    } else fields.push(field);
    at += field.length;
  }
  return fields;
}

function selectorField(group: readonly Uint8Array[], at: number): GuessedField {
  const value = group[0]?.[at] ?? 0;
  return { at, length: 1, kind: 'selector', type: 'u8', evidence: `${hex(value)} in this message alone` };
}

const ORDERS = ['be', 'le'] as const;
const LEAST_STEPS = 3;

/** A number that goes up by the same step in every payload. */
function counterAt(group: readonly Uint8Array[], at: number, limit: number): GuessedField | undefined {
  if (group.length <= LEAST_STEPS) return undefined;
  for (const width of [4, 2, 1]) {
    if (at + width > limit) continue;
    for (const order of width === 1 ? (['be'] as const) : ORDERS) {
      const values = group.map((payload) => unsigned(payload, at, width, order));
      const modulus = 256 ** width;
      const steps = values.slice(1).map((value, index) => (value - (values[index] ?? 0) + modulus) % modulus);
      const [step = 0] = steps;
      if (step === 0 || step > 16 || steps.some((each) => each !== step)) continue;
      // Of a wider one the upper bytes have to move, or nothing shows them.
      const upper = group.map((payload) => payload[order === 'be' ? at : at + width - 1]);
      if (width > 1 && upper.every((byte) => byte === upper[0])) continue;
      const type = width === 1 ? 'u8' : `u${width * 8}${order}`;
      return {
        at,
        length: width,
        kind: 'counter',
        type,
        evidence: `goes up by ${step} in each of ${steps.length} steps`,
      };
    }
  }
  return undefined;
}

const LEAST_TEXT = 4;

function textAt(group: readonly Uint8Array[], at: number, limit: number): GuessedField | undefined {
  let end = at;
  const printable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;
  while (end < limit && group.every((payload) => printable(payload[end] ?? 0))) end++;
  const length = end - at;
  if (length < LEAST_TEXT) return undefined;
  const [first] = group;
  const sample = String.fromCharCode(...(first ?? new Uint8Array(0)).subarray(at, Math.min(end, at + 24)));
  return {
    at,
    length,
    kind: 'text',
    evidence: `printable in each of ${group.length} payloads: ${JSON.stringify(sample)}`,
  };
}

const LEAST_FLOATS = 3;

/** Four bytes that are a float of a usual size in every payload, and near to each other. */
function floatAt(group: readonly Uint8Array[], at: number, limit: number): GuessedField | undefined {
  if (at + 4 > limit) return undefined;
  for (const order of ORDERS) {
    const values = group.map((payload) =>
      new DataView(payload.buffer, payload.byteOffset).getFloat32(at, order === 'le'),
    );
    const sizes = [...new Set(values)].map(Math.abs);
    const least = Math.min(...sizes);
    const most = Math.max(...sizes);
    if (sizes.length < LEAST_FLOATS || !values.every(Number.isFinite)) continue;
    if (least < 1e-4 || most > 1e7 || most / least > 64) continue;
    return {
      at,
      length: 4,
      kind: 'float',
      type: `f32${order}`,
      evidence: `${shown(least)} to ${shown(most)} in size in each of ${group.length} payloads`,
    };
  }
  return undefined;
}

const shown = (value: number): string => String(Number(value.toPrecision(4)));

/** One or two bytes: a constant, few values, or a number that moves slowly. */
function byteAt(group: readonly Uint8Array[], at: number, limit: number): GuessedField {
  const values = group.map((payload) => payload[at] ?? 0);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const number = numberAt(group, at, limit);
  if (number !== undefined) return number;
  const [only = 0] = distinct;
  if (distinct.length === 1 && group.length > 1)
    return {
      at,
      length: 1,
      kind: 'constant',
      evidence: `the same in each of ${group.length} payloads: ${hex(only)}`,
    };
  const again = distinct.every((value) => values.filter((each) => each === value).length > 1);
  if (distinct.length > 1 && distinct.length <= 6 && again && group.length >= 8) {
    const list = distinct.map(hex).join(', ');
    return {
      at,
      length: 1,
      kind: 'enum',
      type: 'u8',
      evidence: `takes ${distinct.length} values in ${group.length} payloads: ${list}`,
    };
  }
  return { at, length: 1, kind: 'unknown', evidence: '' };
}

const LEAST_NUMBERS = 6;

/** Two bytes of which one hardly moves while the other does: a number, the first of which is the upper byte or the lower. */
function numberAt(group: readonly Uint8Array[], at: number, limit: number): GuessedField | undefined {
  if (at + 2 > limit || group.length < LEAST_NUMBERS || !sameLength(group)) return undefined;
  const moved = (order: 'be' | 'le'): number => {
    const values = group.map((payload) => unsigned(payload, at, 2, order));
    return values.slice(1).reduce((sum, value, index) => sum + Math.abs(value - (values[index] ?? 0)), 0);
  };
  const both = [0, 1].map((offset) => new Set(group.map((payload) => payload[at + offset])).size);
  if (Math.min(...both) < 2 && Math.max(...both) < LEAST_NUMBERS) return undefined;
  const [big, little] = [moved('be'), moved('le')];
  const order = big * 16 < little ? 'be' : little * 16 < big ? 'le' : undefined;
  // A byte that never moves is no part of a number that is shown.
  if (order === undefined || Math.min(...both) < 2) return undefined;
  const values = group.map((payload) => unsigned(payload, at, 2, order));
  return {
    at,
    length: 2,
    kind: 'number',
    type: `u16${order}`,
    evidence: `moves slowly, from ${Math.min(...values)} to ${Math.max(...values)}, and would jump in the other byte order`,
  };
}

function unsigned(payload: Uint8Array, at: number, width: number, order: 'be' | 'le'): number {
  let value = 0;
  for (let index = 0; index < width; index++)
    value = value * 256 + (payload[at + (order === 'be' ? index : width - 1 - index)] ?? 0);
  return value;
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

const SEPARATORS = [',', '\t', ';', ' '] as const;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Lines of text: how many columns they have, and which are numbers in every line. */
function lines(payloads: readonly Uint8Array[]): GuessedMessage {
  const texts = payloads.map((payload) => new TextDecoder('latin1').decode(payload).trim());
  const separator = SEPARATORS.find(
    (each) => texts.filter((text) => text.includes(each)).length * 2 > texts.length,
  );
  const columns: string[] = [];
  if (separator !== undefined) {
    const rows = texts.map((text) => text.split(separator));
    const counts = new Set(rows.map(({ length }) => length));
    const name = separator === '\t' ? 'a tab' : separator === ' ' ? 'a blank' : separator;
    columns.push(`${name} separates ${[...counts].sort((a, b) => a - b).join(', ')} columns`);
    const numbers = Array.from({ length: Math.min(...counts) }, (_, index) => index).filter((index) =>
      rows.every((row) => NUMBER.test((row[index] ?? '').trim())),
    );
    if (numbers.length > 0)
      columns.push(`numbers in every line: column ${numbers.map((index) => index + 1).join(', ')}`);
    const keyed = rows.flat().filter((cell) => /^\w+\s*[=:]\s*\S/.test(cell)).length;
    if (keyed * 2 > rows.flat().length) columns.push('most columns name their value: key=value');
  } else if (texts.every((text) => NUMBER.test(text))) columns.push('each line is one number');
  const lengths = payloads.map(({ length }) => length);
  return {
    count: payloads.length,
    least: Math.min(...lengths),
    most: Math.max(...lengths),
    text: true,
    fields: [],
    columns,
  };
}
