import type { SequenceRule } from '../../protocol/index.ts';

/** The numbers of what is sent to one device. They go on over its links, so that a late reply meets no new request. */
export class SequenceNumbers {
  readonly #rule: SequenceRule;
  #next: number;

  constructor(rule: SequenceRule) {
    this.#rule = rule;
    this.#next = rule.first;
  }

  /** Takes the next number. */
  take(): number {
    const number = this.#next;
    this.#next = this.#rule.next(number);
    return number;
  }

  /** The first of the next `most` numbers for which `free` holds; else the next one. */
  peek(most: number, free: (number: number) => boolean): number {
    let number = this.#next;
    for (let left = most; left > 0; left--) {
      if (free(number)) return number;
      number = this.#rule.next(number);
    }
    return this.#next;
  }

  /** Takes that number, and leaves out those in front of it. */
  takeFrom(number: number): number {
    this.#next = this.#rule.next(number);
    return number;
  }
}
