/** A TCP segment from or to the server at port 502, as a capture of raw IP holds it. */
export interface CapturedSegment {
  /** Microseconds since the epoch. */
  readonly atUs: number;
  readonly from: 'client' | 'server';
  readonly seq: number;
  readonly bytes?: Uint8Array;
  readonly flags?: 'syn' | 'fin';
}

export const CAPTURED_PORT = 502;
const CLIENT_PORT = 51_000;
const ACK = 16;
const FLAGS = { syn: 2, fin: 1 } as const;

/** A pcap file of raw IPv4 with one connection. */
export function pcapOf(segments: readonly CapturedSegment[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(101, 20);
  return Buffer.concat([head, ...segments.flatMap(packetOf)]);
}

function packetOf({ atUs, from, seq, bytes = new Uint8Array(0), flags }: CapturedSegment): Buffer[] {
  const ip = Buffer.alloc(40);
  ip[0] = 0x45;
  ip.writeUInt16BE(40 + bytes.length, 2);
  ip[8] = 64;
  ip[9] = 6;
  ip.set(from === 'client' ? [10, 0, 0, 1, 10, 0, 0, 2] : [10, 0, 0, 2, 10, 0, 0, 1], 12);
  ip.writeUInt16BE(from === 'client' ? CLIENT_PORT : CAPTURED_PORT, 20);
  ip.writeUInt16BE(from === 'client' ? CAPTURED_PORT : CLIENT_PORT, 22);
  ip.writeUInt32BE(seq >>> 0, 24);
  ip[32] = 0x50;
  ip[33] = (flags === undefined ? 0 : FLAGS[flags]) | (flags === 'syn' && from === 'client' ? 0 : ACK);
  const record = Buffer.alloc(16);
  record.writeUInt32LE(Math.floor(atUs / 1e6), 0);
  record.writeUInt32LE(atUs % 1e6, 4);
  record.writeUInt32LE(40 + bytes.length, 8);
  record.writeUInt32LE(40 + bytes.length, 12);
  return [record, ip, Buffer.from(bytes)];
}
