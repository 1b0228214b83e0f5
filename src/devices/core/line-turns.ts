import type { PollSettings } from '../../config/index.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import { type LineWish, NO_WISH, type TurnEnd } from './bus-scheduler.ts';
import type { Calls } from './calls.ts';
import type { OutgoingRequest, Prepared } from './message-catalog.ts';
import type { Requester } from './request-slots.ts';

/** A caller's request that waits until it is its turn. */
interface Waiting {
  readonly request: OutgoingRequest;
  readonly requester: Requester;
  /** Monotonic ms; afterwards it is not sent any more. */
  readonly expiresAt: number;
}

/** Sends a request; the values of its reply belong to `group`. */
export type SendRequest = (
  request: OutgoingRequest,
  requester: Requester,
  timesOutAt: number,
  now: Instant,
  group: string | undefined,
  /** Until when its effect may show, where that is longer; monotonic ms. */
  observedUntil?: number,
) => void;

/*
 * A line on which only one side may speak at a time (RS-485, most devices that only answer):
 *
 *   quiet --a caller waits, or a poll is due--> asking --reply, time-out, nothing expected--> turn-around --> quiet
 *
 * Callers and polls take turns, so that neither starves the other. Where several devices share the line, the bus says
 * when this one may ask, and how long the line is quiet.
 */

/** Whose turn it is on a line with one request at a time. */
export class LineTurns {
  readonly #calls: Calls;
  readonly #send: SendRequest;
  readonly #polls: PollPlan;
  readonly #turnaroundMs: number;
  readonly #pollTimeoutMs: number;
  /** How long an exchange may take that nothing answers, in ms. */
  readonly #exchange: { readonly timeoutMs: number; readonly lateMs: number };
  #waiting: Waiting[] = [];
  /** The requests that are out; as many as the protocol allows. */
  readonly #asking: string[] = [];
  #quietAt: number;
  #pollsFirst = false;
  /** Ends the turn that the bus gave; absent where the line belongs to one device. */
  readonly #endTurn: ((how: TurnEnd) => void) | undefined;
  #hasTurn = false;

  constructor(
    polls: PollPlan,
    {
      turnaroundMs,
      pollTimeoutMs,
      lateMs,
    }: { readonly turnaroundMs: number; readonly pollTimeoutMs: number; readonly lateMs: number },
    calls: Calls,
    send: SendRequest,
    now: Instant,
    endTurn?: (how: TurnEnd) => void,
  ) {
    this.#endTurn = endTurn;
    this.#calls = calls;
    this.#send = send;
    this.#polls = polls;
    this.#turnaroundMs = turnaroundMs;
    this.#pollTimeoutMs = pollTimeoutMs;
    this.#exchange = { timeoutMs: pollTimeoutMs, lateMs };
    this.#quietAt = now.monoMs;
  }

