import type { PollSettings } from '../../contract/settings.ts';
import type { OutgoingRequest, Prepared } from './message-catalog.ts';

/** What is asked again and again. */
export interface Poll {
  readonly request: OutgoingRequest;
  /** Where the values of the reply are in the state. */
  readonly group: string;
}

interface PlannedPoll extends Poll {
  readonly everyMs: number;
  dueAt: number;
}

/** When what is to be asked; each poll keeps its cadence, and one that was late does not make the next ones crowd. */
export class PollPlan {
  readonly #polls: readonly PlannedPoll[];

  /** All are due at once, in their order; instants are monotonic ms. A poll that can't be prepared is never asked. */
  constructor(polls: readonly PollSettings[], prepare: (poll: PollSettings) => Prepared, now: number) {
    this.#polls = polls.flatMap((poll) => {
      const prepared = prepare(poll);
      if (!prepared.ok) return [];
      const { everyMs, as: group = poll.message } = poll;
      return [{ request: prepared.request, group, everyMs, dueAt: now }];
    });
  }

  /** When the next one can be asked; `freeAt` says when there is no obstacle to a request. */
  nextDeadline(freeAt: (request: OutgoingRequest) => number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { request, dueAt } of this.#polls) next = Math.min(next, Math.max(dueAt, freeAt(request)));
    return next;
  }

  /**
   * The poll that has waited longest, counted as asked now; undefined where none is due. One that can't be asked yet
   * stays due.
   */
  take(now: number, isFree: (request: OutgoingRequest) => boolean): Poll | undefined {
    let first: PlannedPoll | undefined;
    for (const each of this.#polls) {
      if (each.dueAt > now || (first !== undefined && each.dueAt >= first.dueAt)) continue;
      if (isFree(each.request)) first = each;
    }
    if (first === undefined) return undefined;
    const missed = Math.floor((now - first.dueAt) / first.everyMs);
    first.dueAt += (missed + 1) * first.everyMs;
    return first;
  }

  /**
   * Where the values of a reply to any request belong: a message that is polled with other fields has no place for
   * them, for they would stand under the name of what those fields ask for.
   */
  groupOf(request: OutgoingRequest): string | undefined {
    const polls = this.#polls.filter((each) => each.request.name === request.name);
    if (polls.length === 0) return request.name;
    return polls.find((each) => samePayload(each.request.payload, request.payload))?.group;
  }
}

function samePayload(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined || one.length !== other.length) return false;
  return one.every((byte, index) => byte === other[index]);
}
