import type { Values } from './declared/value.ts';

/** A reply that may come. */
export interface ExpectedReply {
  /** The message that it answers. */
  readonly message: string;
  /** Values that stand in it as they stood in the request; a reply in which one differs answers something else. */
  readonly same: Values;
}

/** What may come over a line, as far as it follows from what was sent. */
export interface Expectation {
  /** The messages whose reply is awaited, and not late. */
  readonly awaited: readonly string[];
  /** The likeliest first. */
  readonly replies: readonly ExpectedReply[];
  /** Payloads that went out and come back as they are over a line that echoes. */
  readonly sent: readonly Uint8Array[];
}

/** Whether a reply has the values that it shares with its request. */
export function agrees(same: Values, fields: Values): boolean {
  for (const name in same) if (fields[name] !== same[name]) return false;
  return true;
}

/** Whether a payload begins with what was sent. */
export function sameBytes(sent: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < sent.length; index++) if (bytes[start + index] !== sent[index]) return false;
  return true;
}

/** The same, but for one payload that came back. */
export const without = (expected: Expectation, echoed: Uint8Array): Expectation => ({
  ...expected,
  sent: expected.sent.filter((each) => each !== echoed),
});
