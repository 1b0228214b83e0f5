import type { JsonObject } from '../feed/wire/json.ts';
import type { ServerMessage } from '../feed/wire/server-messages.ts';
import { ClientError, ownError } from './client-error.ts';

export type Outcome =
  | { readonly ok: true; readonly reply: ServerMessage }
  | { readonly ok: false; readonly error: ClientError };

export interface Settled {
  readonly request: number;
  readonly outcome: Outcome;
}

/** Something asked of the bridge. Only a command may be asked again: under its id it is carried out once. */
export interface Asked {
  readonly type: string;
  readonly fields: JsonObject;
  readonly timeoutMs: number;
}

interface Pending extends Asked {
  readonly request: number;
  readonly id: string;
  /** `waiting`: never sent. `unsure`: sent over a connection that is gone. */
  state: 'waiting' | 'sent' | 'unsure';
  giveUpAtMs: number;
}

/** The bridge answers in time or says that nothing came; this is for the way there and back. */
const GRACE_MS = 10_000;
/** So long the bridge keeps the results of a session whose connection is gone. */
const RESULTS_KEPT_MS = 120_000;

/** What was asked and not answered yet. */
export class Requests {
  readonly #pending = new Map<string, Pending>();

  add(request: number, id: string, asked: Asked, nowMs: number): void {
    this.#pending.set(id, {
      ...asked,
      request,
      id,
      state: 'waiting',
      giveUpAtMs: nowMs + asked.timeoutMs,
    });
  }

  /** Whoever asked does not want to know any more. */
  abandon(request: number): void {
    for (const { id, request: each } of this.#pending.values())
      if (each === request) this.#pending.delete(id);
  }

  /** What is to be sent, now that the session goes on; ids only, because each is sent when its turn comes. */
  unsent(): string[] {
    return [...this.#pending.values()].filter(({ state }) => state !== 'sent').map(({ id }) => id);
  }

  /** The message of this id, which counts as sent; undefined where nobody wants it any more. */
  send(id: string, nowMs: number): JsonObject | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.state === 'sent') return undefined;
    pending.state = 'sent';
    pending.giveUpAtMs = nowMs + pending.timeoutMs + GRACE_MS;
    return { type: pending.type, id, ...pending.fields };
  }

  answered(replyTo: string, outcome: Outcome): Settled | undefined {
    const pending = this.#pending.get(replyTo);
    if (pending === undefined) return undefined;
    this.#pending.delete(replyTo);
    return { request: pending.request, outcome };
  }

  /** The connection is gone: commands may still get their result over the next one, nothing else does. */
  disconnected(nowMs: number): Settled[] {
    const settled: Settled[] = [];
    for (const pending of this.#pending.values()) {
      if (pending.state !== 'sent') continue;
      if (pending.type === 'command') {
        pending.state = 'unsure';
        pending.giveUpAtMs = nowMs + RESULTS_KEPT_MS;
      } else settled.push(this.#fail(pending, ownError('connection_lost')));
    }
    return settled;
  }

  /** The next connection has another session, in which these commands would be carried out a second time. */
  sessionLost(): Settled[] {
    return [...this.#pending.values()]
      .filter(({ state }) => state === 'unsure')
      .map((pending) => this.#fail(pending, ownError('command_outcome_unknown')));
  }

  closed(): Settled[] {
    return [...this.#pending.values()].map((pending) =>
      this.#fail(
        pending,
        ownError(
          pending.state === 'waiting' || pending.type !== 'command' ? 'closed' : 'command_outcome_unknown',
        ),
      ),
    );
  }

  get nextDeadline(): number {
    let next = Infinity;
    for (const { giveUpAtMs } of this.#pending.values()) next = Math.min(next, giveUpAtMs);
    return next;
  }

  expire(nowMs: number): Settled[] {
    return [...this.#pending.values()]
      .filter(({ giveUpAtMs }) => giveUpAtMs <= nowMs)
      .map((pending) => this.#fail(pending, expired(pending)));
  }

  #fail({ id, request }: Pending, error: ClientError): Settled {
    this.#pending.delete(id);
    return { request, outcome: { ok: false, error } };
  }
}

function expired({ state, type, timeoutMs }: Pending): ClientError {
  if (state === 'waiting') return ownError('not_connected', `It waited for ${timeoutMs} ms.`);
  if (type === 'command') return ownError('command_outcome_unknown');
  return new ClientError(
    'connection_lost',
    `The bridge did not answer within ${timeoutMs + GRACE_MS} ms.`,
    true,
  );
}
