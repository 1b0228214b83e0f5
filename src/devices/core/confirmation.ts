import type { Value } from '../../contract/index.ts';
import { valueAt } from './state-value.ts';

/** What a later message must say for a command to count as observed. */
export interface Confirmation {
  /** The message whose values show it. */
  readonly message: string;
  /** From the message to the field. */
  readonly path: readonly string[];
  /** What the command asked for. */
  readonly value: Value;
  /** Numbers may differ by so much: the command and the state may round differently. */
  readonly tolerance: number;
}

/** Waits for the state to agree with what a command asked for. */
export class Observation {
  #open: readonly Confirmation[];

  constructor(confirmations: readonly Confirmation[]) {
    this.#open = confirmations;
  }

  /** All that was asked for has been seen. */
  get met(): boolean {
    return this.#open.length === 0;
  }

  /** A message came after the command was sent. */
  see(message: string, values: Value): void {
    this.#open = this.#open.filter(
      (each) => each.message !== message || !agrees(each, valueAt(values, each.path)),
    );
  }
}

function agrees({ value, tolerance }: Confirmation, seen: Value | undefined): boolean {
  if (typeof value === 'number' && typeof seen === 'number') {
    // 21.3 and 21.29 are a little more than 0.01 apart, as a computer has them.
    const inexact = 2 * Number.EPSILON * Math.max(Math.abs(value), Math.abs(seen));
    return Math.abs(value - seen) <= tolerance + inexact;
  }
  if (typeof value === 'object') return JSON.stringify(value) === JSON.stringify(seen);
  return value === seen;
}
