import { hexExcerpt, quotedText } from '../describe.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { isAt, locate, Place, type Split, separatorAt, withoutDoubles } from './split.ts';
import type { Value } from './value.ts';
import { FieldError, shown, type Writing } from './writing.ts';

const NO_BYTES = new Uint8Array(0);
// One serves all: nothing is read within a column before its place was used.
const place = new Place();

const WRONG: Readonly<Record<string, (declaration: FieldDeclaration) => string>> = {
  prefix: ({ prefix }) => `${quotedText(prefix ?? NO_BYTES)} in front of the value`,
  suffix: ({ suffix }) => `${quotedText(suffix ?? NO_BYTES)} behind the value`,
  'next column': ({ hemisphere }) => `a column that says ${hemisphere?.split('').join(' or ')} behind it`,
  'open quote': () => 'a quote that ends the text',
  'text behind the quote': () => 'a separator behind the quote',
};

/**
 * The content of one column or pair: its prefix, its quotes and its suffix around what the field itself reads, which
 * sees nothing but its own text.
 */
export class ColumnContent {
  readonly #declaration: FieldDeclaration;
  readonly #inner: FieldCodec;
  readonly #split: Split;
  readonly #prefix: Uint8Array;
  readonly #suffix: Uint8Array;
  readonly #isText: boolean;
  readonly #mayBeEmpty: boolean;
  readonly #slot: number;
  /** The next column belongs to it, and says the sign of a number. */
  readonly #spans: boolean;

  constructor(declaration: FieldDeclaration, inner: FieldCodec, split: Split, slot: number) {
    this.#declaration = declaration;
    this.#inner = inner;
    this.#split = split;
    this.#prefix = declaration.prefix ?? NO_BYTES;
    this.#suffix = declaration.suffix ?? NO_BYTES;
    this.#isText = ['text', 'struct', 'array', 'bytes', 'reserved'].includes(declaration.type);
    this.#mayBeEmpty = declaration.empty === true || declaration.optional === true;
    this.#slot = slot;
    this.#spans = declaration.hemisphere !== undefined;
  }

