import type { CommandOutcome } from '../../contract/index.ts';
import type { Instant } from '../../instant.ts';
import { Lru } from '../../system/index.ts';
import type { AckKeeper, AckWindow } from './ack-window.ts';
import { CommandMemory } from './command-memory.ts';

/** More are not kept; the oldest goes first. */
const MAX_PARKED = 10_000;

/** Sessions without a connection, kept for a while so that a client can resume them. */
export class ParkedSessions {
  readonly #keepMs: number;
  readonly #parked = new Lru<string, { readonly memory: SessionMemory; readonly untilMs: number }>(
    MAX_PARKED,
  );

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  park(memory: SessionMemory, monoMs: number): void {
    this.expire(monoMs);
    this.#parked.set(memory.secret, { memory, untilMs: monoMs + this.#keepMs });
  }

  /** Removes and returns the session of this secret, but only for its owner. */
  take(secret: string, owner: string, monoMs: number): SessionMemory | undefined {
    this.expire(monoMs);
    const memory = this.#parked.get(secret)?.memory;
    if (memory?.owner !== owner) return undefined;
    this.#parked.delete(secret);
    return memory;
  }

  /** All are kept for the same time, so the oldest ones are at the front. */
  expire(monoMs: number): void {
    for (const [secret, { untilMs }] of this.#parked) {
      if (untilMs > monoMs) return;
      this.#parked.delete(secret);
    }
  }
}

/** The receiver of command outcomes: the connection that a session has now. */
export interface CommandListener {
  answerCommand(replyTo: string | undefined, outcome: CommandOutcome, now: Instant, ackId?: string): void;
}

/** The part of a session that outlives its connection: unacknowledged events, and outcomes of commands. */
export class SessionMemory implements AckKeeper {
  /** At least 128 random bits as text: a client that knows it may resume this session. */
  readonly secret: string;
  clientId: string;
  /** Names the grant under which it was made; a connection with another one cannot resume it. */
  owner = '';
  window: AckWindow | undefined;
  /** The connection that this session has now. */
  listener: CommandListener | undefined;
  /** No secret: a part of ids, so that no other session, before or after, has the same. */
  readonly #tag: string;
  #commands: CommandMemory | undefined;

  constructor(secret: string, clientId: string, tag: string) {
    this.secret = secret;
    this.clientId = clientId;
    this.#tag = tag;
  }

  get commands(): CommandMemory {
    this.#commands ??= new CommandMemory(this.#tag);
    return this.#commands;
  }

  /**
   * A command that was `new` has come to its end; the listener gets the outcome, whichever connection that is by now.
   * With `ack` it is sent again until it is acknowledged.
   */
  settle(id: string | undefined, outcome: CommandOutcome, now: Instant, ack: boolean): void {
    this.commands.settle(id, outcome);
    const ackId = ack ? this.commands.awaitAck(id, outcome, now.monoMs) : undefined;
    this.listener?.answerCommand(id, outcome, now, ackId);
  }

  /** Events and outcomes that were sent and not acknowledged yet. */
  get unacknowledged(): number {
    return (this.window?.size ?? 0) + (this.#commands?.unacknowledged ?? 0);
  }

  acknowledge(id: string): void {
    this.window?.acknowledge(id);
    this.#commands?.acknowledge(id);
  }

  /** Sends outcomes again that were not acknowledged in time. */
  remind(now: Instant): void {
    for (const { id, replyTo, outcome } of this.#commands?.again(now.monoMs) ?? []) {
      this.listener?.answerCommand(replyTo, outcome, now, id);
    }
  }

  /** The session moves to another connection. */
  resumed(): void {
    this.#commands?.resumed();
  }
}
