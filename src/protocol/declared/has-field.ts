import type { FieldDeclaration } from './declaration.ts';
import { fieldsWithin } from './field-references.ts';

/** Whether a field, or one of its bits, is at the end of a path of names. */
export function hasField(fields: readonly FieldDeclaration[], [name, ...inner]: readonly string[]): boolean {
  const field = fields.find((each) => each.name === name);
  if (field === undefined) return false;
  if (inner.length === 0) return true;
  const [bit] = inner;
  return (
    hasField(fieldsWithin(field), inner) ||
    (inner.length === 1 && (field.bits ?? []).some((each) => each.name === bit))
  );
}
