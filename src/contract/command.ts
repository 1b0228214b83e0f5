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

/** What a subscriber asks to be added to the configuration. */
export interface FeedAddition {
  readonly section: 'devices' | 'listeners';
  /** The YAML of one entry. */
  readonly lines: string;
  /** The version that the shown change was made of; absent: the change is shown, and nothing written. */
  readonly base?: string;
}

/** The client that asks. */
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
