import type { FieldDeclaration, MessageDeclaration, ProtocolDeclaration } from '../declared/declaration.ts';
import type { DeclarationFinding, Path } from '../declared/finding.ts';
import type { FramingDeclaration } from '../framing/declaration.ts';
import type { ModbusProtocol, RegisterDeclaration, RegisterMap, Table } from './declaration.ts';
import { isBitTable, type PlacedRegister } from './place.ts';
import { type Block, planReads } from './read-plan.ts';

/** The name below which the values of all registers stand in the state. */
export const REGISTERS_GROUP = 'registers';

const READ_FUNCTIONS: Readonly<Record<Table, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 };
const WRITE_COIL = 5;
const WRITE_REGISTER = 6;
const WRITE_REGISTERS = 16;

/** Reasons of a slave, by the specification of Modbus. */
/** The field of an exception that says why. */
const REASON_FIELD = 'code';
const EXCEPTIONS = {
  1: 'illegal_function',
  2: 'illegal_data_address',
  3: 'illegal_data_value',
  4: 'device_failure',
  5: 'acknowledge',
  6: 'device_busy',
  8: 'memory_parity_error',
  10: 'gateway_path_unavailable',
  11: 'gateway_target_failed',
} as const;

/** What goes around the address and the function, by the way over the line. */
const FRAMINGS: Readonly<Record<ModbusProtocol, FramingDeclaration | undefined>> = {
  'modbus-rtu': {
    type: 'gap',
    maxFrame: 254,
    checksum: { algorithm: 'crc-16/modbus', order: 'little' },
  },
  'modbus-tcp': { type: 'length', length: 'u16be', at: 4, maxFrame: 260 },
  'modbus-ascii': {
    type: 'delimiter',
    start: Uint8Array.of(0x3a),
    delimiter: Uint8Array.of(0x0d, 0x0a),
    encoding: 'hex',
    checksum: { algorithm: 'lrc-8', order: 'big' },
    maxFrame: 254,
  },
};

/** Bytes in front of the address in a frame over TCP. */
const MBAP_BYTES = 6;

/** Whether messages of this kind can be framed. */
export const isFramed = (protocol: ModbusProtocol): boolean => FRAMINGS[protocol] !== undefined;

/** A map as the messages of a protocol, and where what these say stands in the map. */
export interface CompiledMap {
  readonly declaration: ProtocolDeclaration;
  /** The place in the map of what was found in the declaration; undefined where no register said it. */
  placeOf(finding: DeclarationFinding): Path | undefined;
}

/** Which register the fields of a form come from, by their index. */
type Origins = ReadonlyArray<number | undefined>;

interface Compiled {
  readonly message: MessageDeclaration;
  readonly own: Origins;
  readonly replied: Origins;
  readonly function: number;
}

/** Compiles placed registers to requests that read them, commands that write them, and exceptions that refuse either. */
export function compileMap(map: RegisterMap, placed: readonly PlacedRegister[]): CompiledMap {
  const blocks = planReads(placed, map);
  const shownIn = new Map<number, string>();
  const reads = blocks.map((block, index) => {
    const compiled = readMessage(block, map, index + 1);
    for (const register of block.registers) shownIn.set(register.index, compiled.message.name);
    return compiled;
  });
  const writes = placed
    .filter(({ declaration }) => declaration.write === true)
    .map((register, index) =>
      writeMessage(register, shownIn.get(register.index), map, reads.length + index + 1),
    );
  const all = [...reads, ...writes];
  const functions = [...new Set(all.map((each) => each.function))].sort((a, b) => a - b);
  const exceptions = functions.map((code) =>
    exceptionMessage(
      code,
      all.filter((each) => each.function === code).map(({ message }) => message.name),
      map.protocol,
    ),
  );
  const framing = FRAMINGS[map.protocol] ?? { type: 'gap' };
  const declaration: ProtocolDeclaration = {
    byteOrder: 'big',
    framing,
    maxFrame: 'maxFrame' in framing ? (framing.maxFrame ?? 254) : 254,
    address: { type: 'u8', at: map.protocol === 'modbus-tcp' ? MBAP_BYTES : 0, broadcast: 0 },
    enums: map.enums,
    errors: {},
    messages: [...all.map(({ message }) => message), ...exceptions],
    registers: placed.map((register) => ({
      table: register.table,
      address: register.address,
      size: register.size,
      writable: register.declaration.write === true,
      field: fieldOf(register),
    })),
    polls: reads.map(({ message }, index) => ({
      message: message.name,
      everyMs: blocks[index]?.everyMs ?? 1_000,
    })),
  };
  return { declaration, placeOf: (finding) => placeIn(all, finding) };
}

