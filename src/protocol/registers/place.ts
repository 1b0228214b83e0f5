import type { DeclarationFinding } from '../declared/finding.ts';
import { parseNumberType } from '../declared/number-type.ts';
import { MOST_REGISTERS, type RegisterDeclaration, type RegisterMap, type Table } from './declaration.ts';

/** A register with its place. */
export interface PlacedRegister {
  /** In the list of the map. */
  readonly index: number;
  readonly declaration: RegisterDeclaration;
  readonly table: Table;
  readonly address: number;
  /** Registers, or coils. */
  readonly size: number;
  /** The type of its field; with the word order of the map. */
  readonly type: string;
}

/** Coils and discrete inputs are single bits. */
export const isBitTable = (table: Table): boolean => table === 'coil' || table === 'discrete';

const ORDER_SUFFIX = { abcd: '', cdab: 'cdab', badc: 'badc', dcba: 'le' } as const;
const GREATEST_ADDRESS = 0xffff;

/** Where each register lies, and everything that is wrong with that. */
export function placeRegisters(map: RegisterMap): {
  readonly placed: readonly PlacedRegister[];
  readonly findings: readonly DeclarationFinding[];
} {
  const findings: DeclarationFinding[] = [];
  const placed: PlacedRegister[] = [];
  for (const [index, declaration] of map.registers.entries()) {
    const place = placeOf(declaration, index, map, findings);
    if (place !== undefined) placed.push(place);
  }
  findings.push(...overlaps(placed));
  return { placed, findings };
}

function placeOf(
  declaration: RegisterDeclaration,
  index: number,
  { wordOrder = 'abcd', maxRead = MOST_REGISTERS }: RegisterMap,
  findings: DeclarationFinding[],
): PlacedRegister | undefined {
  const add = (key: string, message: string, fix: string): undefined =>
    void findings.push({
      severity: 'error',
      code: 'config_bad_value',
      path: ['registers', index, key],
      message,
      fix,
    });
  const [, table, digits = ''] = /^(input|holding|coil|discrete):(\d{1,5}|0x[0-9a-f]{1,4})$/i.exec(
    declaration.at,
  ) ?? [undefined, undefined];
  const address = Number(digits);
  if (!isTable(table) || address > GREATEST_ADDRESS) return add('at', ...badPlace(declaration.at));
  if (isBitTable(table)) {
    if (table === 'discrete' && declaration.write === true) return add('write', ...READ_ONLY);
    if (declaration.type !== undefined) {
      return add('type', 'A coil or discrete input is true or false.', 'Remove `type:`.');
    }
    return { index, declaration, table, address, size: 1, type: 'bit' };
  }
  if (table === 'input' && declaration.write === true) return add('write', ...READ_ONLY);
  const { type = 'u16', length } = declaration;
  if (type === 'text' || type === 'bytes' || type === 'bcd') {
    if (typeof length === 'number' && length > 0 && length % 2 === 0 && length <= 246)
      return spaced({ index, declaration, table, address, size: length / 2, type });
    return add(
      'length',
      `\`${type}\` has an even number of bytes here, two in each register.`,
      'Write 2 to 246.',
    );
  }
  const number = parseNumberType(type, 'big');
  if (number === undefined) {
    return add(
      'type',
      `There is no type \`${type}\` of registers.`,
      'Write u16, i16, u32, i32, f32, u64, i64, f64, text or bytes.',
    );
  }
  if (number.bytes % 2 !== 0) {
    const fix = `Write ${type.charAt(0)}${8 * (number.bytes + 1)}, or declare bits of u16 with \`bits:\`.`;
    return add('type', `A register has 16 bits, and \`${type}\` does not fill whole ones.`, fix);
  }
  const plain = /^[uif]\d+$/.test(type);
  const ordered = plain && number.bytes > 2 ? `${type}${ORDER_SUFFIX[wordOrder]}` : type;
  if (parseNumberType(ordered, 'big') === undefined) {
    return add(
      'type',
      `\`${type}\` has no order \`${wordOrder}\`.`,
      'Write the order of its bytes behind the type.',
    );
  }
  return spaced({ index, declaration, table, address, size: number.bytes / 2, type: ordered });

  function spaced(place: PlacedRegister): PlacedRegister | undefined {
    if (place.size > maxRead) {
      return add(
        'type',
        `It has ${place.size} registers, and \`max_read\` is ${maxRead}.`,
        'Raise `max_read`.',
      );
    }
    if (place.address + place.size <= GREATEST_ADDRESS + 1) return place;
    return add('at', 'The last register is beyond 65535.', 'Write an address from 0 to 65535.');
  }
}

const READ_ONLY = [
  'Input registers and discrete inputs can only be read.',
  'Remove `write:`, or write holding:N or coil:N where the device has it there.',
] as const;

const isTable = (word: string | undefined): word is Table =>
  word === 'input' || word === 'holding' || word === 'coil' || word === 'discrete';

/** Data sheets number registers from 30001 and 40001, with the table in the first digit. */
function badPlace(at: string): readonly [message: string, fix: string] {
  const fix = 'Write input:N, holding:N, coil:N or discrete:N, with N from 0 to 65535.';
  const sheet = /^(?:\w+:)?([0134])(\d{4,5})$/.exec(at.trim());
  const number = Number(sheet?.[2] ?? 0);
  if (sheet === null || number < 1 || number > 65_536) return [`\`${at}\` is no place of a register.`, fix];
  const table = { '0': 'coil', '1': 'discrete', '3': 'input', '4': 'holding' }[sheet[1] ?? ''];
  return [
    `\`${at}\` is no place of a register.`,
    `Where the data sheet counts from ${sheet[1]}${'1'.padStart(sheet[2]?.length ?? 4, '0')}, write ${table}:${number - 1}.`,
  ];
}

/** Two registers that share a place, and two of one name. */
function overlaps(placed: readonly PlacedRegister[]): readonly DeclarationFinding[] {
  const findings: DeclarationFinding[] = [];
  const names = new Map<string, number>();
  for (const { declaration, index } of placed) {
    const before = names.get(declaration.name);
    if (before === undefined) names.set(declaration.name, index);
    else {
      findings.push({
        severity: 'error',
        code: 'config_duplicate_id',
        path: ['registers', index, 'name'],
        message: `registers[${before}] has the same name.`,
        fix: 'Give each register a name of its own.',
      });
    }
  }
  let last: PlacedRegister | undefined;
  for (const each of inOrder(placed)) {
    if (last !== undefined && last.table === each.table && each.address < last.address + last.size) {
      const [first, second] = last.index < each.index ? [last, each] : [each, last];
      findings.push({
        severity: 'error',
        code: 'config_conflict',
        path: ['registers', second.index, 'at'],
        message: `It overlaps \`${first.declaration.name}\`, which takes ${spanOf(first)}.`,
        fix: `It takes ${spanOf(second)} itself: correct one of the addresses or types.`,
      });
    }
    if (
      last === undefined ||
      last.table !== each.table ||
      each.address + each.size >= last.address + last.size
    )
      last = each;
  }
  return findings;
}

function spanOf({ table, address, size }: PlacedRegister): string {
  return size === 1 ? `${table}:${address}` : `${table}:${address} to ${address + size - 1}`;
}

/** By table and address. */
export const inOrder = (placed: readonly PlacedRegister[]): readonly PlacedRegister[] =>
  placed.toSorted((a, b) => (a.table === b.table ? a.address - b.address : a.table < b.table ? -1 : 1));
