import type { CommandOutcome } from '../../contract/command.ts';
import type { Instant } from '../../instant.ts';
import type { AckKeeper, AckWindow } from './ack-window.ts';
import { CommandMemory } from './command-memory.ts';

/** Who is told what became of a command. */
export interface CommandListener {
  answerCommand(replyTo: string | undefined, outcome: CommandOutcome, now: Instant, ackId?: string): void;
}

/** What of a session outlives its connection: events that were not acknowledged, and what became of commands. */
export class SessionMemory implements AckKeeper {
  /** At least 128 random bits as text: whoever knows it may go on with this session. */
  readonly secret: string;
  clientId: string;
  /** Names who has it together with what he may; another one can't go on with it. */
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
   * A command that was `new` has come to its end; the listener is told, whichever connection that is by now. With `ack`
   * it is told again until it is acknowledged.
   */
  settle(id: string | undefined, outcome: CommandOutcome, now: Instant, ack: boolean): void {
    this.commands.settle(id, outcome);
    const ackId = ack ? this.commands.awaitAck(id, outcome, now.monoMs) : undefined;
    this.listener?.answerCommand(id, outcome, now, ackId);
  }

  /** What was told, events and outcomes, and not acknowledged yet. */
  get unacknowledged(): number {
    return (this.window?.size ?? 0) + (this.#commands?.unacknowledged ?? 0);
  }

  acknowledge(id: string): void {
    this.window?.acknowledge(id);
    this.#commands?.acknowledge(id);
  }

  /** Tells the listener again of outcomes that were not acknowledged in time. */
  remind(now: Instant): void {
    for (const { id, replyTo, outcome } of this.#commands?.again(now.monoMs) ?? []) {
      this.listener?.answerCommand(replyTo, outcome, now, id);
    }
  }

  /** The session goes on over another connection. */
  resumed(): void {
    this.#commands?.resumed();
  }
}
