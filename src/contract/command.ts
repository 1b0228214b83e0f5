import type { ErrorCode } from '../errors.ts';
import type { FeedErrorCode } from './feed/index.ts';
import type { JsonObject } from './wire/index.ts';

/** What a subscriber asks of a device. */
export interface FeedCommand {
  readonly device: string;
  readonly message: string;
  readonly fields: JsonObject;
  readonly timeoutMs: number;
}

/** Who asks. */
export interface FeedClient {
  readonly id: string;
  readonly address: string;
}

/** What became of a command. */
export type CommandOutcome =
  | { readonly ok: true; readonly result: JsonObject }
  | {
      readonly ok: false;
      readonly code: ErrorCode | FeedErrorCode;
      readonly message: string;
      readonly retry: boolean;
    };
