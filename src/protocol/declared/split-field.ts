import { quotedText } from '../describe.ts';
import { nextColumn } from './column-field.ts';
import type { SplitDeclaration } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { type Split, separatorAt } from './split.ts';
import { decodeText, encodeText, lossyText } from './text-code.ts';
import { isValues, ownValue, type Value, type Values } from './value.ts';
import { FieldError, shown, type Writing } from './writing.ts';

/** The value that keeps what nothing is declared for. */
export const EXTRA = 'extra';

/** A text split into columns, up to `tail` bytes before the end; `body` reads one column after the other. */
export function splitField(
  body: FieldCodec,
  split: Split,
  { extra = 'refuse' }: SplitDeclaration,
  tail: number,
  limit: number,
): FieldCodec {
  const { separator } = split;
  const readAll = (reading: Reading): Value | undefined => {
    const value = body.read(reading);
    if (reading.failure !== undefined || reading.at === reading.end || extra === 'ignore') return value;
    if (extra === 'refuse') return tooMany(reading, split);
    const more: string[] = [];
    while (reading.at < reading.end) {
      const from = reading.at + (reading.column++ === 0 ? 0 : separator.length);
      const to = separatorAt(reading.bytes, from, reading.end, split);
      more.push(textOf(reading, from, to));
      reading.at = to;
    }
    return isValues(value) ? { ...value, [EXTRA]: more } : value;
  };
  return {
    min: 0,
    max: limit,
    read(reading) {
      const { end, column } = reading;
      const stop = end - tail;
      if (stop < reading.at) return reading.short(tail);
      reading.end = stop;
      reading.column = 0;
      const value = readAll(reading);
      if (reading.failure === undefined) reading.at = stop;
      reading.end = end;
      reading.column = column;
      return value;
    },
    check(reading) {
      const { end, column } = reading;
      const stop = end - tail;
      if (stop < reading.at) return false;
      reading.end = stop;
      reading.column = 0;
      const fits = body.check(reading) && (reading.at === stop || extra !== 'refuse');
      reading.at = fits ? stop : reading.at;
      reading.end = end;
      reading.column = column;
      return fits;
    },
    write(writing, value) {
      const { column, missing } = writing;
      writing.column = 0;
      writing.missing = 0;
      const at = writing.at;
      const [own, more] = extra === 'keep' ? withoutExtra(value) : [value, []];
      body.write(writing, own);
      if (more.length > 0) for (; writing.missing > 0; writing.missing--) nextColumn(writing, separator);
      for (const each of more) {
        nextColumn(writing, separator);
        putText(writing, each);
      }
      if (Array.isArray(value) && value.length > 0 && writing.at === at)
        throw new FieldError('a list of one empty text would be read as an empty list', shown(value));
      writing.column = column;
      writing.missing = missing;
    },
  };
}

/** The values without those that nothing is declared for, and these. */
export function withoutExtra(value: unknown): readonly [unknown, readonly string[]] {
  if (!isValues(value)) return [value, []];
  const extra = ownValue(value, EXTRA);
  if (extra === undefined) return [value, []];
  if (!Array.isArray(extra) || !extra.every((each) => typeof each === 'string'))
    throw new FieldError('must be a list of texts', shown(extra), EXTRA);
  const { [EXTRA]: _, ...own } = value as Values; // `isValues` has said so
  return [own, extra];
}

export function putText(writing: Writing, text: string): void {
  const bytes = encodeText('utf8', text);
  if (bytes === undefined) throw new FieldError('must be text that utf8 can carry', shown(text), EXTRA);
  writing.put(bytes);
}

export const textOf = ({ bytes }: Reading, start: number, end: number): string =>
  decodeText('utf8', bytes, start, end) ?? lossyText('utf8', bytes, start, end);

function tooMany(reading: Reading, { separator }: Split): undefined {
  const { at, end, bytes, column } = reading;
  const from = at + (column === 0 ? 0 : separator.length);
  return reading.fail({
    reason: 'too_long',
    field: '',
    offset: at - reading.origin,
    expected: `${column} ${column === 1 ? 'column' : 'columns'}`,
    seen: `more: ${quotedText(bytes, Math.min(from, end), Math.min(end, from + 32))}`,
  });
}
