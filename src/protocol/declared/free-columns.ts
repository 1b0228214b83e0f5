import { MOST, NUMBER, nameOf, take } from './auto-columns.ts';
import { nextColumn } from './column-field.ts';
import type { FieldCodec } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { putText, textOf } from './split-field.ts';
import { tooMany } from './text-field.ts';
import { isValues, type Value } from './value.ts';
import { FieldError, shown } from './writing.ts';

const COMMA = Uint8Array.of(0x2c);
/** What may stand between columns, the surest first: a semicolon, a tab, a comma. */
const SEPARATORS = [0x3b, 0x09, 0x2c] as const;
const BLANK = 0x20;
/** A column that begins with a name, and `:` or `=` behind it. */
const PAIR = /^[ \t]*([A-Za-z_][^:=]*)[:=](.*)$/s;
const PLAIN = /^c\d+$/;

/**
 * Columns of which not even the separator is declared, as programs print them: `21.5,40.2`, `21.5;40.2`, `21.5 40.2`,
 * `temp:21.5<TAB>hum:40`, `temp=21.5,hum=40`. A column with a name has that name, others are c1, c2 and so on.
 */
export function freeColumns(limit: number): FieldCodec {
  return {
    min: 0,
    max: limit,
    read(reading) {
      const { bytes, end } = reading;
      const separator = separatorOf(reading);
      const values: Record<string, Value> = {};
      for (let start = reading.at, count = 0; start <= end; ) {
        const stop = stopOf(bytes, start, end, separator);
        // Several blanks are as good as one.
        if (separator !== BLANK || stop > start) {
          if (++count > MOST) return tooMany(reading, count, MOST, 'columns');
          const text = textOf(reading, start, stop);
          const [, key = '', content = text] = PAIR.exec(text) ?? [];
          const name = nameOf(key);
          take(reading, values, name === '' ? `c${count}` : name, name === '' ? text : content, start, stop);
        }
        start = stop + 1;
      }
      reading.at = end;
      return values;
    },
    check(reading) {
      const { bytes, end } = reading;
      const separator = separatorOf(reading);
      let count = 1;
      for (let at = reading.at; at < end; at++) {
        if (bytes[at] === separator && (separator !== BLANK || bytes[at - 1] !== BLANK)) count++;
      }
      reading.at = end;
      return count <= MOST;
    },
    write(writing, value) {
      if (!isValues(value)) throw new FieldError('must be columns by name', shown(value));
      for (const [name, each] of Object.entries(value)) {
        if (each === undefined) continue;
        if (typeof each !== 'number' && typeof each !== 'string')
          throw new FieldError('must be a number or a text', shown(each), name);
        nextColumn(writing, COMMA);
        if (!PLAIN.test(name)) putText(writing, `${name}=`);
        putText(writing, String(each));
      }
    },
  };
}

function stopOf(bytes: Uint8Array, start: number, end: number, separator: number): number {
  const at = separator < 0 ? -1 : bytes.subarray(start, end).indexOf(separator);
  return at < 0 ? end : start + at;
}

/** -1 for a single column. Blanks stand between columns where all of these are numbers, with or without a name. */
function separatorOf(reading: Reading): number {
  const line = reading.bytes.subarray(reading.at, reading.end);
  const found = SEPARATORS.find((each) => line.includes(each));
  if (found !== undefined || !line.includes(BLANK)) return found ?? -1;
  const columns = textOf(reading, reading.at, reading.end)
    .split(' ')
    .filter((each) => each !== '');
  const numbers = columns.every((each) => NUMBER.test(PAIR.exec(each)?.[2] ?? each));
  return columns.length > 1 && columns.length <= MOST && numbers ? BLANK : -1;
}
