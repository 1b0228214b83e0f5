import type { ServerMessage } from '../contract/wire/index.ts';
import type { ClientError } from './client-error.ts';
import type { Outcome } from './requests.ts';
import type { ViewChange } from './view.ts';

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

/** Why a connection is gone. */
export interface Lost {
  readonly code: number;
  readonly reason: string;
  readonly detail?: string | undefined;
  /** The bridge said whether to come back; otherwise its close code does. */
  readonly final?: boolean;
  /** The bridge asked for at least this much patience. */
  readonly afterMs?: number;
}

export type EventMessage = Extract<ServerMessage, { readonly type: 'event' | 'broadcast' }>;

/** Performs the effects of a session. */
export interface EffectHandler {
  /** In place of any that there is. */
  openSocket(): void;
  closeSocket(): void;
  send(text: string): void;
  getToken(renew: boolean): void;
  status(status: ClientStatus): void;
  /** A message, with what it changed; without one where the client itself made the change. */
  applied(message: ServerMessage | undefined, changes: readonly ViewChange[], repeated?: boolean): void;
  settle(request: number, outcome: Outcome): void;
  /** A handle has all that it asked for; or, with an error, gets none of it. */
  handle(handle: number, error?: ClientError): void;
  error(error: ClientError): void;
  /** Nothing follows. */
  ended(error?: ClientError): void;
}

/** One effect: a call of the handler that performs it. */
export type SessionEffect = (orders: EffectHandler) => void;
