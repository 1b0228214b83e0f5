import { splitReference } from './condition.ts';
import type { ByteOrder, FieldDeclaration } from './declaration.ts';
import type { Ahead } from './field-codec.ts';
import { loaderOf, parseNumberType } from './number-type.ts';
import type { Member } from './struct-field.ts';

/**
 * Fields from which an earlier one of the same structure takes its scale or sign, by the name of that one. `members` may be
 * filled later: where the fields lie is looked up with the first message.
 */
export function aheadOf(
  fields: readonly FieldDeclaration[],
  members: readonly Member[],
  order: ByteOrder,
): ReadonlyMap<string, ReadonlyMap<string, Ahead>> {
  const found = new Map<string, ReadonlyMap<string, Ahead>>();
  for (const [index, { name, scale, negative }] of fields.entries()) {
    if (name === undefined) continue;
    const referred = [
      ...(typeof scale === 'object' ? [scale.field] : []),
      ...(negative === undefined ? [] : [splitReference(negative.field)[0]]),
    ];
    const behind = new Map<string, Ahead>();
    for (const target of referred) {
      const declaration = fields.slice(index + 1).find((each) => each.name === target);
      if (declaration !== undefined) behind.set(target, makeAhead(name, declaration, members, order));
    }
    if (behind.size > 0) found.set(name, behind);
  }
  return found;
}

function makeAhead(
  owner: string,
  declaration: FieldDeclaration,
  members: readonly Member[],
  order: ByteOrder,
): Ahead {
  // The lint refuses other types.
  const type = parseNumberType(declaration.type, order) ?? {
    kind: 'int',
    bytes: 1,
    signed: false,
    little: false,
  };
  const load = loaderOf(type);
  let distance = -1;
  let slot = -1;
  const locate = (): void => {
    const from = members.findIndex(({ name }) => name === owner) + 1;
    const to = members.findIndex(({ name }) => name === declaration.name);
    distance = members.slice(from, to).reduce((sum, { codec }) => sum + codec.min, 0);
    slot = members[to]?.slot ?? -1;
  };
  return {
    declaration,
    peek({ bytes, at, end }) {
      if (distance < 0) locate();
      const place = at + distance;
      return place + type.bytes > end ? Number.NaN : load(bytes, place);
    },
    written({ slots }) {
      if (distance < 0) locate();
      return slots[slot] ?? Number.NaN;
    },
  };
}
