import { quotedText } from '../describe.ts';
import { keyEnd } from './auto-columns.ts';
import type { ColumnContent } from './column-field.ts';
import { nextColumn } from './column-field.ts';
import type { SplitDeclaration } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { type Split, separatorAt } from './split.ts';
import { EXTRA, putText, textOf, withoutExtra } from './split-field.ts';
import { beginLeft, type Left, leave, type Member, readTracedMember } from './struct-field.ts';
import { isValues, ownValue, type Value, type Values } from './value.ts';
import { FieldError, shown, type Writing } from './writing.ts';

/** One field that is found by its key. */
export interface KeyedMember {
  readonly key: string;
  readonly member: Member;
  readonly content: ColumnContent;
  readonly required: boolean;
}

/** A text of keys and values, in any order; at least one key must be known. */
export function keyedField(
  keyed: readonly KeyedMember[],
  split: Split,
  { extra }: SplitDeclaration,
  tail: number,
  limit: number,
): FieldCodec {
  return new KeyedField(keyed, split, extra, tail, limit);
}

class KeyedField implements FieldCodec {
  readonly min = 0;
  readonly max: number;
  readonly #keyed: readonly KeyedMember[];
  readonly #byKey: ReadonlyMap<string, number>;
  readonly #split: Split;
  readonly #extra: SplitDeclaration['extra'];
  readonly #tail: number;
  /** The round in which each key came last, so that nothing is cleared. */
  readonly #seen: number[];
  #round = 0;

  constructor(
    keyed: readonly KeyedMember[],
    split: Split,
    extra: SplitDeclaration['extra'],
    tail: number,
    limit: number,
  ) {
    this.max = limit;
    this.#keyed = keyed;
    this.#byKey = new Map(keyed.map(({ key }, index) => [key, index]));
    this.#split = split;
    this.#extra = extra;
    this.#tail = tail;
    this.#seen = keyed.map(() => 0);
  }

