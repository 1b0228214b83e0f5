import type { JsonObject, ServerMessage } from '../contract/wire/index.ts';
import { type ClientError, type ClientErrorCode, ownError } from './client-error.ts';

/** The answer, or why there is none. */
export type Outcome = ServerMessage | ClientError;

/** Something asked of the bridge. Only a command may be asked again: under its id it is carried out once. */
export interface Asked {
  readonly type: string;
  readonly fields: JsonObject;
  readonly timeoutMs: number;
}

interface Pending extends Asked {
  readonly request: number;
  /** `waiting`: never sent. `unsure`: sent over a connection that is gone. */
  state: 'waiting' | 'sent' | 'unsure';
  giveUpAtMs: number;
}

/** The bridge answers in time or says that nothing came; this is for the way there and back. */
const GRACE_MS = 10_000;
/** So long the bridge keeps the results of a session whose connection is gone. */
const RESULTS_KEPT_MS = 120_000;

/** What was asked and not answered yet, by the id of the message. */
export class Requests {
  readonly #pending = new Map<string, Pending>();
  readonly #settle: (request: number, outcome: Outcome) => void;

  constructor(settle: (request: number, outcome: Outcome) => void) {
    this.#settle = settle;
  }

  add(request: number, id: string, asked: Asked, nowMs: number): void {
    this.#pending.set(id, { ...asked, request, state: 'waiting', giveUpAtMs: nowMs + asked.timeoutMs });
  }

  /** The caller does not wait for the answer any more. */
  abandon(request: number): void {
    for (const [id, pending] of this.#pending) if (pending.request === request) this.#pending.delete(id);
  }

  /** The ids of what is to be sent, now that the session goes on: everything, because nothing was sent in it yet. */
  unsent(): string[] {
    return [...this.#pending.keys()];
  }

  /** The message of this id, which counts as sent; undefined where it was abandoned. */
  send(id: string, nowMs: number): JsonObject | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    pending.state = 'sent';
    pending.giveUpAtMs = nowMs + pending.timeoutMs + GRACE_MS;
    return { type: pending.type, id, ...pending.fields };
  }

  /** Whether this was the answer to something asked here. */
  answered(replyTo: string, outcome: Outcome): boolean {
    const pending = this.#pending.get(replyTo);
    this.#pending.delete(replyTo);
    if (pending !== undefined) this.#settle(pending.request, outcome);
    return pending !== undefined;
  }

  /** The connection is gone: commands may still get their result over the next one, nothing else does. */
  disconnected(nowMs: number): void {
    this.#fail(({ state, type }) => state === 'sent' && type !== 'command');
    for (const pending of this.#pending.values()) {
      if (pending.state !== 'sent') continue;
      pending.state = 'unsure';
      pending.giveUpAtMs = nowMs + RESULTS_KEPT_MS;
    }
  }

  /** The next connection has another session, in which these commands would be carried out a second time. */
  sessionLost(): void {
    this.#fail(({ state }) => state === 'unsure');
  }

  closed(): void {
    this.#fail(() => true, 'closed');
  }

  get nextDeadline(): number {
    return Math.min(...[...this.#pending.values()].map(({ giveUpAtMs }) => giveUpAtMs));
  }

  expire(nowMs: number): void {
    this.#fail(({ giveUpAtMs }) => giveUpAtMs <= nowMs);
  }

  /** Each with the error that says what is known of it. */
  #fail(hit: (pending: Pending) => boolean, unsent: ClientErrorCode = 'not_connected'): void {
    for (const [id, pending] of this.#pending) {
      if (!hit(pending)) continue;
      const sent = pending.type === 'command' ? 'command_outcome_unknown' : 'connection_lost';
      this.answered(id, ownError(pending.state === 'waiting' ? unsent : sent));
    }
  }
}
