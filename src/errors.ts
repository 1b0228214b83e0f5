import type { ErrorCode } from './error-codes.ts';

export { type CodeText, ERROR_CODES, type ErrorCode } from './error-codes.ts';

export interface ErrorDetails {
  /** The device concerned. */
  readonly device?: string;
  /** The offending value, as it was seen. */
  readonly seen?: string;
  /** What to do next: one sentence. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/** An error with a code for programs and a message that names what was seen and what to do for people. */
export class HeartwireError extends Error {
  readonly code: ErrorCode;
  readonly device: string | undefined;
  readonly seen: string | undefined;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HeartwireError';
    this.code = code;
    this.device = details.device;
    this.seen = details.seen;
    this.fix = details.fix;
  }
}
