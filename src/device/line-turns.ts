import type { ErrorCode } from '../errors.ts';
import type { Instant } from '../instant.ts';
import type { Calls } from './calls.ts';
import type { OutgoingRequest, Prepared } from './message-catalog.ts';
import { PollPlan } from './poll-plan.ts';
import type { Requester } from './request-slots.ts';
import type { BareSettings, PollSettings } from './settings.ts';

/** A caller's request that waits until it is its turn. */
interface Waiting {
  readonly request: OutgoingRequest;
  readonly requester: Requester;
  /** Monotonic ms; afterwards it is not sent any more. */
  readonly expiresAt: number;
}

/*
 * A line on which only one side may speak at a time (RS-485, most devices that only answer):
 *
 *   quiet --a caller waits, or a poll is due--> asking --reply, time-out, nothing expected--> turn-around --> quiet
 *
 * Callers and polls take turns, so that neither starves the other.
 */

/** Whose turn it is on a line with one request at a time. */
export class LineTurns {
  readonly #calls: Calls;
  readonly #prepare: (poll: PollSettings) => Prepared;
  readonly #polls: PollPlan;
  readonly #turnaroundMs: number;
  readonly #pollTimeoutMs: number;
  #waiting: Waiting[] = [];
  /** The request that is out. */
  #asking: string | undefined;
  #quietAt: number;
  #pollsFirst = false;

  constructor(
    settings: BareSettings,
    pollTimeoutMs: number,
    calls: Calls,
    prepare: (poll: PollSettings) => Prepared,
    now: Instant,
  ) {
    this.#calls = calls;
    this.#prepare = prepare;
    this.#polls = new PollPlan(settings.polls, now.monoMs);
    this.#turnaroundMs = settings.turnaroundMs;
    this.#pollTimeoutMs = pollTimeoutMs;
    this.#quietAt = now.monoMs;
  }

  nextDeadline(): number {
    const expiry = Math.min(Number.POSITIVE_INFINITY, ...this.#waiting.map(({ expiresAt }) => expiresAt));
    if (this.#asking !== undefined) return expiry;
    const free = this.#waiting.map(({ request }) => this.#calls.freeAt(request.name));
    const wanted = Math.min(this.#polls.nextDeadline(), ...free);
    return Math.min(expiry, Math.max(wanted, this.#quietAt));
  }

  /** A caller's request takes its place; one of each name may wait. */
  join(waiting: Waiting, now: Instant): void {
    const { name } = waiting.request;
    if (this.#waiting.some(({ request }) => request.name === name)) {
      const detail = `a ${name} request waits for its turn on the line already`;
      this.#calls.settle(waiting.requester, { ok: false, code: 'request_busy', detail });
      return;
    }
    this.#waiting.push(waiting);
    this.act(now);
  }

  /** The exchange of this request is over, however it ended. */
  over(message: string, now: Instant): void {
    if (this.#asking !== message) return;
    this.#asking = undefined;
    this.heard(now);
    this.act(now);
  }

  /** The other side spoke: it gets the time to finish. */
  heard(now: Instant): void {
    this.#quietAt = now.monoMs + this.#turnaroundMs;
  }

  /** Asks what is next, where the line is quiet. */
  act(now: Instant): void {
    this.#expire(now);
    if (this.#asking !== undefined || now.monoMs < this.#quietAt) return;
    if (!this.#pollsFirst && this.#askForCaller(now)) return;
    if (this.#askPoll(now)) return;
    this.#askForCaller(now);
  }

  /** The link is gone. */
  abandon(code: ErrorCode, detail: string): void {
    for (const { requester } of this.#waiting) this.#calls.settle(requester, { ok: false, code, detail });
    this.#waiting = [];
  }

  #askForCaller(now: Instant): boolean {
    const index = this.#waiting.findIndex(
      ({ request }) => this.#calls.obstacle(request.name, now) === undefined,
    );
    const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (next === undefined) return false;
    this.#pollsFirst = true;
    this.#ask(next.request, next.requester, next.expiresAt, now);
    return true;
  }

  #askPoll(now: Instant): boolean {
    this.#pollsFirst = false;
    for (let poll = this.#polls.take(now.monoMs); poll !== undefined; poll = this.#polls.take(now.monoMs)) {
      const prepared = this.#prepare(poll);
      if (!prepared.ok || this.#calls.obstacle(prepared.request.name, now) !== undefined) continue;
      this.#ask(prepared.request, { by: 'session' }, now.monoMs + this.#pollTimeoutMs, now);
      return true;
    }
    return false;
  }

  #ask(request: OutgoingRequest, requester: Requester, timesOutAt: number, now: Instant): void {
    this.#asking = request.name;
    this.#calls.send(request, requester, timesOutAt, now);
  }

  #expire(now: Instant): void {
    this.#waiting = this.#waiting.filter(({ requester, expiresAt, request }) => {
      if (expiresAt > now.monoMs) return true;
      const detail = `the line was not free for ${request.name} in time; it was not sent`;
      this.#calls.settle(requester, { ok: false, code: 'request_expired', detail });
      return false;
    });
  }
}
