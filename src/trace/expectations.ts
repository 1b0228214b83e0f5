import { toHex } from './bytes-text.ts';
import type { Expectation } from './event.ts';
import { formatExpectation } from './format-trace.ts';

/** Things that happened and were not asked about, kept of each kind and connection. */
const MOST_KEPT = 10_000;

/** Something that an expectation may be about, once it has happened. */
export type Outcome = Expectation;

/** Where an expectation stands. */
export interface Place {
  /** Absent where there is one trace alone. */
  readonly file?: string;
  readonly line: number;
}

/** An expectation that was not met. */
export interface Unmet extends Place {
  readonly connection: string;
  readonly expected: string;
  /** What came instead; absent where nothing came. */
  readonly got?: string;
}

interface Kept {
  readonly outcomes: Outcome[];
  readonly waiting: Array<{ readonly expectation: Expectation; readonly place: Place }>;
  forgotten: number;
}

/**
 * Compares the `?` lines of a trace with what happens, in order: each takes the next of its kind on its connection,
 * whether that has happened already or is still to come.
 */
export class Expectations {
  readonly #kept = new Map<string, Kept>();
  readonly #unmet: (unmet: Unmet) => void;

  constructor(unmet: (unmet: Unmet) => void) {
    this.#unmet = unmet;
  }

  expect(connection: string, expectation: Expectation, place: Place): void {
    const kept = this.#of(connection, expectation.kind);
    if (kept.forgotten > 0) {
      const got = `${kept.forgotten} of its kind without an expectation; they are not kept`;
      return this.#unmet({ ...place, connection, expected: formatExpectation(expectation), got });
    }
    const outcome = kept.outcomes.shift();
    if (outcome === undefined) kept.waiting.push({ expectation, place });
    else this.#compare(connection, expectation, place, outcome);
  }

  happened(connection: string, outcome: Outcome): void {
    const kept = this.#of(connection, outcome.kind);
    const next = kept.waiting.shift();
    if (next !== undefined) return this.#compare(connection, next.expectation, next.place, outcome);
    if (kept.forgotten > 0 || kept.outcomes.length >= MOST_KEPT) {
      kept.forgotten += kept.outcomes.length + 1;
      kept.outcomes.length = 0;
      return;
    }
    kept.outcomes.push(outcome);
  }

  /** Nothing more happens: what is still waited for has not come. */
  finish(): void {
    for (const [key, { waiting }] of this.#kept) {
      const connection = key.slice(0, key.lastIndexOf(' '));
      for (const { expectation, place } of waiting) {
        this.#unmet({ ...place, connection, expected: formatExpectation(expectation) });
      }
    }
    this.#kept.clear();
  }

  #of(connection: string, kind: Expectation['kind']): Kept {
    const key = `${connection} ${kind}`;
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = { outcomes: [], waiting: [], forgotten: 0 };
      this.#kept.set(key, kept);
    }
    return kept;
  }

  #compare(connection: string, expectation: Expectation, place: Place, outcome: Outcome): void {
    if (meets(expectation, outcome)) return;
    const [expected, got] = [formatExpectation(expectation), formatExpectation(outcome)];
    this.#unmet({ ...place, connection, expected, got });
  }
}

function meets(expectation: Expectation, outcome: Outcome): boolean {
  switch (expectation.kind) {
    case 'message':
      return (
        outcome.kind === 'message' &&
        outcome.message === expectation.message &&
        holds(outcome.fields, expectation.fields)
      );
    case 'discarded':
      return (
        outcome.kind === 'discarded' &&
        outcome.count === expectation.count &&
        outcome.reason === expectation.reason
      );
    case 'send':
      return outcome.kind === 'send' && toHex(outcome.bytes) === toHex(expectation.bytes);
  }
}

/** Whether a value holds all that another one says; lists must be equal. */
export function holds(value: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return Object.is(value, part);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(part) || Array.isArray(value)) {
    return (
      Array.isArray(part) &&
      Array.isArray(value) &&
      part.length === value.length &&
      part.every((each, index) => holds(value[index], each))
    );
  }
  const whole = new Map(Object.entries(value));
  return Object.entries(part).every(([key, each]) => whole.has(key) && holds(whole.get(key), each));
}
