import { type Points, rawPoints } from './points.ts';

/*
 * Points as bytes. Values of devices have few decimals and change little: as differences of scaled integers, most of them
 * take one or two bytes.
 *
 *     u8 format | varint n | times | column of values            (values as they came)
 *                                  | last | min | max | counts   (of thinned values)
 *
 * A time is the difference from the difference before, as a signed varint; the first two differences count from 0. A
 * column begins with its mode: 0 eight-byte floats, 1 four-byte floats, 2 as the column `last`, 16 + d signed varints,
 * each the difference from the integer before, of values times 10^d. Varints are those of LEB128, signed ones in zigzag;
 * floats are little-endian. Counts are varints.
 */

const RAW = 1;
const THINNED = 2;
const FLOAT64 = 0;
const FLOAT32 = 1;
const AS_LAST = 2;
const DECIMAL = 16;
const MOST_DECIMALS = 9;
/** Differences of two of them, doubled, are exact. */
const LARGEST = 2 ** 50;

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.length++] = rest;
  }

  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  float64(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  float32(value: number): void {
    this.#room(4);
    this.#view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  #room(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** A chunk that ends early, or is none. */
export class DamagedChunkError extends Error {}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new DamagedChunkError('the chunk ends early');
    return byte;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 56; scale *= 128) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
    throw new DamagedChunkError('a number of the chunk is too long');
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float(bytes: 4 | 8): number {
    if (this.left < bytes) throw new DamagedChunkError('the chunk ends early');
    const at = this.#at;
    this.#at += bytes;
    return bytes === 8 ? this.#view.getFloat64(at, true) : this.#view.getFloat32(at, true);
  }
}

/** Times are whole ms. */
export function encodeChunk({ t, min, max, last, count }: Points): Uint8Array {
  const out = new Writer();
  out.byte(count === undefined ? RAW : THINNED);
  out.varint(t.length);
  let before = 0;
  let step = 0;
  for (const time of t) {
    out.signed(time - before - step);
    step = time - before;
    before = time;
  }
  writeColumn(out, last);
  if (count === undefined) return out.done();
  for (const column of [min, max]) {
    if (column.every((value, index) => Object.is(value, last[index]))) out.byte(AS_LAST);
    else writeColumn(out, column);
  }
  for (const values of count) out.varint(values);
  return out.done();
}

/** @throws DamagedChunkError */
export function decodeChunk(bytes: Uint8Array): Points {
  const input = new Reader(bytes);
  const format = input.byte();
  if (format !== RAW && format !== THINNED) throw new DamagedChunkError(`format ${format} is unknown`);
  const n = input.varint();
  // Each of them takes a byte at least: what is damaged allocates nothing.
  if (n > input.left) throw new DamagedChunkError(`${n} points do not fit into the chunk`);
  const t: number[] = [];
  let before = 0;
  let step = 0;
  for (let index = 0; index < n; index++) {
    step += input.signed();
    before += step;
    t.push(before);
  }
  const last = readColumn(input, n, undefined);
  if (format === RAW) return rawPoints(t, last);
  const min = readColumn(input, n, last);
  const max = readColumn(input, n, last);
  const count: number[] = [];
  for (let index = 0; index < n; index++) count.push(input.varint());
  return { t, min, max, last, count };
}

function writeColumn(out: Writer, column: readonly number[]): void {
  const decimals = decimalsOf(column);
  if (decimals === undefined) {
    const short = column.every((value) => Object.is(Math.fround(value), value));
    out.byte(short ? FLOAT32 : FLOAT64);
    for (const value of column) short ? out.float32(value) : out.float64(value);
    return;
  }
  out.byte(DECIMAL + decimals);
  const scale = 10 ** decimals;
  let before = 0;
  for (const value of column) {
    const whole = Math.round(value * scale);
    out.signed(whole - before);
    before = whole;
  }
}

function readColumn(input: Reader, n: number, last: number[] | undefined): number[] {
  const mode = input.byte();
  if (mode === AS_LAST && last !== undefined) return last;
  const column: number[] = [];
  if (mode === FLOAT64 || mode === FLOAT32) {
    for (let index = 0; index < n; index++) column.push(input.float(mode === FLOAT64 ? 8 : 4));
    return column;
  }
  if (mode < DECIMAL || mode > DECIMAL + MOST_DECIMALS)
    throw new DamagedChunkError(`the mode ${mode} of a column is unknown`);
  const scale = 10 ** (mode - DECIMAL);
  let whole = 0;
  for (let index = 0; index < n; index++) {
    whole += input.signed();
    column.push(whole / scale);
  }
  return column;
}

/** With how many decimals every value is exact; undefined where floats are needed, or are shorter. */
function decimalsOf(column: readonly number[]): number | undefined {
  let decimals = 0;
  let largest = 0;
  for (const value of column) {
    if (!Number.isFinite(value) || Object.is(value, -0)) return undefined;
    while (!isExact(value, decimals)) {
      decimals++;
      if (decimals > MOST_DECIMALS) return undefined;
    }
    largest = Math.max(largest, Math.abs(value));
  }
  // A value that was exact with fewer decimals is so with more of them, unless it became too large.
  return column.every((value) => isExact(value, decimals)) && largest * 10 ** decimals < LARGEST
    ? decimals
    : undefined;
}

function isExact(value: number, decimals: number): boolean {
  const scale = 10 ** decimals;
  const whole = Math.round(value * scale);
  return Math.abs(whole) < LARGEST && whole / scale === value;
}