  // Arrow functions, because structures read their members without a receiver.
  readonly read = (reading: Reading): Value | undefined => {
    const stop = reading.end - this.#tail;
    if (stop < reading.at) return reading.short(this.#tail);
    const { end } = reading;
    reading.end = stop;
    const values = this.#readPairs(reading);
    reading.end = end;
    return values;
  };

  #readPairs(reading: Reading): Value | undefined {
    const values: Record<string, Value> = {};
    const left = beginLeft(reading);
    const more: string[] = [];
    this.#forget(reading);
    let known = 0;
    for (let start = reading.at; ; ) {
      reading.at = start;
      const stop = separatorAt(reading.bytes, start, reading.end, this.#split);
      const index = this.#find(reading, start, stop);
      if (index >= 0) {
        if (!this.#take(index, reading, values, left)) return undefined;
        known++;
      } else if (stop > start && !this.#takeUnknown(reading, start, stop, more)) return undefined;
      left.issues = reading.issueCount;
      const behind = index >= 0 ? reading.at : stop;
      if (behind >= reading.end) break;
      start = behind + this.#split.separator.length;
    }
    reading.at = reading.end;
    if (!this.#isComplete(reading, known)) return undefined;
    leave(reading, left);
    return more.length > 0 ? { ...values, [EXTRA]: more } : values;
  }

  readonly check = (reading: Reading): boolean => {
    const { end } = reading;
    const stop = end - this.#tail;
    if (stop < reading.at) return false;
    reading.end = stop;
    const fits = this.#checkPairs(reading);
    reading.end = end;
    return fits;
  };

  #checkPairs(reading: Reading): boolean {
    this.#forget(reading);
    let known = 0;
    for (let start = reading.at; ; ) {
      const stop = separatorAt(reading.bytes, start, reading.end, this.#split);
      const index = this.#find(reading, start, stop);
      reading.at = stop;
      if (index >= 0) {
        if (this.#came(index)) return false;
        this.#seen[index] = this.#round;
        known++;
        if (this.#keyed[index]?.content.check(reading, this.#valueAt(reading, start, stop)) !== true)
          return false;
      } else if (stop > start && this.#extra === 'refuse') return false;
      if (reading.at >= reading.end) break;
      start = reading.at + this.#split.separator.length;
    }
    reading.at = reading.end;
    return known > 0 && this.#keyed.every(({ required }, index) => !required || this.#came(index));
  }

  readonly write = (writing: Writing, value: unknown): void => {
    if (!isValues(value))
      throw new FieldError(value === undefined ? 'is missing' : 'must be fields by name', shown(value));
    const [own, more] = this.#extra === 'keep' ? withoutExtra(value) : [value, []];
    const given = own as Values; // `isValues` has said so
    const { column } = writing;
    writing.column = 0;
    for (const each of this.#order(given)) this.#writePair(each, given, writing);
    for (const each of more) {
      nextColumn(writing, this.#split.separator);
      putText(writing, each);
    }
    if (writing.column === 0) throw new FieldError('must have at least one of its fields', shown(value));
    writing.column = column;
  };

  /** In the order of the values, as they were read; what has no value of its own comes first. */
  #order(given: Values): readonly KeyedMember[] {
    const silent = this.#keyed.filter(({ member }) => member.codec.silent !== undefined);
    const visible = this.#keyed.filter(({ member }) => member.codec.silent === undefined);
    const named = Object.keys(given)
      .filter((name) => given[name] !== undefined)
      .map((name) => {
        const found = visible.find(({ member }) => member.name === name);
        if (found !== undefined) return found;
        const names = visible.map(({ member }) => member.name).join(', ');
        throw new FieldError(
          `there is no such field; there are ${names || 'none'}`,
          shown(given[name]),
          name,
        );
      });
    const lacking = visible.find(({ required, member }) => required && given[member.name] === undefined);
    if (lacking !== undefined) throw new FieldError('is missing', 'nothing', lacking.member.name);
    return [...silent, ...named];
  }

  #writePair(
    { key, member: { name, slot, present }, content }: KeyedMember,
    given: Values,
    writing: Writing,
  ) {
    const value = ownValue(given, name);
    try {
      if (present !== undefined && !present(writing.slots)) {
        if (value === undefined) return;
        throw new FieldError('is not present beside these values', shown(value));
      }
      if (slot >= 0) writing.slots[slot] = Number.NaN;
      nextColumn(writing, this.#split.separator);
      putText(writing, key);
      writing.put(this.#split.keyValue);
      content.write(writing, value);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw new FieldError(error.message, error.seen, error.path === '' ? name : `${name}.${error.path}`);
    }
  }

  #forget(reading: Reading): void {
    this.#round++;
    for (const { member } of this.#keyed) if (member.slot >= 0) reading.slots[member.slot] = Number.NaN;
  }

  #came(index: number): boolean {
    return this.#seen[index] === this.#round;
  }

  #find(reading: Reading, start: number, stop: number): number {
    const end = keyEnd(reading, this.#split, start, stop);
    return end < 0 ? -1 : (this.#byKey.get(textOf(reading, start, end).trim()) ?? -1);
  }

  #valueAt(reading: Reading, start: number, stop: number): number {
    return keyEnd(reading, this.#split, start, stop) + this.#split.keyValue.length;
  }

  /** Reads the value of a known key; what comes twice is refused, because nothing says which of them counts. */
  #take(index: number, reading: Reading, values: Record<string, Value>, left: Left): boolean {
    const found = this.#keyed[index];
    if (found === undefined) return true;
    const { content, member } = found;
    const start = reading.at;
    if (this.#came(index)) {
      reading.fail({
        reason: 'bad_count',
        field: member.name,
        offset: start - reading.origin,
        expected: `the key ${JSON.stringify(found.key)} once`,
        seen: 'it again',
      });
      return false;
    }
    this.#seen[index] = this.#round;
    const stop = separatorAt(reading.bytes, start, reading.end, this.#split);
    const from = this.#valueAt(reading, start, stop);
    return readTracedMember(member, reading, values, left, () => content.read(reading, from));
  }

  #takeUnknown(reading: Reading, start: number, stop: number, more: string[]): boolean {
    if (this.#extra === 'ignore') return true;
    const text = textOf(reading, start, stop);
    if (this.#extra === 'keep') {
      more.push(text);
      return true;
    }
    const seen = JSON.stringify(text.slice(0, 40));
    if (this.#extra === undefined) {
      reading.issue('unknown_key', `nothing is declared for ${seen}`);
      return true;
    }
    reading.fail({
      reason: 'too_long',
      field: '',
      offset: start - reading.origin,
      expected: 'a key that is declared',
      seen,
    });
    return false;
  }

  #isComplete(reading: Reading, known: number): boolean {
    const lacking = this.#keyed.findIndex(({ required }, index) => required && !this.#came(index));
    if (known > 0 && lacking < 0) return true;
    const keys = this.#keyed.map(({ key }) => key);
    reading.fail({
      reason: lacking < 0 ? 'bad_constant' : 'too_short',
      field: lacking < 0 ? '' : (this.#keyed[lacking]?.member.name ?? ''),
      offset: reading.at - reading.origin,
      expected:
        lacking < 0
          ? `one of the keys ${keys.slice(0, 8).join(', ')}`
          : `the key ${JSON.stringify(this.#keyed[lacking]?.key)}`,
      seen:
        lacking < 0
          ? quotedText(reading.bytes, reading.origin, Math.min(reading.end, reading.origin + 32))
          : 'no such key',
    });
    return false;
  }
}
