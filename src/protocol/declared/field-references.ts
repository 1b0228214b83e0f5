import { splitReference } from './condition.ts';
import type { FieldDeclaration } from './declaration.ts';

/** All fields directly within one: of a structure, a case, a tag, or the element of a list. */
export function fieldsWithin({
  fields = [],
  of,
  cases = {},
  else: otherwise = [],
  tags = {},
}: FieldDeclaration): readonly FieldDeclaration[] {
  if (of === undefined && Object.keys(cases).length === 0 && Object.keys(tags).length === 0) return fields;
  return [
    ...fields,
    ...(of === undefined ? [] : [of]),
    ...Object.values(cases).flat(),
    ...otherwise,
    ...Object.values(tags),
  ];
}

/** A field whose length or count another one says, and what that one counts beside it. */
export interface Counted {
  readonly name: string;
  readonly adjust: number;
}

/** Fields that say how long others are, with the first of those. */
export function countedIn(fields: readonly FieldDeclaration[]): ReadonlyMap<string, Counted> {
  const counted = new Map<string, Counted>();
  for (const { name, length, count } of fields) {
    for (const extent of [length, count]) {
      if (typeof extent !== 'object' || name === undefined) continue;
      if (extent.field === undefined || counted.has(extent.field)) continue;
      counted.set(extent.field, { name, adjust: extent.adjust ?? 0 });
    }
  }
  return counted;
}

/** Names to which some length, count or condition refers, and those that a checksum covers. */
export function referencesIn(fields: readonly FieldDeclaration[]): {
  readonly referred: Set<string>;
  readonly covered: Set<string>;
} {
  const referred = new Set<string>();
  const covered = new Set<string>();
  const visit = (field: FieldDeclaration): void => {
    for (const extent of [field.length, field.count])
      if (typeof extent === 'object' && extent.field !== undefined) referred.add(extent.field);
    if (field.when !== undefined) referred.add(splitReference(field.when.field)[0]);
    if (field.negative !== undefined) referred.add(splitReference(field.negative.field)[0]);
    if (typeof field.scale === 'object') referred.add(field.scale.field);
    if (field.on !== undefined) referred.add(field.on);
    for (const name of field.covers ?? []) covered.add(name);
    for (const each of fieldsWithin(field)) visit(each);
  };
  for (const field of fields) visit(field);
  return { referred, covered };
}
