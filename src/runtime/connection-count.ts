import type { ListenerConfig } from '../config/model.ts';

/** Who is connected to one listener: in all, and from each host. */
export class ConnectionCount {
  #total = 0;
  readonly #perHost = new Map<string, number>();

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
    if ((this.#perHost.get(host) ?? 0) < maxConnectionsPerAddress) return undefined;
    return `max_connections_per_address: ${maxConnectionsPerAddress}`;
  }

  /** One more; returns what is to be called when it is gone, and counts once. */
  came(host: string): () => void {
    this.#total += 1;
    this.#perHost.set(host, (this.#perHost.get(host) ?? 0) + 1);
    let here = true;
    return () => {
      if (here) this.#left(host);
      here = false;
    };
  }

  #left(host: string): void {
    this.#total -= 1;
    const others = (this.#perHost.get(host) ?? 1) - 1;
    if (others > 0) this.#perHost.set(host, others);
    else this.#perHost.delete(host);
  }
}
