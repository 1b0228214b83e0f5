/**
 * How true the view is.
 *
 *     connecting ──▶ connected ──▶ stale ──▶ recovering ──▶ connected
 *          └──────────────┴──────────┴───────────┴────────▶ closed
 *
 * - `connecting`: the view was never complete.
 * - `connected`: the view is the present.
 * - `stale`: the connection is lost, or silent; the view is the last that was known.
 * - `recovering`: the connection is back; what changed meanwhile is on its way.
 * - `closed`: for good; the view will not change any more.
 */
export type ConnectionState = 'connecting' | 'connected' | 'recovering' | 'stale' | 'closed';

export interface ClientStatus {
  readonly state: ConnectionState;
  /** When this state began, in ms since the Unix epoch. */
  readonly since: number;
  /** Why, as a word: one of the bridge's close reasons, or `unreachable`, `connection_lost`, `silent`, `no_welcome`. */
  readonly reason?: string | undefined;
  /** Why, as a sentence. */
  readonly detail?: string | undefined;
  /** The close code of the last connection, where it was closed. */
  readonly code?: number | undefined;
  /** Attempts since the view was last the present. */
  readonly attempt: number;
  /** When the next attempt is made, in ms since the Unix epoch; absent while one is under way. */
  readonly retryAt?: number | undefined;
}
