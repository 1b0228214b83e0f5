import {
  compileField,
  type FieldDeclaration,
  type ProtocolDeclaration,
  parseNumberType,
  parseWhole,
  sizingScope,
} from '../protocol/index.ts';
import { luaNumber } from './dissector-numbers.ts';

/** Lines of Lua that read a later field. */
export interface Peek {
  readonly declaration: FieldDeclaration;
  readonly need: string;
  readonly read: string;
}

/** How a number finds a later one, which stands at a fixed distance behind it. */
export function peekAhead(
  fields: readonly FieldDeclaration[],
  index: number,
  name: string,
  bytes: number,
  protocol: ProtocolDeclaration,
): Peek | undefined {
  const place = fields.findIndex((each, at) => at > index && each.name === name);
  const target = fields[place];
  const type = target && parseNumberType(target.type, protocol.byteOrder);
  if (target === undefined || type === undefined) return undefined;
  const between = fields.slice(index + 1, place).reduce((sum, each) => sum + fixedBytes(each, protocol), 0);
  const distance = bytes + between;
  return {
    declaration: target,
    need: `need(at, ${distance + type.bytes}, stop)`,
    read: `(${luaNumber(type).replace('buf, at,', `buf, at + ${distance},`)})`,
  };
}

/** Conditions on the bytes of a payload that begins at `from`: the constants that stand at an offset that never moves. */
export function constants(fields: readonly FieldDeclaration[], protocol: ProtocolDeclaration): string[] {
  const { id } = protocol;
  const idBytes = id === undefined ? 0 : (parseNumberType(id.type, protocol.byteOrder)?.bytes ?? 0);
  const found: string[] = [];
  let offset = 0;
  for (const field of fields) {
    if (id !== undefined && offset === id.at) offset += idBytes;
    const bytes = fixedBytes(field, protocol);
    if (bytes === 0 || field.when !== undefined) break;
    const type = parseNumberType(field.type, protocol.byteOrder);
    if (field.type === 'text' && typeof field.value === 'string' && /^[\x20-\x7e]+$/.test(field.value)) {
      const letters = [...field.value].map(
        (letter, index) => `buf(from + ${offset + index}, 1):uint() == ${letter.charCodeAt(0)}`,
      );
      if (field.encoding?.startsWith('utf16') !== true) found.push(...letters);
    }
    if (field.value !== undefined && type?.kind === 'int' && bytes <= 4) {
      const read = `${type.little ? 'le_' : ''}${type.signed ? '' : 'u'}int()`;
      found.push(`buf(from + ${offset}, ${bytes}):${read} == ${parseWhole(field.value) ?? 0}`);
    }
    offset += bytes;
  }
  return found;
}

/** Bytes that a field always has; 0 where that depends. */
export function fixedBytes(field: FieldDeclaration, protocol: ProtocolDeclaration): number {
  const { min, max } = compileField(field, sizingScope(protocol));
  return min === max ? min : 0;
}

/** The fewest bytes that a field has. */
export const leastBytes = (field: FieldDeclaration, protocol: ProtocolDeclaration): number =>
  compileField(field, sizingScope(protocol)).min;
