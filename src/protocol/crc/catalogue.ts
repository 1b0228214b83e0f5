import { type Checksum, checksumOf, type WideChecksum, wideChecksumOf } from './checksum.ts';
import { makeCrc } from './crc.ts';
import { CRC_MODELS, WIDE_CRC_MODELS } from './models.ts';
import { type ChecksumAlgorithm, fromParameters } from './parameters.ts';
import { SUMS } from './sums.ts';
import { makeWideCrc } from './wide-crc.ts';

/** Other names by which data sheets know them. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['crc-8', 'crc-8/smbus'],
  ['crc-8/maxim', 'crc-8/maxim-dow'],
  ['dow-crc', 'crc-8/maxim-dow'],
  ['crc-8/itu', 'crc-8/i-432-1'],
  ['crc-15', 'crc-15/can'],
  ['arc', 'crc-16/arc'],
  ['crc-16', 'crc-16/arc'],
  ['crc-16/lha', 'crc-16/arc'],
  ['crc-16/umts-buypass', 'crc-16/umts'],
  ['crc-16/buypass', 'crc-16/umts'],
  ['crc-16/aug-ccitt', 'crc-16/spi-fujitsu'],
  ['crc-16/autosar', 'crc-16/ibm-3740'],
  ['crc-16/ccitt-false', 'crc-16/ibm-3740'],
  ['crc-ccitt', 'crc-16/kermit'],
  ['crc-16/ccitt', 'crc-16/kermit'],
  ['crc-16/ccitt-true', 'crc-16/kermit'],
  ['kermit', 'crc-16/kermit'],
  ['crc-16/x-25', 'crc-16/ibm-sdlc'],
  ['x-25', 'crc-16/ibm-sdlc'],
  ['crc-16/iso-hdlc', 'crc-16/ibm-sdlc'],
  ['crc-a', 'crc-16/iso-iec-14443-3-a'],
  ['crc-b', 'crc-16/ibm-sdlc'],
  ['modbus', 'crc-16/modbus'],
  ['crc-16/maxim', 'crc-16/maxim-dow'],
  ['xmodem', 'crc-16/xmodem'],
  ['zmodem', 'crc-16/xmodem'],
  ['crc-24', 'crc-24/openpgp'],
  ['crc-32', 'crc-32/iso-hdlc'],
  ['crc-32/adccp', 'crc-32/iso-hdlc'],
  ['pkzip', 'crc-32/iso-hdlc'],
  ['crc-32c', 'crc-32/iscsi'],
  ['crc-32/castagnoli', 'crc-32/iscsi'],
  ['crc-32d', 'crc-32/base91-d'],
  ['crc-32q', 'crc-32/aixm'],
  ['crc-32/posix', 'crc-32/cksum'],
  ['jamcrc', 'crc-32/jamcrc'],
  ['crc-64', 'crc-64/ecma-182'],
  ['sum8', 'sum-8'],
  ['sum16', 'sum-16'],
  ['xor8', 'xor-8'],
  ['lrc-8', 'sum-8-twos'],
  ['lrc', 'sum-8-twos'],
  ['bcc', 'xor-8'],
  ['rfc1071', 'inet-16'],
  ['ubx', 'fletcher-8-ubx'],
]);

const CHECK_TEXT = new TextEncoder().encode('123456789');

const MAKERS: ReadonlyMap<string, () => Checksum | WideChecksum> = new Map<
  string,
  () => Checksum | WideChecksum
>([
  ...CRC_MODELS.map((model) => [model[0], () => proven(makeCrc(model), model[6])] as const),
  ...WIDE_CRC_MODELS.map((model) => [model[0], () => provenWide(makeWideCrc(model), model[6])] as const),
  ...SUMS.map(([checksum, check]) => [checksum.name, () => proven(checksum, check)] as const),
]);

const made = new Map<string, Checksum | WideChecksum>();

/** Every name that `findChecksum` knows, without other names for the same. */
export const CHECKSUM_NAMES: readonly string[] = [...MAKERS.keys()];

/** Other names and what they stand for. */
export const CHECKSUM_ALIASES: ReadonlyMap<string, string> = ALIASES;

/**
 * The checksum of this name (reveng's, or another that is usual; upper or lower case), its value of "123456789"
 * verified; or that of these parameters. Undefined where there is none.
 */
export function findChecksum(algorithm: ChecksumAlgorithm): Checksum | WideChecksum | undefined {
  return typeof algorithm === 'string' ? named(algorithm) : fromParameters(algorithm, named);
}

function named(name: string): Checksum | WideChecksum | undefined {
  const lower = name.toLowerCase();
  const known = ALIASES.get(lower) ?? lower;
  const present = made.get(known) ?? MAKERS.get(known)?.();
  if (present !== undefined) made.set(known, present);
  return present;
}

function proven(checksum: Checksum, check: number): Checksum {
  const value = checksumOf(checksum, CHECK_TEXT);
  if (value !== check) throw new Error(`${checksum.name} of "123456789" is ${value}, not ${check}`);
  return checksum;
}

function provenWide(checksum: WideChecksum, check: bigint): WideChecksum {
  const value = wideChecksumOf(checksum, CHECK_TEXT);
  if (value !== check) throw new Error(`${checksum.name} of "123456789" is ${value}, not ${check}`);
  return checksum;
}
