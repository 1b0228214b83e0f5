/**
 * A check value of up to 32 bits over any number of ranges: begin with `initial`, `update` over each range, `finish`.
 * Allocates nothing.
 */
export interface Checksum {
  readonly wide: false;
  /** As the catalogue writes it, in lower case: `crc-16/modbus`. */
  readonly name: string;
  readonly bits: number;
  /** Bytes that hold it. */
  readonly bytes: number;
  readonly initial: number;
  update(register: number, bytes: Uint8Array, start: number, end: number): number;
  /** The unsigned value. */
  finish(register: number): number;
  /** The register of which `finish` makes this value; a CRC has it, whose register depends on the bytes linearly. */
  unfinish?(value: number): number;
}

/** A checksum of up to 32 bits whose register can be reckoned back. */
export type LinearChecksum = Checksum & Required<Pick<Checksum, 'unfinish'>>;

export function isLinear(checksum: Checksum | WideChecksum): checksum is LinearChecksum {
  return !checksum.wide && checksum.unfinish !== undefined;
}

/** The same for values of 33 to 64 bits. */
export interface WideChecksum {
  readonly wide: true;
  readonly name: string;
  readonly bits: number;
  readonly bytes: number;
  readonly initial: bigint;
  update(register: bigint, bytes: Uint8Array, start: number, end: number): bigint;
  finish(register: bigint): bigint;
}

/** The value over one range. */
export function checksumOf(checksum: Checksum, bytes: Uint8Array, start = 0, end = bytes.length): number {
  return checksum.finish(checksum.update(checksum.initial, bytes, start, end));
}

/** The value over one range. */
export function wideChecksumOf(
  checksum: WideChecksum,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): bigint {
  return checksum.finish(checksum.update(checksum.initial, bytes, start, end));
}
