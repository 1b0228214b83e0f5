import { parseBlock } from '../contract/index.ts';
import { Lru } from './lru.ts';
import { Rate } from './token-bucket.ts';

export function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}

/** An IP address as people write it: an IPv4 peer of a dual-stack socket is `::ffff:10.0.0.7` to the operating system. */
export function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
}

/** Addresses whose use is remembered; the one that was quiet for longest is forgotten first. */
const MOST_REMEMBERED = 10_000;
/** Bits of an IPv6 address that a provider assigns to one customer, who can choose the rest at will. */
const IPV6_SITE_BITS = 64;

/** The key under which an address is counted: itself, or its network of 64 bits where it is IPv6. */
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

/** So many of something per second for each address on average, and `burst` at once. */
export class AddressPace {
  #rate: Rate;
  /** By address, the instant from which on all of its burst is free again. */
  readonly #freeAtMs = new Lru<string, number>(MOST_REMEMBERED);

  constructor(perSecond: number, burst: number) {
    this.#rate = new Rate(perSecond, burst);
  }

  /** Applies other bounds from now on; what was taken under different ones is forgotten. */
  follow(perSecond: number, burst: number): void {
    const rate = new Rate(perSecond, burst);
    if (this.#rate.equals(rate)) return;
    this.#rate = rate;
    this.#freeAtMs.clear();
  }

  /** Takes one where that is within bounds. */
  take(address: string, monoMs: number): boolean {
    const key = addressKey(address);
    const before = this.#freeAtMs.get(key) ?? -Infinity;
    const after = this.#rate.take(before, monoMs);
    this.#freeAtMs.set(key, after ?? before);
    return after !== undefined;
  }

  /** Takes one, also beyond the bounds. */
  charge(address: string, monoMs: number): void {
    const key = addressKey(address);
    this.#freeAtMs.set(key, this.#rate.charge(this.#freeAtMs.get(key) ?? -Infinity, monoMs));
  }

  /** Takes so many, also beyond the bounds, but never by more than another burst. */
  chargeMany(address: string, monoMs: number, count: number): void {
    const key = addressKey(address);
    const before = this.#freeAtMs.get(key) ?? -Infinity;
    this.#freeAtMs.set(key, this.#rate.chargeMany(before, monoMs, count));
  }

  /** How long it takes until one more is within bounds; 0 where it is now. */
  waitMs(address: string, monoMs: number): number {
    return this.#rate.waitMs(this.#freeAtMs.get(addressKey(address)) ?? -Infinity, monoMs);
  }
}
