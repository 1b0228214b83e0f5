import type { ServerMessage } from '../contract/feed/server-messages.ts';
import type { ClientError } from './client-error.ts';
import type { ClientSession } from './client-session.ts';
import type { Outcome } from './requests.ts';
import type { ClientStatus } from './status.ts';
import type { ViewChange } from './view.ts';

/** What has happened, to the connection or because the program wants something: a call of one of its methods. */
export type SessionEvent = (session: ClientSession) => void;

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

/** Who carries out what a session orders. */
export interface Orders {
  /** In place of any that there is. */
  openSocket(): void;
  closeSocket(): void;
  send(text: string): void;
  getToken(renew: boolean): void;
  status(status: ClientStatus): void;
  /** A message, with what it changed; without one where the change is our own doing. */
  told(message: ServerMessage | undefined, changes: readonly ViewChange[], repeated?: boolean): void;
  settle(request: number, outcome: Outcome): void;
  /** A handle has all that it asked for; or, with an error, gets none of it. */
  handle(handle: number, error?: ClientError): void;
  error(error: ClientError): void;
  /** Nothing follows. */
  ended(error?: ClientError): void;
}

/** One order, for whoever carries it out. */
export type SessionEffect = (orders: Orders) => void;
