/** A TCP segment as a capture holds it. */
export interface TcpSegment {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly seq: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly payload: Uint8Array;
  /** Bytes of the payload that the capture cut off. */
  readonly missing: number;
}

const VLAN_TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
const IPV4 = 0x0800;
const IPV6 = 0x86dd;

/** Link types that are understood, by their numbers in captures. */
export const KNOWN_LINK_TYPES: ReadonlySet<number> = new Set([0, 1, 12, 14, 101, 108, 113, 228, 229, 276]);

/** The TCP segment in a packet; undefined where it holds none, or only a fragment of one. */
export function tcpSegment(linkType: number, bytes: Uint8Array): TcpSegment | undefined {
  const reader = new Reader(bytes);
  const found = network(linkType, reader);
  if (found === undefined) return undefined;
  return found.type === IPV4 ? ipv4(reader, found.at) : ipv6(reader, found.at);
}

interface Network {
  readonly type: typeof IPV4 | typeof IPV6;
  readonly at: number;
}

function network(linkType: number, reader: Reader): Network | undefined {
  switch (linkType) {
    case 0:
    case 108: // Loopback of the BSDs: an address family in the byte order of the capturing machine.
      return byVersion(reader, 4);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return byVersion(reader, 0);
    case 1:
      return byType(reader, 12);
    case 113:
      return byType(reader, 14);
    case 276: {
      const type = reader.u16(0);
      return type === undefined ? undefined : tagged(reader, type, 20);
    }
    default:
      return undefined;
  }
}

function byVersion(reader: Reader, at: number): Network | undefined {
  const version = (reader.u8(at) ?? 0) >> 4;
  if (version === 4) return { type: IPV4, at };
  return version === 6 ? { type: IPV6, at } : undefined;
}

function byType(reader: Reader, typeAt: number): Network | undefined {
  const type = reader.u16(typeAt);
  return type === undefined ? undefined : tagged(reader, type, typeAt + 2);
}

/** Steps over VLAN tags, which may be several. */
function tagged(reader: Reader, type: number, at: number): Network | undefined {
  let [inner, from] = [type, at];
  while (VLAN_TAGS.has(inner)) {
    const next = reader.u16(from + 2);
    if (next === undefined) return undefined;
    [inner, from] = [next, from + 4];
  }
  return inner === IPV4 || inner === IPV6 ? { type: inner, at: from } : undefined;
}

function ipv4(reader: Reader, at: number): TcpSegment | undefined {
  const head = ((reader.u8(at) ?? 0) & 0x0f) * 4;
  const [total, fragment] = [reader.u16(at + 2), reader.u16(at + 6)];
  if (total === undefined || fragment === undefined || head < 20) return undefined;
  if (reader.u8(at + 9) !== 6 || (fragment & 0x3fff) !== 0) return undefined;
  const address = (from: number) => Array.from({ length: 4 }, (_, i) => reader.u8(from + i) ?? 0).join('.');
  // Segmentation offload leaves 0 where the packet is longer than the field can say.
  const end = total === 0 ? reader.length : at + total;
  return tcp(reader, at + head, end, address(at + 12), address(at + 16));
}

function ipv6(reader: Reader, at: number): TcpSegment | undefined {
  const payload = reader.u16(at + 4);
  let next = reader.u8(at + 6);
  if (payload === undefined) return undefined;
  let from = at + 40;
  // Hop-by-hop, routing and destination options carry their length in units of 8 bytes.
  while (next === 0 || next === 43 || next === 60) {
    const length = reader.u8(from + 1);
    next = reader.u8(from);
    if (length === undefined) return undefined;
    from += (length + 1) * 8;
  }
  if (next !== 6) return undefined;
  const end = payload === 0 ? reader.length : at + 40 + payload;
  const address = (start: number) => {
    const groups = Array.from({ length: 8 }, (_, i) => (reader.u16(start + 2 * i) ?? 0).toString(16));
    return `[${groups.join(':')}]`;
  };
  return tcp(reader, from, end, address(at + 8), address(at + 24));
}

function tcp(reader: Reader, at: number, end: number, from: string, to: string): TcpSegment | undefined {
  const [fromPort, toPort, seq] = [reader.u16(at), reader.u16(at + 2), reader.u32(at + 4)];
  const [offset, flags] = [reader.u8(at + 12), reader.u8(at + 13)];
  if (fromPort === undefined || toPort === undefined || seq === undefined) return undefined;
  if (offset === undefined || flags === undefined) return undefined;
  const start = at + (offset >> 4) * 4;
  if (start < at + 20 || start > end) return undefined;
  const payload = reader.slice(start, end);
  const missing = end - start - payload.length;
  return {
    from,
    to,
    fromPort,
    toPort,
    seq,
    fin: (flags & 1) !== 0,
    syn: (flags & 2) !== 0,
    rst: (flags & 4) !== 0,
    ack: (flags & 16) !== 0,
    payload,
    missing,
  };
}

/** Network byte order; undefined behind the end. */
class Reader {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  u8(at: number): number | undefined {
    return this.#bytes[at];
  }

  u16(at: number): number | undefined {
    const [high, low] = [this.#bytes[at], this.#bytes[at + 1]];
    return high === undefined || low === undefined ? undefined : (high << 8) | low;
  }

  u32(at: number): number | undefined {
    const [high, low] = [this.u16(at), this.u16(at + 2)];
    return high === undefined || low === undefined ? undefined : high * 0x10000 + low;
  }

  slice(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(Math.min(start, this.length), Math.min(end, this.length));
  }
}
