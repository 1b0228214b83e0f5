import type { ClientMessage } from '../../contract/feed/client-messages.ts';
import type { CloseReason } from '../../contract/feed/close-code.ts';
import type { FeedErrorCode } from '../../contract/feed/feed-error.ts';
import type { JsonObject } from '../../contract/feed/json.ts';
import type { Instant } from '../../instant.ts';

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