function placeIn(all: readonly Compiled[], { path }: DeclarationFinding): Path | undefined {
  const [, index, ...rest] = path;
  const compiled = typeof index === 'number' ? all[index] : undefined;
  if (path[0] !== 'messages' || compiled === undefined) return undefined;
  const replied = rest[0] === 'reply';
  const [key, field, ...inner] = replied ? rest.slice(1) : rest;
  if (key !== 'fields' || typeof field !== 'number') return undefined;
  const register = (replied ? compiled.replied : compiled.own)[field];
  return register === undefined ? undefined : ['registers', register, ...inner];
}

const SOURCES: Readonly<Record<Table, string>> = {
  input: 'input registers',
  holding: 'holding registers',
  coil: 'coils',
  discrete: 'discrete inputs',
};

const NAMES: Readonly<Record<Table, string>> = {
  input: 'input',
  holding: 'holding',
  coil: 'coils',
  discrete: 'discrete',
};

function readMessage(block: Block, { protocol }: RegisterMap, number: number): Compiled {
  const { table, start, count, everyMs, registers } = block;
  const code = READ_FUNCTIONS[table];
  const bits = isBitTable(table);
  const bytes = bits ? Math.ceil(count / 8) : 2 * count;
  const { fields, origins } = bits ? bitFields(block) : registerFields(block);
  const head = [...headOf(protocol, number, 3 + bytes), constant('function', 'u8', code)];
  const replied = [...head, constant('byte_count', 'u8', bytes)];
  const last = start + count - 1;
  return {
    function: code,
    own: [],
    replied: [...replied.map(() => undefined), ...origins],
    message: {
      name: `read_${NAMES[table]}_${start}`,
      description: `Reads ${SOURCES[table]} ${start === last ? start : `${start} to ${last}`}: ${namesOf(registers)}.`,
      from: 'host',
      everyMs,
      into: REGISTERS_GROUP,
      fields: [
        ...headOf(protocol, number, 6),
        constant('function', 'u8', code),
        constant('start', 'u16', start),
        constant('count', 'u16', count),
      ],
      reply: { fields: [...replied, ...fields] },
    },
  };
}

const MOST_NAMED = 8;

function namesOf(registers: readonly PlacedRegister[]): string {
  const names = registers.slice(0, MOST_NAMED).map(({ declaration }) => declaration.name);
  return `${names.join(', ')}${registers.length > MOST_NAMED ? ' and others' : ''}`;
}

interface Content {
  readonly fields: readonly FieldDeclaration[];
  readonly origins: Origins;
}

/** Registers one behind the other; those between that are not in the map are passed over. */
function registerFields({ start, registers }: Block): Content {
  const fields: FieldDeclaration[] = [];
  const origins: (number | undefined)[] = [];
  let at = start;
  for (const register of registers) {
    if (register.address > at) {
      fields.push({ type: 'reserved', length: 2 * (register.address - at) });
      origins.push(undefined);
    }
    fields.push(fieldOf(register));
    origins.push(register.index);
    at = register.address + register.size;
  }
  return { fields, origins };
}

/** Bits of bytes, the first coil in the least significant bit of the first byte. */
function bitFields({ start, count, registers }: Block): Content {
  const fields: FieldDeclaration[] = [];
  const origins: (number | undefined)[] = [];
  const byAddress = new Map(registers.map((each) => [each.address, each]));
  for (let index = 0; index < count; index++) {
    if (index % 8 === 0) {
      fields.push({ type: 'reserved', length: 1 });
      origins.push(undefined);
    }
    const register = byAddress.get(start + index);
    if (register === undefined) continue;
    fields.push({ ...fieldOf(register), at: index % 8 });
    origins.push(register.index);
  }
  return { fields, origins };
}

