/** A CIDR block; `parseBlock` makes it. */
export interface AddressBlock {
  /** Four bytes or sixteen; an IPv6 block of IPv4-mapped addresses is the IPv4 block. */
  readonly bytes: readonly number[];
  /** Leading bits that must agree. */
  readonly prefix: number;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;
const MAPPED_BITS = 96;

/** Reads `10.0.0.0/24`, `2001:db8::/32` or a single address; `undefined` for anything else. Bits behind the prefix are ignored. */
export function parseBlock(text: string): AddressBlock | undefined {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || address.includes('%')) return undefined;
  const bytes = parseAddress(address);
  if (bytes === undefined) return undefined;
  const bits = bytes.length * 8;
  if (length === undefined) return normalised(bytes, bits);
  if (!PREFIX.test(length) || Number(length) > bits) return undefined;
  return normalised(bytes, Number(length));
}

/** Whether a peer's IP address lies in the block; text that is no IP address lies in none. */
export function addressInBlock(host: string, block: AddressBlock): boolean {
  // The scope of a link-local address says which interface, not which peer.
  const [unscoped = ''] = host.split('%');
  const parsed = parseAddress(unscoped);
  if (parsed === undefined) return false;
  const { bytes } = normalised(parsed, parsed.length * 8);
  return bytes.length === block.bytes.length && agree(bytes, block.bytes, block.prefix);
}

function agree(left: readonly number[], right: readonly number[], bits: number): boolean {
  return left.every((byte, index) => {
    const counted = Math.min(8, Math.max(0, bits - index * 8));
    const mask = 0xff & (0xff << (8 - counted));
    return ((byte ^ (right[index] ?? 0)) & mask) === 0;
  });
}

function normalised(bytes: readonly number[], prefix: number): AddressBlock {
  const mapped =
    bytes.length === 16 &&
    prefix >= MAPPED_BITS &&
    bytes.every((byte, index) => index >= 12 || byte === (index < 10 ? 0 : 0xff));
  return mapped ? { bytes: bytes.slice(12), prefix: prefix - MAPPED_BITS } : { bytes, prefix };
}

function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): readonly number[] | undefined {
  const octets = text.split('.');
  // A leading zero would be octal to some and decimal to others.
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255))
    return undefined;
  return octets.map(Number);
}

function parseIpv6(text: string): readonly number[] | undefined {
  const [head = '', tail, ...rest] = text.split('::');
  if (rest.length > 0) return undefined;
  const left = parseGroups(head, tail === undefined);
  const right = parseGroups(tail ?? '', true);
  if (left === undefined || right === undefined) return undefined;
  const missing = 16 - left.length - right.length;
  // `::` stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...left, ...new Array<number>(missing).fill(0), ...right];
}

/** The bytes of `a:b:c`; the last group may be an IPv4 address where the text ends there. */
function parseGroups(text: string, last: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (GROUP.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const embedded = last && index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (embedded === undefined) return undefined;
    bytes.push(...embedded);
  }
  return bytes;
}