  nextDeadline(): number {
    const expiry = Math.min(Number.POSITIVE_INFINITY, ...this.#waiting.map(({ expiresAt }) => expiresAt));
    if (this.#isFull || this.#endTurn !== undefined) return expiry;
    const wish = this.wish();
    return Math.min(expiry, Math.max(Math.min(wish.pollAt, wish.commandAt), this.#quietAt));
  }

  /** When a poll, and a command, can be sent next; monotonic ms, infinite for never. */
  wish(): LineWish {
    if (this.#isFull) return NO_WISH;
    const freeAt = (request: OutgoingRequest): number => this.#calls.freeAt(request);
    const free = this.#waiting.map(({ request }) => freeAt(request));
    return {
      pollAt: this.#polls.nextDeadline(freeAt),
      commandAt: Math.min(Number.POSITIVE_INFINITY, ...free),
    };
  }

  /** The bus gives the line for one request. */
  turnGiven(now: Instant): void {
    this.#hasTurn = true;
    this.#pollsFirst = false;
    this.act(now);
    if (this.#asking.length === 0) this.#turnOver('unused');
  }

  #turnOver(how: TurnEnd): void {
    if (!this.#hasTurn) return;
    this.#hasTurn = false;
    this.#endTurn?.(how);
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
  over(message: string, now: Instant, how: TurnEnd = 'answered'): void {
    const index = this.#asking.indexOf(message);
    if (index < 0) return;
    this.#asking.splice(index, 1);
    this.#polls.over(message, how === 'silent', this.#exchange, now.monoMs);
    this.#turnOver(how);
    this.received(now);
    this.act(now);
  }

  /** What these messages say may have changed: they are asked next. */
  hasten(messages: readonly string[], now: Instant): void {
    this.#polls.hasten(messages, now.monoMs);
  }

  /** The other side spoke: it gets the time to finish. */
  received(now: Instant): void {
    this.#quietAt = now.monoMs + this.#turnaroundMs;
  }

  /** Asks what is next, where the line is quiet. */
  act(now: Instant): void {
    this.#expire(now);
    while (!this.#isFull && this.#mayAsk(now)) {
      if (!this.#pollsFirst && this.#askForCaller(now)) continue;
      if (this.#askPoll(now) || this.#askForCaller(now)) continue;
      return;
    }
  }

  #mayAsk(now: Instant): boolean {
    return this.#endTurn === undefined ? now.monoMs >= this.#quietAt : this.#hasTurn;
  }

  /** One at a time, unless the protocol tells several apart and the line belongs to one device. */
  get #isFull(): boolean {
    const { most } = this.#calls;
    const several = this.#endTurn === undefined && Number.isFinite(most);
    return this.#asking.length >= (several ? most : 1);
  }

  /** The link is gone. */
  abandon(code: ErrorCode, detail: string): void {
    for (const { requester } of this.#waiting) this.#calls.settle(requester, { ok: false, code, detail });
    this.#waiting = [];
    this.#hasTurn = false;
  }

  #askForCaller(now: Instant): boolean {
    const index = this.#waiting.findIndex(({ request }) => this.#calls.obstacle(request, now) === undefined);
    const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (next === undefined) return false;
    this.#pollsFirst = true;
    const { request, requester, expiresAt } = next;
    // On a bus, a device that does not answer a caller's request keeps the others waiting no longer than by a poll.
    const timesOutAt =
      this.#endTurn === undefined ? expiresAt : Math.min(expiresAt, now.monoMs + this.#pollTimeoutMs);
    this.#ask(request, requester, timesOutAt, now, this.#polls.groupOf(request), expiresAt);
    return true;
  }

  #askPoll(now: Instant): boolean {
    this.#pollsFirst = false;
    const isFree = (request: OutgoingRequest): boolean => this.#calls.obstacle(request, now) === undefined;
    const poll = this.#polls.take(now.monoMs, isFree);
    if (poll === undefined) return false;
    this.#ask(poll.request, { by: 'session' }, now.monoMs + this.#pollTimeoutMs, now, poll.group);
    return true;
  }

  #ask(...order: Parameters<SendRequest>): void {
    this.#asking.push(order[0].name);
    this.#send(...order);
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

const NEVER = Number.POSITIVE_INFINITY;

/** What is asked again and again. */
interface Poll {
  readonly request: OutgoingRequest;
  /** Where the values of the reply are in the state. */
  readonly group: string;
}

interface PlannedPoll extends Poll {
  readonly everyMs: number;
  /** By its cadence. */
  dueAt: number;
  /** Once more before that, because nothing answered; infinite where it was answered. */
  againAt: number;
  /** Times in a row that nothing answered. */
  misses: number;
}

/**
 * When what is to be asked; each poll keeps its cadence, and one that was late does not make the next ones crowd. One
 * that was not answered is asked again in between, each time after twice as long a pause.
 */
export class PollPlan {
  readonly #polls: readonly PlannedPoll[];
  /** The polls that are out, by the names of their messages. */
  readonly #out = new Map<string, PlannedPoll>();

  /** All are due at once, in their order; instants are monotonic ms. A poll that can't be prepared is never asked. */
  constructor(polls: readonly PollSettings[], prepare: (poll: PollSettings) => Prepared, now: number) {
    this.#polls = polls.flatMap((poll) => {
      const prepared = prepare(poll);
      if (!prepared.ok) return [];
      const { everyMs, as: group = poll.message } = poll;
      return [{ request: prepared.request, group, everyMs, dueAt: now, againAt: NEVER, misses: 0 }];
    });
  }

  /** These are due now, and keep their cadence from here. */
  hasten(messages: readonly string[], now: number): void {
    for (const each of this.#polls) {
      if (messages.includes(each.request.name)) each.dueAt = Math.min(each.dueAt, now);
    }
  }

  /** When the next one can be asked; `freeAt` says when there is no obstacle to a request. */
  nextDeadline(freeAt: (request: OutgoingRequest) => number): number {
    let next = NEVER;
    for (const each of this.#polls) next = Math.min(next, Math.max(nextAt(each), freeAt(each.request)));
    return next;
  }

  /**
   * The poll that has waited longest, counted as asked now; undefined where none is due. One that can't be asked yet
   * stays due.
   */
  take(now: number, isFree: (request: OutgoingRequest) => boolean): Poll | undefined {
    let first: PlannedPoll | undefined;
    for (const each of this.#polls) {
      if (nextAt(each) > now || (first !== undefined && nextAt(each) >= nextAt(first))) continue;
      if (isFree(each.request)) first = each;
    }
    if (first === undefined) return undefined;
    if (first.dueAt <= now) {
      const missed = Math.floor((now - first.dueAt) / first.everyMs);
      first.dueAt += (missed + 1) * first.everyMs;
    }
    first.againAt = NEVER;
    this.#out.set(first.request.name, first);
    return first;
  }

  /**
   * The poll of this message that was out is over. Where nothing answered, it is asked again, if that one is over before
   * its next time.
   */
  over(
    message: string,
    silent: boolean,
    { timeoutMs, lateMs }: { readonly timeoutMs: number; readonly lateMs: number },
    now: number,
  ): void {
    const poll = this.#out.get(message);
    if (poll === undefined) return;
    this.#out.delete(message);
    poll.misses = silent ? poll.misses + 1 : 0;
    if (!silent) return;
    const againAt = now + Math.max(lateMs, timeoutMs * 2 ** (poll.misses - 1));
    if (againAt + timeoutMs + lateMs <= poll.dueAt) poll.againAt = againAt;
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

const nextAt = ({ dueAt, againAt }: PlannedPoll): number => Math.min(dueAt, againAt);

function samePayload(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined || one.length !== other.length) return false;
  return one.every((byte, index) => byte === other[index]);
}
