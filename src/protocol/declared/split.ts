import { findBytes, startsWith } from '../framing/find-bytes.ts';
import type { SplitDeclaration } from './declaration.ts';
import type { Reading } from './reading.ts';

const NO_BYTES = new Uint8Array(0);

/** How a text is split. */
export interface Split {
  /** Between two columns or pairs; empty where there is only one. */
  readonly separator: Uint8Array;
  /** Between a key and its value; empty for columns. */
  readonly keyValue: Uint8Array;
  /** The quote, -1 for none. */
  readonly quote: number;
}

export const isSplit = ({ separator, keyValue, columns }: SplitDeclaration): boolean =>
  separator !== undefined || keyValue !== undefined || columns !== undefined;

/** How these keys split a text; undefined where they do not. */
export function splitOf({ separator, keyValue, quotes, columns }: SplitDeclaration): Split | undefined {
  if (!isSplit({ separator, keyValue, columns })) return undefined;
  return {
    separator: separator ?? NO_BYTES,
    keyValue: keyValue ?? NO_BYTES,
    quote: quotes?.[0] ?? -1,
  };
}

/** Where a column lies, without its separator, quotes, prefix and suffix. One serves all columns, as it is not kept. */
export class Place {
  start = 0;
  end = 0;
  /** Behind the column, where its separator or the end of the text is. */
  behind = 0;
  quoted = false;
  /** A quote within stands twice. */
  doubled = false;
  /** What is wrong; empty where it is a column. */
  wrong = '';
}

/** Whether a whole word stands at `at`. */
export const isAt = (bytes: Uint8Array, at: number, end: number, word: Uint8Array): boolean =>
  at + word.length <= end && startsWith(bytes, at, end, word);

/** Where the next separator begins; `end` where there is none. */
export function separatorAt(bytes: Uint8Array, at: number, end: number, { separator }: Split): number {
  if (separator.length === 0) return end;
  // `findBytes` takes the front of a word at the end for the word.
  for (let from = at; ; from++) {
    from = findBytes(bytes, from, end, separator);
    if (from === end || from + separator.length <= end) return from;
  }
}

/** Finds the column that begins at `start`, within the text that ends at `reading.end`. */
export function locate(
  place: Place,
  reading: Reading,
  start: number,
  split: Split,
  prefix: Uint8Array,
  suffix: Uint8Array,
): boolean {
  const { bytes, end } = reading;
  place.quoted = false;
  place.doubled = false;
  place.wrong = '';
  if (!isAt(bytes, start, end, prefix)) return wrong(place, start, 'prefix');
  const from = start + prefix.length;
  if (split.quote >= 0 && from < end && bytes[from] === split.quote) {
    return locateQuoted(place, reading, from, split, suffix);
  }
  const stop = separatorAt(bytes, from, end, split);
  const last = stop - suffix.length;
  if (last < from || !isAt(bytes, last, stop, suffix)) return wrong(place, from, 'suffix');
  place.start = from;
  place.end = last;
  place.behind = stop;
  return true;
}

function locateQuoted(
  place: Place,
  { bytes, end }: Reading,
  from: number,
  split: Split,
  suffix: Uint8Array,
): boolean {
  let at = from + 1;
  for (; at < end; at++) {
    if (bytes[at] !== split.quote) continue;
    if (at + 1 === end || bytes[at + 1] !== split.quote) break;
    place.doubled = true;
    at++;
  }
  if (at >= end) return wrong(place, from, 'open quote');
  if (!isAt(bytes, at + 1, end, suffix)) return wrong(place, at + 1, 'suffix');
  const behind = at + 1 + suffix.length;
  if (behind !== end && (split.separator.length === 0 || !isAt(bytes, behind, end, split.separator)))
    return wrong(place, behind, 'text behind the quote');
  place.quoted = true;
  place.start = from + 1;
  place.end = at;
  place.behind = behind;
  return true;
}

function wrong(place: Place, at: number, why: string): false {
  place.wrong = why;
  place.start = at;
  place.end = at;
  return false;
}

/** A quoted column with each doubled quote once. */
export function withoutDoubles(bytes: Uint8Array, { start, end }: Place, quote: number): Uint8Array {
  const single = new Uint8Array(end - start);
  let count = 0;
  for (let at = start; at < end; at++) {
    single[count++] = bytes[at] ?? 0;
    if (bytes[at] === quote) at++;
  }
  return single.slice(0, count);
}
