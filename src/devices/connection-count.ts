import type { ListenerConfig } from '../config/model.ts';
import { AddressCount } from '../system/addresses.ts';

/** Who is connected to one listener: in all, and from each address, as those of subscribers are counted. */
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
