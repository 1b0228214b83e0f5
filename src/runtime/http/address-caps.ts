import { parseBlock } from '../../device/address-match.ts';
import { TokenBucket } from '../../feed/rate-limits.ts';

/** Addresses whose pace is remembered; the ones that were quiet for longest are forgotten first. */
const MOST_REMEMBERED = 10_000;
/** Bits of an IPv6 address that one customer of a provider is given, and can vary the rest of at will. */
const IPV6_SITE_BITS = 64;

/** Under what an address is counted: itself, or its network of 64 bits where it is IPv6. */
export function addressKey(address: string): string {
  const [unscoped = ''] = address.split('%');
  const block = parseBlock(`${unscoped}/${IPV6_SITE_BITS}`);
  return block === undefined ? address : block.bytes.slice(0, IPV6_SITE_BITS / 8).join('.');
}

/** How many of something each address holds now. */
export class AddressCount {
  readonly #counts = new Map<string, number>();

  of(address: string): number {
    return this.#counts.get(addressKey(address)) ?? 0;
  }

  /** One more; returns how many there are with it. */
  add(address: string): number {
    const key = addressKey(address);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count;
  }

  remove(address: string): void {
    const key = addressKey(address);
    const count = (this.#counts.get(key) ?? 1) - 1;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}

/** So many connections per second from one address on average, and `burst` at once. */
export class AddressPace {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Whether one more is within bounds. */
  take(address: string, monoMs: number): boolean {
    const key = addressKey(address);
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#perSecond, this.#burst);
    // Put last again: the map remembers the order, and the first is the one that was quiet for longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MOST_REMEMBERED) {
      const [quietest] = this.#buckets.keys();
      if (quietest !== undefined) this.#buckets.delete(quietest);
    }
    return bucket.take(monoMs);
  }
}
