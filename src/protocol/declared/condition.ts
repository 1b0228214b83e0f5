import { bitsOf, parseBits } from './bit-range.ts';
import type { Condition, ConditionValue, FieldDeclaration } from './declaration.ts';
import { type EnumNames, enumNames } from './enum-names.ts';
import type { Scope, TextNumbers } from './field-codec.ts';

/** Whether a field is present, from the raw values of earlier ones; NaN stands for one that is absent itself. */
export type Presence = (slots: readonly number[]) => boolean;

/** The parts of a reference: a field, and one of its bits. */
export function splitReference(field: string): readonly [string, string | undefined] {
  const [name = '', bit] = field.split('.');
  return [name, bit];
}

export function presence(condition: Condition, scope: Scope): Presence {
  const [name, bitName] = splitReference(condition.field);
  const target = scope.targets.get(name);
  if (target === undefined) return () => true;
  const { slot, declaration, texts } = target;
  if (declaration.type === 'text') return textPresence(condition, declaration, slot, texts);
  const bit = declaration.bits?.find((each) => each.name === bitName);
  const range = bit === undefined ? undefined : parseBits(bit.at);
  const names = enumNames(bit === undefined ? declaration.enum : bit.enum, scope.enums);
  const wanted = numbersOf(condition.is ?? condition.not, names);
  const present = condition.is !== undefined;
  return (slots) => {
    const raw = slots[slot] ?? Number.NaN;
    if (Number.isNaN(raw)) return false;
    return wanted.has(range === undefined ? raw : bitsOf(raw, range.from, range.count)) === present;
  };
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
