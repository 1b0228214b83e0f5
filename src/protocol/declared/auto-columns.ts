import { findBytes } from '../framing/find-bytes.ts';
import { nextColumn } from './column-field.ts';
import type { FieldCodec } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { isAt, type Split, separatorAt } from './split.ts';
import { putText, textOf } from './split-field.ts';
import { tooMany } from './text-field.ts';
import { isValues, type Value } from './value.ts';
import { FieldError, shown } from './writing.ts';

/** Columns or pairs of one message, at most. */
export const MOST = 256;
const LONGEST_NAME = 64;
const NOTHING = {};
export const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const NO_NUMBER = /^[+-]?(?:nan|inf|infinity)$/i;

/** Columns of which nothing is declared: c1, c2 and so on, or by the keys of their pairs. */
export function autoColumns(split: Split, limit: number): FieldCodec {
  const pairs = split.keyValue.length > 0;
  return {
    min: 0,
    max: limit,
    read(reading) {
      const values: Record<string, Value> = {};
      let count = 0;
      for (;;) {
        const start = reading.at;
        const stop = separatorAt(reading.bytes, start, reading.end, split);
        if (++count > MOST) return tooMany(reading, count, MOST, 'columns');
        const named = pairs ? pairAt(reading, split, start, stop) : ([`c${count}`, start] as const);
        if (named !== undefined)
          take(reading, values, named[0], textOf(reading, named[1], stop), named[1], stop);
        else if (stop > start) return noPair(reading, split, stop);
        if (stop === reading.end) break;
        reading.at = stop + split.separator.length;
      }
      if (pairs && Object.keys(values).length === 0) return noPair(reading, split, reading.end);
      reading.at = reading.end;
      return values;
    },
    check(reading) {
      const { end, bytes } = reading;
      let found = !pairs;
      let count = 0;
      for (let at = reading.at; ; ) {
        const stop = separatorAt(bytes, at, end, split);
        if (++count > MOST) return false;
        const pair = pairs && pairAt(reading, split, at, stop) !== undefined;
        if (pairs && !pair && stop > at) return false;
        found ||= pair;
        if (stop === end) break;
        at = stop + split.separator.length;
      }
      reading.at = end;
      return found;
    },
    write(writing, value) {
      if (!isValues(value)) throw new FieldError('must be columns by name', shown(value));
      for (const [name, each] of Object.entries(value)) {
        if (each === undefined) continue;
        if (typeof each !== 'number' && typeof each !== 'string')
          throw new FieldError('must be a number or a text', shown(each), name);
        nextColumn(writing, split.separator);
        if (pairs) {
          putText(writing, name);
          writing.put(split.keyValue);
        }
        putText(writing, String(each));
      }
    },
  };
}

/** Where the key of a pair ends; -1 where there is no key. */
export function keyEnd({ bytes }: Reading, { keyValue }: Split, start: number, stop: number): number {
  for (let from = start; ; from++) {
    from = findBytes(bytes, from, stop, keyValue);
    if (from >= stop) return -1;
    if (isAt(bytes, from, stop, keyValue)) return from === start ? -1 : from;
  }
}

function pairAt(
  reading: Reading,
  split: Split,
  start: number,
  stop: number,
): readonly [string, number] | undefined {
  const end = keyEnd(reading, split, start, stop);
  if (end < 0) return undefined;
  const name = nameOf(textOf(reading, start, end));
  return name === '' ? undefined : [name, end + split.keyValue.length];
}

/** A key as the name of a value; empty where nothing of it can be one. */
export function nameOf(key: string): string {
  const name = key
    .trim()
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^[^A-Za-z]+|_+$/g, '')
    .slice(0, LONGEST_NAME);
  // What every object has already would be no name of a value in programs.
  return name in NOTHING ? `${name}_` : name;
}

/** A number where the text looks like one; a whole number with zeros in front is a name of something. */
export function take(
  reading: Reading,
  values: Record<string, Value>,
  name: string,
  content: string,
  start: number,
  end: number,
): void {
  const text = content.trim();
  const again = Object.hasOwn(values, name);
  if (again) reading.issue('repeated', 'the key comes twice, and its first value counts', name);
  if (text === '' || again) return;
  if (NO_NUMBER.test(text)) {
    reading.issue('not_finite', `${text} is no number that JSON can carry`, name);
    return;
  }
  const number = NUMBER.test(text) && !/^[+-]?0\d+$/.test(text) ? Number(text) : Number.NaN;
  const exact = Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
  const value = exact ? number + 0 : text;
  if (!exact && text.includes('\ufffd')) reading.issue('bad_text', 'bytes that are no text', name);
  Object.defineProperty(values, name, { value, enumerable: true, writable: true, configurable: true });
  reading.trace?.push({
    field: name,
    offset: start - reading.origin,
    bytes: end - start,
    value,
    depth: reading.depth,
  });
}

function noPair(reading: Reading, { keyValue }: Split, stop: number): undefined {
  return reading.fail({
    reason: 'bad_text',
    field: '',
    offset: reading.at - reading.origin,
    expected: `a key, ${new TextDecoder().decode(keyValue)} and a value`,
    seen: JSON.stringify(textOf(reading, reading.at, Math.min(stop, reading.at + 32))),
  });
}