/** What a register means, as a field; without the keys that only registers have. */
function fieldOf(register: PlacedRegister, more: Partial<FieldDeclaration> = {}): FieldDeclaration {
  const {
    at: _,
    everyMs: __,
    write: ___,
    read: ____,
    ...meaning
  }: RegisterDeclaration = register.declaration;
  return { ...meaning, type: register.type, ...more };
}

function writeMessage(
  register: PlacedRegister,
  shownIn: string | undefined,
  { protocol }: RegisterMap,
  number: number,
): Compiled {
  const { declaration, table, address, size, index } = register;
  const { name, description, bits } = declaration;
  const code = table === 'coil' ? WRITE_COIL : size === 1 ? WRITE_REGISTER : WRITE_REGISTERS;
  // Limits are of what the device says, not of what it takes.
  const value = fieldOf(register, {
    name: 'value',
    limits: undefined,
    ...(table === 'coil' ? { type: 'coil' } : {}),
  });
  const several = code === WRITE_REGISTERS;
  const place = [constant('function', 'u8', code), constant('address', 'u16', address)];
  const extent = [...place, constant('count', 'u16', size)];
  const head = headOf(protocol, number, several ? 7 + 2 * size : 6);
  const own = several
    ? [...head, ...extent, constant('byte_count', 'u8', 2 * size), value]
    : [...head, ...place, value];
  const replied = several ? [...headOf(protocol, number, 6), ...extent] : own;
  const shown = shownIn !== undefined && bits === undefined && declaration.type !== 'bytes';
  const origin = (fields: readonly FieldDeclaration[]): Origins =>
    fields.map((field) => (field === value ? index : undefined));
  return {
    function: code,
    own: origin(own),
    replied: origin(replied),
    message: {
      name: `write_${name}`,
      description: description ?? `Writes ${table}:${address}, \`${name}\`.`,
      from: 'host',
      into: false,
      ...(shown ? { confirms: { value: `${shownIn}.${name}` } } : {}),
      fields: own,
      reply: { fields: replied },
    },
  };
}

const FUNCTION_NAMES: Readonly<Record<number, string>> = {
  1: 'read_coils',
  2: 'read_discrete',
  3: 'read_holding',
  4: 'read_input',
  5: 'write_coil',
  6: 'write_register',
  16: 'write_registers',
};

/** Each function has an exception of its own, so that one refuses the requests of its function only. */
function exceptionMessage(
  code: number,
  request: readonly string[],
  protocol: ModbusProtocol,
): MessageDeclaration {
  return {
    name: `${FUNCTION_NAMES[code]}_exception`,
    description: `Why function ${code} was refused.`,
    from: 'device',
    into: false,
    rejects: { request, code: REASON_FIELD },
    fields: [
      ...exceptionHead(protocol),
      constant('function', 'u8', 0x80 + code),
      { name: REASON_FIELD, type: 'u8', enum: EXCEPTIONS },
    ],
  };
}

const constant = (name: string, type: string, value: number): FieldDeclaration => ({ name, type, value });

/**
 * What stands in front of the address. Each message has a transaction of its own, so that a reply is known by it; `bytes`
 * are those behind the length.
 */
function headOf(protocol: ModbusProtocol, transaction: number, bytes: number): readonly FieldDeclaration[] {
  if (protocol !== 'modbus-tcp') return [];
  return [
    constant('transaction', 'u16', transaction),
    constant('protocol', 'u16', 0),
    constant('length', 'u16', bytes),
  ];
}

/** The transaction is that of the refused request. */
function exceptionHead(protocol: ModbusProtocol): readonly FieldDeclaration[] {
  if (protocol !== 'modbus-tcp') return [];
  return [{ name: 'transaction', type: 'u16' }, constant('protocol', 'u16', 0), constant('length', 'u16', 3)];
}
