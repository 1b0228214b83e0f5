/** What happens to a connection besides its bytes. */
export const LIFE_WORDS = ['dial', 'open', 'close', 'error', 'idle'] as const;
export type LifeWord = (typeof LIFE_WORDS)[number];

/** What a line `?` wants the next of its kind on its connection to be. */
export type Expectation =
  /** A message of the peer: its name, and some of what it carries (`kind`, `error`, and its fields). */
  | {
      readonly kind: 'message';
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'discarded'; readonly count: number; readonly reason: string }
  /** One frame that we send. */
  | { readonly kind: 'send'; readonly bytes: Uint8Array };

/** What one line of a trace says. */
export type TraceFact =
  /** Bytes from the peer (`<`), as they were read. */
  | { readonly kind: 'in'; readonly bytes: Uint8Array }
  /** Bytes to the peer (`>`). */
  | { readonly kind: 'out'; readonly bytes: Uint8Array }
  /** `open` carries the peer's address, `close` and `error` a code and words. */
  | { readonly kind: 'life'; readonly word: LifeWord; readonly detail: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'expect'; readonly expectation: Expectation };

/** One line of a trace with its time, in microseconds since the start of the trace. */
export interface TraceEvent {
  readonly atUs: number;
  readonly connection: string;
  readonly fact: TraceFact;
  /** Where it stands in its file, from 1; 0 where it comes from none. */
  readonly line: number;
}

/** What a trace says of itself before its first event. */
export interface TraceHead {
  /** What the wall clock showed at 0.000000, in ms since the epoch. */
  readonly startMs: number;
  /** `#meta`: the device, its link, and its settings. */
  readonly meta: Readonly<Record<string, string>>;
}
