import { FIELD_KEYS, type FieldDeclaration } from '../declared/declaration.ts';
import type { KeyTable } from '../keys.ts';

/** The ways in which Modbus goes over a line. */
export const MODBUS_PROTOCOLS = ['modbus-rtu', 'modbus-tcp', 'modbus-ascii'] as const;
export type ModbusProtocol = (typeof MODBUS_PROTOCOLS)[number];

/** The most that one request reads, by the specification of Modbus. */
export const MOST_REGISTERS = 125;
export const MOST_COILS = 2000;

/** Registers of one map. */
export const MOST_OF_A_MAP = 10_000;

const DAY_MS = 24 * 60 * 60_000;

/** How often registers are read that do not say it themselves. */
export const DEFAULT_EVERY_MS = 5_000;

const every = {
  kind: 'duration',
  least: 10,
  greatest: 30 * DAY_MS,
  description: 'How often it is read; the `every` at the top of the file where it is left out.',
  examples: ['1s'],
} as const;

/** The keys of a map, beside `registers`, `version` and `enums`. */
export const MAP_KEYS = {
  every: {
    ...every,
    description: 'How often registers are read that do not say it themselves.',
    default: `${DEFAULT_EVERY_MS / 1_000}s`,
  },
  max_gap: {
    kind: 'number',
    least: 0,
    greatest: MOST_REGISTERS - 2,
    description:
      'So many registers that are not in the map may be read along between two that are, to save a request.',
    default: 0,
  },
  max_read: {
    kind: 'number',
    least: 1,
    greatest: MOST_REGISTERS,
    description: 'Most registers of one request, for devices that refuse more.',
    default: MOST_REGISTERS,
  },
  word_order: {
    kind: 'choice',
    values: ['abcd', 'cdab', 'badc', 'dcba'],
    description:
      'Order of the bytes in values of several registers that do not say their own: `cdab` has the low register first.',
    default: 'abcd',
  },
} as const satisfies KeyTable;

/** Keys of a field that say where it lies or how it is made up, which a register does in other ways. */
const NOT_OF_A_REGISTER = new Set([
  ...['name', 'type', 'when', 'of', 'fields', 'count', 'algorithm', 'covers', 'byte_order', 'at'],
  ...['terminator', 'max'],
]);

/** Those that say what a value means: of a register as of a field of a message. */
const VALUE_KEYS: KeyTable = Object.fromEntries(
  Object.entries(FIELD_KEYS as KeyTable).filter(([name]) => !NOT_OF_A_REGISTER.has(name)),
);

/** The keys of a register that only registers have. */
const PLACE_KEYS = {
  name: {
    kind: 'word',
    what: 'a name',
    example: 'voltage',
    required: true,
    description: 'The name of the value, among those of `registers` in the state.',
    examples: ['voltage'],
  },
  at: {
    kind: 'word',
    what: 'the place of a register',
    example: 'input:0',
    required: true,
    description:
      'Its table (`input`, `holding`, `coil`, `discrete`) and its address there, counted from 0; the first of several.',
    examples: ['input:0', 'holding:0x10', 'coil:3'],
  },
  type: {
    kind: 'word',
    what: 'a type',
    example: 'u16',
    description:
      'Of registers: a number of 16, 32, 48 or 64 bits as in a message (`u16`, `i32`, `f32`), `text` or `bytes` with a `length`. Coils and discrete inputs have none.',
    default: 'u16',
    examples: ['u16', 'f32'],
  },
  every,
} as const satisfies KeyTable;

export const REGISTER_KEYS: KeyTable = { ...PLACE_KEYS, ...VALUE_KEYS };

export type Table = 'input' | 'holding' | 'coil' | 'discrete';

/** A register as its keys say it: what its value means is said as of a field. */
export interface RegisterDeclaration extends Omit<FieldDeclaration, 'name' | 'type' | 'at'> {
  readonly name: string;
  readonly at: string;
  readonly type?: string | undefined;
  readonly everyMs?: number | undefined;
  /** A command writes it. */
  readonly write?: boolean | undefined;
  /** It is read; else it can only be written. */
  readonly read?: boolean | undefined;
}

/** A map of registers, compiled to the messages of a protocol. */
export interface RegisterMap {
  readonly protocol: ModbusProtocol;
  readonly everyMs?: number | undefined;
  readonly maxGap?: number | undefined;
  readonly maxRead?: number | undefined;
  readonly wordOrder?: 'abcd' | 'cdab' | 'badc' | 'dcba' | undefined;
  readonly enums: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly registers: readonly RegisterDeclaration[];
}
