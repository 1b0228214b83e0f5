import type { WideChecksum } from './checksum.ts';
import type { CrcModel } from './models.ts';

const LOW = 0xffff_ffffn;

/** The lowest `bits` bits of a value in reverse order. */
function reversed(value: bigint, bits: number): bigint {
  let result = 0n;
  for (let bit = 0n; bit < bits; bit++) result = (result << 1n) | ((value >> bit) & 1n);
  return result;
}

function joined(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

interface Table {
  readonly high: Int32Array;
  readonly low: Int32Array;
}

function tableOf(entry: (byte: bigint) => bigint): Table {
  const table = { high: new Int32Array(256), low: new Int32Array(256) };
  for (let byte = 0; byte < 256; byte++) {
    const value = entry(BigInt(byte));
    table.high[byte] = Number(value >> 32n);
    table.low[byte] = Number(value & LOW);
  }
  return table;
}

/** A CRC of 33 to 64 bits; the loop works on two halves, since a `bigint` per byte would cost a hundred times as much. */
export function makeWideCrc(model: CrcModel<bigint>): WideChecksum {
  const [name, bits, polynomial, initial, order, finalXor] = model;
  const common = { wide: true, name, bits, bytes: Math.ceil(bits / 8) } as const;
  if (order === 'reflected') {
    const table = reflectedTable(reversed(polynomial, bits));
    return {
      ...common,
      initial: reversed(initial, bits),
      update: (register, bytes, start, end) => updateReflected(table, register, bytes, start, end),
      finish: (register) => register ^ finalXor,
    };
  }
  const shift = BigInt(64 - bits);
  const table = plainTable(polynomial << shift);
  return {
    ...common,
    initial: initial << shift,
    update: (register, bytes, start, end) => updatePlain(table, register, bytes, start, end),
    finish: (register) =>
      (order === 'mixed' ? reversed(register >> shift, bits) : register >> shift) ^ finalXor,
  };
}

function reflectedTable(polynomial: bigint): Table {
  return tableOf((byte) => {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) register = (register >> 1n) ^ ((register & 1n) * polynomial);
    return register;
  });
}

/** As in the narrow one, the register stands at the upper end of its 64 bits. */
function plainTable(polynomial: bigint): Table {
  return tableOf((byte) => {
    let register = byte << 56n;
    for (let bit = 0; bit < 8; bit++) {
      register = BigInt.asUintN(64, register << 1n) ^ ((register >> 63n) * polynomial);
    }
    return register;
  });
}

function updateReflected(
  table: Table,
  register: bigint,
  bytes: Uint8Array,
  start: number,
  end: number,
): bigint {
  let high = Number(register >> 32n) | 0;
  let low = Number(register & LOW) | 0;
  for (let at = start; at < end; at++) {
    const index = (low ^ (bytes[at] ?? 0)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (table.low[index] ?? 0);
    high = (high >>> 8) ^ (table.high[index] ?? 0);
  }
  return joined(high, low);
}

function updatePlain(table: Table, register: bigint, bytes: Uint8Array, start: number, end: number): bigint {
  let high = Number(register >> 32n) | 0;
  let low = Number(register & LOW) | 0;
  for (let at = start; at < end; at++) {
    const index = (high >>> 24) ^ (bytes[at] ?? 0);
    high = ((high << 8) | (low >>> 24)) ^ (table.high[index] ?? 0);
    low = (low << 8) ^ (table.low[index] ?? 0);
  }
  return joined(high, low);
}