  /** Reads the column that begins at `start`, and moves on to the separator behind it. */
  read(reading: Reading, start: number): Value | undefined {
    if (!this.#locate(reading, start)) return this.#fail(reading);
    const { behind } = place;
    if (this.#isNothing(reading)) {
      if (!this.#mayBeEmpty) reading.issue('empty', 'the column is empty');
      if (this.#slot >= 0) reading.slots[this.#slot] = Number.NaN;
      reading.at = behind;
      return undefined;
    }
    const { bytes, origin, end } = reading;
    this.#enter(reading);
    const value = this.#inner.read(reading);
    const whole = reading.failure !== undefined || reading.at === reading.end || this.#tooLong(reading);
    reading.bytes = bytes;
    reading.origin = origin;
    reading.end = end;
    reading.at = behind;
    return whole ? value : undefined;
  }

  check(reading: Reading, start: number): boolean {
    if (!this.#locate(reading, start)) return false;
    const { behind } = place;
    if (this.#isNothing(reading)) {
      if (this.#slot >= 0) reading.slots[this.#slot] = Number.NaN;
      reading.at = behind;
      return true;
    }
    const { bytes, origin, end } = reading;
    this.#enter(reading);
    const fits = this.#inner.check(reading) && reading.at === reading.end;
    reading.bytes = bytes;
    reading.origin = origin;
    reading.end = end;
    reading.at = behind;
    return fits;
  }

  /** Writes the content without the separator in front. */
  write(writing: Writing, value: unknown): void {
    writing.put(this.#prefix);
    const absent = value === undefined || value === null;
    if (!(absent && this.#mayBeEmpty && !this.#inner.silent)) {
      const at = writing.at;
      this.#inner.write(writing, value);
      this.#quote(writing, at, value);
    } else {
      if (this.#slot >= 0) writing.slots[this.#slot] = Number.NaN;
      if (this.#spans) writing.put(this.#split.separator);
    }
    writing.put(this.#suffix);
  }

  #locate(reading: Reading, start: number): boolean {
    if (!locate(place, reading, start, this.#split, this.#prefix, this.#suffix)) return false;
    if (!this.#spans) return true;
    const { separator } = this.#split;
    const next = place.behind + separator.length;
    if (place.quoted || place.behind === reading.end) {
      place.wrong = 'next column';
      return false;
    }
    place.end = separatorAt(reading.bytes, next, reading.end, this.#split);
    place.behind = place.end;
    // Both are empty: there is no value.
    if (place.end === next && place.start + separator.length === next) place.start = next;
    return true;
  }

  /** An empty column is no value, but for text, which may be empty. */
  #isNothing({ bytes }: Reading): boolean {
    if (place.quoted) return false;
    if (!this.#isText) {
      while (place.start < place.end && isBlank(bytes[place.start])) place.start++;
      while (place.end > place.start && isBlank(bytes[place.end - 1])) place.end--;
    }
    if (place.start !== place.end || this.#inner.silent) return false;
    return this.#mayBeEmpty || !(this.#isText && this.#declaration.enum === undefined);
  }

  #enter(reading: Reading): void {
    const { start, end, doubled } = place;
    reading.at = start;
    reading.end = end;
    if (!doubled) return;
    reading.bytes = withoutDoubles(reading.bytes, place, this.#split.quote);
    reading.origin -= start;
    reading.at = 0;
    reading.end = reading.bytes.length;
  }

  #quote(writing: Writing, at: number, value: unknown): void {
    const { quote, separator } = this.#split;
    const always = this.#declaration.quoted === true;
    const content = writing.bytes.slice(at, writing.at);
    const holds = !this.#spans && separator.length > 0 && holdsWord(content, separator);
    if (quote < 0) {
      if (holds) throw new FieldError('must not hold the separator', shown(value));
      return;
    }
    const quotes = content.filter((byte) => byte === quote).length;
    const ends = content.some((byte) => byte === 0x0d || byte === 0x0a);
    if (!always && !holds && !ends && quotes === 0) return;
    const quoted = new Uint8Array(content.length + quotes + 2).fill(quote);
    let to = 1;
    for (const byte of content) {
      quoted[to++] = byte;
      if (byte === quote) quoted[to++] = quote;
    }
    writing.at = at;
    writing.put(quoted);
  }

  #fail(reading: Reading): undefined {
    const { wrong, start } = place;
    const fits = wrong === 'prefix' || wrong === 'suffix';
    return reading.fail({
      reason: fits ? 'bad_constant' : 'bad_text',
      field: '',
      offset: start - reading.origin,
      expected: WRONG[wrong]?.(this.#declaration) ?? 'a column',
      seen: quotedText(reading.bytes, start, Math.min(reading.end, start + 32)),
    });
  }

  #tooLong(reading: Reading): false {
    reading.fail({
      reason: 'too_long',
      field: '',
      offset: reading.at - reading.origin,
      expected: 'the end of the column',
      seen: quotedText(reading.bytes, reading.at, Math.min(reading.end, reading.at + 32)),
    });
    return false;
  }
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;

function holdsWord(bytes: Uint8Array, word: Uint8Array): boolean {
  for (let at = 0; at + word.length <= bytes.length; at++)
    if (isAt(bytes, at, bytes.length, word)) return true;
  return false;
}

/** A column, and what it is without its separator. */
export interface ColumnField extends FieldCodec {
  readonly content: ColumnContent;
}

export const isColumnField = (codec: FieldCodec): codec is ColumnField => 'content' in codec;

/** One column: every one but the first has its separator in front of it. */
export function columnField(
  declaration: FieldDeclaration,
  inner: FieldCodec,
  split: Split,
  scope: Scope,
): ColumnField {
  const { slot } = scope;
  const content = new ColumnContent(declaration, inner, split, slot);
  const optional = declaration.optional === true;
  const { separator } = split;
  return {
    min: 0,
    max: scope.limit,
    content,
    ...(inner.silent === undefined ? {} : { silent: inner.silent }),
    read(reading) {
      const { at, end, bytes } = reading;
      let start = at;
      if (reading.column > 0) {
        if (at === end) {
          if (slot >= 0) reading.slots[slot] = Number.NaN;
          return optional ? undefined : missing(reading);
        }
        if (!isAt(bytes, at, end, separator)) return noSeparator(reading, separator);
        start = at + separator.length;
      }
      reading.column++;
      return content.read(reading, start);
    },
    check(reading) {
      const { at, end, bytes } = reading;
      let start = at;
      if (reading.column > 0) {
        if (at === end) {
          if (slot >= 0) reading.slots[slot] = Number.NaN;
          return optional;
        }
        if (!isAt(bytes, at, end, separator)) return false;
        start = at + separator.length;
      }
      reading.column++;
      return content.check(reading, start);
    },
    write(writing, value) {
      const absent = (value === undefined || value === null) && inner.silent === undefined;
      if (absent && optional && declaration.empty !== true) {
        if (slot >= 0) writing.slots[slot] = Number.NaN;
        writing.missing++;
        return;
      }
      for (; writing.missing > 0; writing.missing--) nextColumn(writing, separator);
      nextColumn(writing, separator);
      content.write(writing, value);
    },
  };
}

export function nextColumn(writing: Writing, separator: Uint8Array): void {
  if (writing.column++ > 0) writing.put(separator);
}

function missing(reading: Reading): undefined {
  return reading.fail({
    reason: 'too_short',
    field: '',
    offset: reading.at - reading.origin,
    expected: `column ${reading.column + 1}`,
    seen: `${reading.column} ${reading.column === 1 ? 'column' : 'columns'}`,
  });
}

function noSeparator(reading: Reading, separator: Uint8Array): undefined {
  const { at, end, bytes } = reading;
  return reading.fail({
    reason: 'bad_constant',
    field: '',
    offset: at - reading.origin,
    expected: `the separator ${quotedText(separator)}`,
    seen: hexExcerpt(bytes, at, end),
  });
}

/** A column that is passed over, and sent empty. */
export function skippedColumn(limit: number): FieldCodec {
  return {
    min: 0,
    max: limit,
    silent: 'reserved',
    read(reading) {
      reading.at = reading.end;
      return undefined;
    },
    check(reading) {
      reading.at = reading.end;
      return true;
    },
    write: () => undefined,
  };
}
