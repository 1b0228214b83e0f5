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

/** What a connection may do; decided by whoever knows the tokens, asked by its session. */
export interface SessionAccess {
  readonly status: AccessStatus;
  /** Names who is connected together with what he may: sessions are resumed by the same only. */
  readonly owner: string;
  /** Why a message is not carried out, or undefined. */
  refused(message: ClientMessage): { readonly code: FeedErrorCode; readonly message: string } | undefined;
  /** `done` is called exactly once, within this call or later. */
  authenticate(token: string, done: (outcome: AuthOutcome, now: Instant) => void): void;
}
