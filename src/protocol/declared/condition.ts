import { bitsOf, parseBits } from './bits-field.ts';
import type { Condition, ConditionValue } from './declaration.ts';
import { type EnumNames, enumNames } from './enum-names.ts';
import type { Scope } from './field-codec.ts';

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
  const { slot, declaration } = target;
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
