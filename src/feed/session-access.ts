import type { Instant } from '../instant.ts';
import type { ClientMessage } from './wire/client-message.ts';
import type { CloseReason } from './wire/close-code.ts';
import type { FeedErrorCode } from './wire/feed-error.ts';
import type { JsonObject } from './wire/json.ts';

/** Whether a token is needed, was shown, or is not asked for. */
export type AccessStatus = 'none' | 'required' | 'ok';

/** What became of a token that was shown. */
export type AuthOutcome =
  | { readonly ok: true; readonly result: JsonObject }
  | {
      readonly ok: false;
      readonly code: FeedErrorCode;
      readonly message: string;
      readonly retry: boolean;
      /** The connection ends with it. */
      readonly close?: CloseReason;
    };

/** What the connection of a session may do; decided by whoever knows the tokens. */
export interface SessionAccess<Line> {
  status(line: Line): AccessStatus;
  /** Why a message is not carried out, or undefined. */
  refused(
    line: Line,
    message: ClientMessage,
  ): { readonly code: FeedErrorCode; readonly message: string } | undefined;
  /** `done` is called exactly once, within this call or later, or never where the connection has ended. */
  authenticate(line: Line, token: string, done: (outcome: AuthOutcome, now: Instant) => void): void;
}
