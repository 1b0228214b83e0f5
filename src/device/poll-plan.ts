import type { PollSettings } from './settings.ts';

/** When what is to be asked; each poll keeps its cadence, and one that was late does not make the next ones crowd. */
export class PollPlan {
  readonly #polls: { readonly poll: PollSettings; dueAt: number }[];

  /** All are due at once, in their order; instants are monotonic ms. */
  constructor(polls: readonly PollSettings[], now: number) {
    this.#polls = polls.map((poll) => ({ poll, dueAt: now }));
  }

  nextDeadline(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#polls.map(({ dueAt }) => dueAt));
  }

  /** The poll that has waited longest, counted as asked now; undefined where none is due. */
  take(now: number): PollSettings | undefined {
    let first: { readonly poll: PollSettings; dueAt: number } | undefined;
    for (const each of this.#polls) {
      if (each.dueAt <= now && (first === undefined || each.dueAt < first.dueAt)) first = each;
    }
    if (first === undefined) return undefined;
    const missed = Math.floor((now - first.dueAt) / first.poll.everyMs);
    first.dueAt += (missed + 1) * first.poll.everyMs;
    return first.poll;
  }
}
