import { makeCrc } from '../protocol/crc/crc.ts';

const CRC_32 = makeCrc(['crc-32/iso-hdlc', 32, 0x04c11db7, 0xffffffff, 'reflected', 0xffffffff, 0xcbf43926]);

/** CRC-32 as in gzip and zip; of several pieces, hand in the sum of those before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return CRC_32.finish(CRC_32.update(CRC_32.unfinish(before), bytes, 0, bytes.length));
}
