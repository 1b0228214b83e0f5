import { parseBlock } from '../contract/address-match.ts';
import { Rate } from './rate-limits.ts';

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
  #rate: Rate;
  /** By address, the instant from which on all of its burst is free again. */
  readonly #freeAtMs = new Map<string, number>();

  constructor(perSecond: number, burst: number) {
    this.#rate = new Rate(perSecond, burst);
  }

  /** Other bounds hold from now on; what was taken under the former ones is forgotten where they differ. */
  follow(perSecond: number, burst: number): void {
    const rate = new Rate(perSecond, burst);
    if (this.#rate.equals(rate)) return;
    this.#rate = rate;
    this.#freeAtMs.clear();
  }

  /** Whether one more is within bounds. */
  take(address: string, monoMs: number): boolean {
    const key = addressKey(address);
    const before = this.#freeAtMs.get(key) ?? -Infinity;
    const after = this.#rate.take(before, monoMs);
    // Put last again: the map remembers the order, and the first is the one that was quiet for longest.
    this.#freeAtMs.delete(key);
    this.#freeAtMs.set(key, after ?? before);
    if (this.#freeAtMs.size > MOST_REMEMBERED) {
      const [quietest] = this.#freeAtMs.keys();
      if (quietest !== undefined) this.#freeAtMs.delete(quietest);
    }
    return after !== undefined;
  }
}
