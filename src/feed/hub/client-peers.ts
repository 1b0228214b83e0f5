import type { ClientEntry } from '../../contract/feed/index.ts';
import type { Kicked, KickedClients } from '../core/session-context.ts';

/** The clients of other instances. Neither call rejects. */
export interface ClientPeers {
  /** The name of this instance, which stands in the entries of its own clients. */
  readonly instance: string;
  clients(): Promise<{
    readonly clients: readonly ClientEntry[];
    /** More of them than are listed. */
    readonly omitted: number;
    /** Instances that did not answer. */
    readonly unreached: readonly string[];
  }>;
  /** How many were closed. */
  kick(target: KickedClients): Promise<Kicked>;
}
