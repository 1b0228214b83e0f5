import { bitsOf, parseBits } from './bit-range.ts';
import type { Condition, ConditionValue, FieldDeclaration } from './declaration.ts';
import { type EnumNames, enumNames } from './enum-names.ts';
import type { Scope, TextNumbers } from './field-codec.ts';
import { Reading } from './reading.ts';
import type { Writing } from './writing.ts';

/** Whether a field is present, from the raw values of earlier ones; NaN stands for one that is absent itself. */
export type Presence = (slots: readonly number[]) => boolean;

/** The parts of a reference: a field, and one of its bits. */
export function splitReference(field: string): readonly [string, string | undefined] {
  const [name = '', bit] = field.split('.');
  return [name, bit];
}

export function presence(condition: Condition, scope: Scope): Presence {
  const [name] = splitReference(condition.field);
  const target = scope.targets.get(name);
  if (target === undefined) return () => true;
  const { slot, declaration, texts } = target;
  if (declaration.type === 'text') return textPresence(condition, declaration, slot, texts);
  const judge = numberJudge(condition, declaration, scope);
  return (slots) => judge(slots[slot] ?? Number.NaN);
}

/** The same of an earlier field, or of one behind the field that looks. */
export function fulfilment(condition: Condition, scope: Scope): (state: Reading | Writing) => boolean {
  const behind = scope.ahead.get(splitReference(condition.field)[0]);
  if (behind === undefined) {
    const present = presence(condition, scope);
    return ({ slots }) => present(slots);
  }
  const judge = numberJudge(condition, behind.declaration, scope);
  return (state) => judge(state instanceof Reading ? behind.peek(state) : behind.written(state));
}

/** Whether a raw number, or its bits that the condition names, fulfils the condition; NaN does not. */
function numberJudge(condition: Condition, { bits, enum: names }: FieldDeclaration, { enums }: Scope): Judge {
  const bitName = splitReference(condition.field)[1];
  const bit = bits?.find((each) => each.name === bitName);
  const range = bit === undefined ? undefined : parseBits(bit.at);
  const judge = judgeOf(condition, enumNames(bit === undefined ? names : bit.enum, enums));
  return (raw) => {
    if (Number.isNaN(raw)) return false;
    return judge(range === undefined ? raw : bitsOf(raw, range.from, range.count));
  };
}

type Judge = (raw: number) => boolean;

/** Whether a raw number fulfils all that a condition says. */
function judgeOf({ is, not, gt, lt, mask }: Condition, names: EnumNames | undefined): Judge {
  const wanted = is === undefined ? undefined : numbersOf(is, names);
  const unwanted = not === undefined ? undefined : numbersOf(not, names);
  const alone = [is, not, gt, lt].every((each) => each === undefined);
  const compared = (raw: number): boolean =>
    (wanted === undefined || wanted.has(raw)) &&
    !(unwanted?.has(raw) ?? false) &&
    (gt === undefined || raw > gt) &&
    (lt === undefined || raw < lt);
  if (mask === undefined) return compared;
  return (raw) => {
    const bits = masked(raw, mask);
    return alone ? bits !== 0 : compared(bits);
  };
}

/** Bits of a number of at most 48 bits, in two halves. */
function masked(raw: number, mask: number): number {
  const high = 2 ** 24;
  const low = (raw % high) & (mask % high);
  return (Math.floor(raw / high) & Math.floor(mask / high)) * high + low;
}

/** Texts are compared by numbers that they get here, so that a slot can hold them. */
function textPresence(
  { is, not }: Condition,
  { enum: names }: FieldDeclaration,
  slot: number,
  texts: TextNumbers,
): Presence {
  const values = is ?? not;
  const wanted = new Set(
    (Array.isArray(values) ? values : [values]).map((value) => {
      const text = textOfName(String(value), names);
      if (!texts.has(text)) texts.set(text, texts.size);
      return texts.get(text);
    }),
  );
  return (slots) => {
    const number = slots[slot] ?? Number.NaN;
    return !Number.isNaN(number) && wanted.has(number) === (is !== undefined);
  };
}

/** The text that a name of an enum stands for, or the text itself. */
export function textOfName(name: string, names: FieldDeclaration['enum']): string {
  if (typeof names !== 'object') return name;
  return Object.entries(names).find(([, each]) => each === name)?.[0] ?? name;
}

function numbersOf(
  values: ConditionValue | readonly ConditionValue[] | undefined,
  names: EnumNames | undefined,
): ReadonlySet<number> {
  const list = Array.isArray(values) ? values : [values];
  return new Set(
    list.map((value) => {
      if (typeof value === 'string') return Number(names?.rawOf(value) ?? Number.NaN);
      return Number(value);
    }),
  );
}
