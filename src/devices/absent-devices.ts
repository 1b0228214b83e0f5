import { addressKey } from '../system/index.ts';

/** Names by address, and which address has the most of them; each change costs the same however many there are. */
class NamesByAddress {
  readonly #addressOf = new Map<string, string>();
  /** In the order in which they were added. */
  readonly #names = new Map<string, Set<string>>();
  /** Addresses by how many names they have; those that have had so many for longer come first. */
  readonly #bySize: Set<string>[] = [];
  #largest = 0;

  add(name: string, host: string): void {
    this.delete(name);
    const address = addressKey(host);
    this.#addressOf.set(name, address);
    const names = this.#names.get(address) ?? new Set();
    this.#names.set(address, names);
    names.add(name);
    this.#moved(address, names.size - 1, names.size);
  }

  delete(name: string): void {
    const address = this.#addressOf.get(name);
    const names = address === undefined ? undefined : this.#names.get(address);
    if (address === undefined || names === undefined) return;
    this.#addressOf.delete(name);
    names.delete(name);
    if (names.size === 0) this.#names.delete(address);
    this.#moved(address, names.size + 1, names.size);
  }

  /** The oldest name of the address that has the most, where those are so many at least. */
  oldestOfLargest(least: number): string | undefined {
    if (this.#largest < least) return undefined;
    const [address = ''] = this.#bySize[this.#largest] ?? [];
    const [name] = this.#names.get(address) ?? [];
    return name;
  }

  #moved(address: string, from: number, to: number): void {
    this.#bySize[from]?.delete(address);
    if (to > 0) {
      this.#bySize[to] ??= new Set();
      this.#bySize[to].add(address);
    }
    this.#largest = Math.max(this.#largest, to);
    if (from === this.#largest && this.#bySize[from]?.size === 0) this.#largest = to;
  }
}

/** An address with so many settled devices that are gone gives the room of one to a new device. */
const MANY_SETTLED = 2;

/**
 * Unannounced devices that are gone, in the order in which they make room for new ones: first those that were there in
 * passing, then those that settled, of the address that has the most of them the one that has been gone longest. So
 * invented identities push each other out, also where each of them comes twice, and an address with one device keeps it.
 */
export class AbsentDevices {
  readonly #passing = new NamesByAddress();
  readonly #settled = new NamesByAddress();

  went(name: string, host: string, settled: boolean): void {
    this.came(name);
    (settled ? this.#settled : this.#passing).add(name, host);
  }

  /** It is there, or not known any more. */
  came(name: string): void {
    this.#passing.delete(name);
    this.#settled.delete(name);
  }

  /** The device that makes room for a new one. */
  first(): string | undefined {
    return this.#passing.oldestOfLargest(1) ?? this.#settled.oldestOfLargest(MANY_SETTLED);
  }
}
