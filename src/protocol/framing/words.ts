import { algorithmName } from '../crc/parameters.ts';
import { hexText } from '../describe.ts';
import type { ChecksumDeclaration } from './framing-keys.ts';

/** Bytes as hex with spaces. */
export function bytesInWords(bytes: Uint8Array): string {
  return hexText(bytes).replace(/(..)(?=.)/g, '$1 ');
}

/** A framing in words: its type, what is special, and the end of its frames. */
interface Described {
  readonly type: string;
  readonly checksum?: ChecksumDeclaration | undefined;
  readonly trailer?: Uint8Array | undefined;
}

export function inWords(declaration: Described, special: readonly string[]): string {
  const { trailer } = declaration;
  const parts = [
    ...special,
    ...(declaration.checksum === undefined ? [] : [checksumInWords(declaration.checksum)]),
    ...(trailer === undefined || trailer.length === 0 ? [] : [`trailer ${bytesInWords(trailer)}`]),
  ];
  return parts.length === 0 ? declaration.type : `${declaration.type}: ${parts.join(', ')}`;
}

function checksumInWords({ algorithm, order, encoding }: ChecksumDeclaration): string {
  const form = [
    ...(order === 'little' ? ['little-endian'] : []),
    ...(encoding === 'hex' ? ['in hex digits'] : []),
  ];
  return [algorithmName(algorithm), ...form].join(' ');
}
