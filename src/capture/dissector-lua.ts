import {
  type Condition,
  type EnumDeclaration,
  enumNames,
  type FieldDeclaration,
  type ProtocolDeclaration,
  parseBits,
  parseWhole,
  splitReference,
} from '../protocol/index.ts';

export function luaEnum(names: EnumDeclaration): string {
  return `{ ${Object.entries(names)
    .map(([value, name]) => `[${parseWhole(value) ?? 0}] = ${luaText(name)}`)
    .join(', ')} }`;
}

/** A field that later ones may refer to, with the key under which its raw value stands in `v`. */
export interface Referable {
  readonly key: string;
  readonly declaration: FieldDeclaration;
}

/** Earlier fields by name: those of the structures around, then those of this one. */
export type Visible = ReadonlyMap<string, Referable>;

/** The raw value of an earlier field, which is nil where that is absent. */
export const luaValue = (name: string, visible: Visible): string =>
  `v[${luaText(visible.get(name)?.key ?? name)}]`;

/** Bits of a number. Arithmetic instead of bit operators, which differ between the versions of Lua. */
export const luaBits = (number: string, from: number, count: number): string =>
  `math.floor(${number} / ${2 ** from}) % ${2 ** count}`;

/** Whether a field is present. It never is where the field that says so is absent. */
export function luaCondition(
  { field, is, not }: Condition,
  protocol: ProtocolDeclaration,
  visible: Visible,
): string {
  const [name, bitName] = splitReference(field);
  const target = visible.get(name)?.declaration;
  if (target === undefined) return 'true';
  const bit = target.bits?.find((each) => each.name === bitName);
  const bits = bit === undefined ? undefined : parseBits(bit.at);
  const raw = luaValue(name, visible);
  const value = bits === undefined ? raw : luaBits(raw, bits.from, bits.count);
  const names = enumNames(bit === undefined ? target.enum : bit.enum, protocol.enums);
  const any = [is ?? not ?? []]
    .flat()
    .map((each) => (typeof each === 'string' ? Number(names?.rawOf(each) ?? Number.NaN) : Number(each)))
    .filter((each) => !Number.isNaN(each))
    .map((each) => `${value} == ${each}`)
    .join(' or ');
  const wanted = any === '' ? 'false' : `(${any})`;
  return `${raw} ~= nil and ${is === undefined ? 'not ' : ''}${wanted}`;
}

/** A text as Lua writes it. */
export const luaText = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => [...new TextEncoder().encode(char)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''))}"`;
