import type { ServerMessage } from '../feed/wire/server-messages.ts';
import type { ClientError } from './client-error.ts';
import type { Asked, Outcome } from './requests.ts';
import type { ClientStatus } from './status.ts';
import type { Wanted } from './subscriptions.ts';
import type { ViewChange } from './view.ts';

/** What has happened: to the connection, or because the program wants something. */
export type SessionEvent =
  | { readonly type: 'start' }
  /** Do not wait any longer before the next attempt. */
  | { readonly type: 'retry' }
  /** Something came over the connection; what it says follows, or not. */
  | { readonly type: 'heard' }
  | { readonly type: 'received'; readonly message: ServerMessage }
  | {
      readonly type: 'lost';
      readonly code: number;
      readonly reason: string;
      readonly detail?: string | undefined;
      /** The bridge said whether to come back; otherwise its close code does. */
      readonly final?: boolean;
      /** The bridge asked for at least this much patience. */
      readonly afterMs?: number;
    }
  | { readonly type: 'deadline' }
  | { readonly type: 'tokenCame'; readonly token: string }
  | { readonly type: 'subscribe'; readonly handle: number; readonly wanted: Wanted }
  | { readonly type: 'unsubscribe'; readonly handle: number }
  | { readonly type: 'ask'; readonly request: number; readonly asked: Asked }
  | { readonly type: 'abandon'; readonly request: number }
  /** The event with this id was dealt with. */
  | { readonly type: 'acknowledge'; readonly id: string }
  /** It was not: when it is sent again it is news. */
  | { readonly type: 'notTaken'; readonly message: EventMessage }
  /** For good; with an error where that was not wanted. */
  | { readonly type: 'close'; readonly error?: ClientError };

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
