import { readFileSync } from 'node:fs';

/** A GT06 frame around what stands between its length and its checksum. */
export function gt06(content: string): Uint8Array {
  const body = Buffer.from(content, 'hex');
  const counted = Buffer.concat([Buffer.from([body.length + 2]), body]);
  const crc = crcItu(counted);
  return Buffer.concat([
    Buffer.from('7878', 'hex'),
    counted,
    Buffer.from([crc >> 8, crc & 0xff, 0x0d, 0x0a]),
  ]);
}

/** CRC-ITU as the GT06 specification has it: bit by bit. */
function crcItu(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1;
  }
  return crc ^ 0xffff;
}

/** A JT/T 808 frame, without its opening flag: escaped, with the sum of all bytes by exclusive or. */
export function jt808(content: string): Uint8Array {
  const body = Buffer.from(content, 'hex');
  const sum = body.reduce((a, b) => a ^ b, 0);
  const escaped = [...body, sum].flatMap((byte) =>
    byte === 0x7e ? [0x7d, 0x02] : byte === 0x7d ? [0x7d, 0x01] : [byte],
  );
  return Uint8Array.from([...escaped, 0x7e]);
}

/** A file of declared messages beside the fixtures. */
export const messagesText = (name: string): string =>
  readFileSync(new URL(`../../fixtures/messages/${name}`, import.meta.url), 'utf8');
