import type { ListenerConfig } from '../config/index.ts';
import { AddressCount } from '../system/index.ts';

/** Counts the connections of one listener: in all, and from each address or IPv6 site. */
export class ConnectionCount {
  #total = 0;
  readonly #perAddress = new AddressCount();

  get total(): number {
    return this.#total;
  }

  /** The bound that keeps one more of this host out, as it is written; undefined where there is room. */
  reached(
    host: string,
    {
      maxConnections,
      maxConnectionsPerAddress,
    }: Pick<ListenerConfig, 'maxConnections' | 'maxConnectionsPerAddress'>,
  ): string | undefined {
    if (this.#total >= maxConnections) return `max_connections: ${maxConnections}`;
    if (this.#perAddress.of(host) < maxConnectionsPerAddress) return undefined;
    return `max_connections_per_address: ${maxConnectionsPerAddress}`;
  }

  /** One more; returns what is to be called when it is gone, and counts once. */
  came(host: string): () => void {
    this.#total += 1;
    this.#perAddress.add(host);
    let here = true;
    return () => {
      if (!here) return;
      here = false;
      this.#total -= 1;
      this.#perAddress.remove(host);
    };
  }
}
