import type { Checksum, WideChecksum } from './checksum.ts';
import { makeCrc } from './crc.ts';
import type { BitOrder } from './models.ts';
import { makeWideCrc } from './wide-crc.ts';

/** A number of up to 64 bits; beyond 2^53 as text, decimal or `0x...`. */
type Parameter = number | string;

/**
 * What a data sheet says of a checksum that has no name: a CRC by the parameters of the reveng catalogue, or a checksum
 * of a name that begins elsewhere (`init`) or whose result is turned (`xorout`).
 */
export interface ChecksumParameters {
  /** The checksum that is changed; absent: a CRC of `width` and `poly`. */
  readonly name?: string | undefined;
  readonly width?: number | undefined;
  readonly poly?: Parameter | undefined;
  readonly init?: Parameter | undefined;
  readonly refin?: boolean | undefined;
  readonly refout?: boolean | undefined;
  readonly xorout?: Parameter | undefined;
}

export type ChecksumAlgorithm = string | ChecksumParameters;

export const CHECKSUM_PARAMETERS: readonly (keyof ChecksumParameters)[] = [
  'name',
  'width',
  'poly',
  'init',
  'refin',
  'refout',
  'xorout',
];

/** As it is shown: its name, or its parameters. */
export function algorithmName(algorithm: ChecksumAlgorithm): string {
  if (typeof algorithm === 'string') return algorithm;
  const { name, width, poly, xorout } = algorithm;
  if (name !== undefined) return xorout === undefined ? name : `${name} xorout ${hex(xorout)}`;
  return `crc-${width ?? '?'} poly ${hex(poly ?? 0)}`;
}

/** Why these parameters are no checksum; undefined where they are one. */
export function wrongParameters(
  parameters: ChecksumParameters,
  find: (name: string) => Checksum | WideChecksum | undefined,
): { readonly key: keyof ChecksumParameters; readonly message: string; readonly fix: string } | undefined {
  const { name, width, poly, refin = false, refout = false } = parameters;
  const base = name === undefined ? undefined : find(name);
  if (name !== undefined) {
    if (base === undefined) {
      const fix = 'Use a name of the table of checksums, or `width` and `poly` of a CRC.';
      return { key: 'name', message: `there is no checksum ${JSON.stringify(name)}`, fix };
    }
    const extra = (['width', 'poly', 'refin', 'refout'] as const).find(
      (key) => parameters[key] !== undefined,
    );
    if (extra !== undefined) {
      return { key: extra, message: 'the named checksum has one already', fix: 'Remove it, or `name`.' };
    }
    if (base.wide) {
      return { key: 'name', message: 'it has more than 32 bits', fix: 'Write all parameters of the CRC.' };
    }
    if (parameters.init !== undefined && base.unfinish !== undefined) {
      return {
        key: 'init',
        message: 'the named CRC has one already',
        fix: 'Write all parameters of the CRC.',
      };
    }
  } else {
    const fix = 'Write for example { width: 16, poly: 0x1021, init: 0xffff }.';
    if (width === undefined || !Number.isInteger(width) || width < 3 || width > 64)
      return { key: 'width', message: 'a CRC has 3 to 64 bits', fix };
    if (poly === undefined) return { key: 'poly', message: 'a CRC has a polynomial', fix };
    if (refin && !refout) {
      const fix = 'Write `refout: true` as well, or neither of the two.';
      return { key: 'refout', message: 'no CRC takes bytes in reflected and gives the result plain', fix };
    }
  }
  const bits = base?.bits ?? width ?? 0;
  for (const key of ['poly', 'init', 'xorout'] as const) {
    const value = parameters[key];
    if (value === undefined || fits(value, bits)) continue;
    return {
      key,
      message: `${value} is no number of ${bits} bits`,
      fix: 'Write it as in the data sheet, without the top bit of the polynomial; beyond 2^53 in quotes.',
    };
  }
  return undefined;
}

/** The checksum of these parameters; undefined where they are none. */
export function fromParameters(
  parameters: ChecksumParameters,
  find: (name: string) => Checksum | WideChecksum | undefined,
): Checksum | WideChecksum | undefined {
  if (wrongParameters(parameters, find) !== undefined) return undefined;
  const { name, width = 0, poly = 0, init = 0, refin = false, refout = false, xorout = 0 } = parameters;
  if (name !== undefined) return changed(find(name), parameters);
  const order: BitOrder = refin ? 'reflected' : refout ? 'mixed' : 'plain';
  const shown = algorithmName(parameters);
  if (width > 32) return makeWideCrc([shown, width, BigInt(poly), BigInt(init), order, BigInt(xorout), 0n]);
  return makeCrc([shown, width, Number(poly), Number(init), order, Number(xorout), 0]);
}

function changed(
  base: Checksum | WideChecksum | undefined,
  parameters: ChecksumParameters,
): Checksum | undefined {
  if (base === undefined || base.wide) return undefined;
  const { init, xorout = 0 } = parameters;
  const turned = Number(xorout);
  const { unfinish } = base;
  return {
    ...base,
    name: algorithmName(parameters),
    ...(init === undefined ? {} : { initial: Number(init) }),
    finish: (register) => (base.finish(register) ^ turned) >>> 0,
    ...(unfinish === undefined ? {} : { unfinish: (value) => unfinish((value ^ turned) >>> 0) }),
  };
}

function fits(value: Parameter, bits: number): boolean {
  if (typeof value === 'string' && !/^(0x[0-9a-f]+|[0-9]+)$/i.test(value)) return false;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return false;
  const number = BigInt(value);
  return number >= 0n && number < 1n << BigInt(bits);
}

const hex = (value: Parameter): string => {
  try {
    return `0x${BigInt(value).toString(16)}`;
  } catch {
    return String(value);
  }
};
