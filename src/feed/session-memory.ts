import type { Instant } from '../instant.ts';
import { AckWindow } from './ack-window.ts';
import type { CommandOutcome, FeedCommand } from './command.ts';
import { UnackedOutcomes } from './unacked-outcomes.ts';

/** Results of commands that are remembered, the youngest ones. */
const MAX_RESULTS = 256;

/** Who is told what became of a command. */
export interface CommandListener {
  answerCommand(replyTo: string | undefined, outcome: CommandOutcome, now: Instant, ackId?: string): void;
}

interface Asked {
  readonly key: string;
  /** Absent while it is carried out. */
  outcome?: CommandOutcome;
}

/** What of a session outlives its connection: events that were not acknowledged, and what became of commands. */
export class SessionMemory {
  /** At least 128 random bits as text: whoever knows it may go on with this session. */
  readonly secret: string;
  clientId: string;
  /** Names who has it together with what he may; another one can't go on with it. */
  owner = '';
  readonly window = new AckWindow();
  inFlight = 0;
  /** The connection that this session has now. */
  listener: CommandListener | undefined;
  /** Absent where nobody ever asked for acknowledgements. */
  #unacked: UnackedOutcomes | undefined;
  /** Absent where nothing was asked for yet. */
  #asked: Map<string, Asked> | undefined;

  constructor(secret: string, clientId: string) {
    this.secret = secret;
    this.clientId = clientId;
  }

  /**
   * Whether a command is to be carried out: `new`; under its id one is carried out already: `pending`; the result of
   * that one; or `other`: the id was used for another command.
   */
  ask(id: string | undefined, command: FeedCommand): 'new' | 'pending' | 'other' | CommandOutcome {
    if (id === undefined) return 'new';
    const key = JSON.stringify([command.device, command.message, command.fields]);
    this.#asked ??= new Map();
    const asked = this.#asked.get(id);
    if (asked !== undefined) return asked.key === key ? (asked.outcome ?? 'pending') : 'other';
    this.#asked.set(id, { key });
    for (const [old, { outcome }] of this.#asked) {
      if (this.#asked.size <= MAX_RESULTS) break;
      if (outcome !== undefined) this.#asked.delete(old);
    }
    return 'new';
  }

  /**
   * A command that was `new` has come to its end; the listener is told, whichever connection that is by now. With `ack`
   * it is told again until it is acknowledged.
   */
  settle(id: string | undefined, outcome: CommandOutcome, now: Instant, ack: boolean): void {
    const asked = id === undefined ? undefined : this.#asked?.get(id);
    if (asked !== undefined) asked.outcome = outcome;
    if (!ack) {
      this.listener?.answerCommand(id, outcome, now);
      return;
    }
    this.#unacked ??= new UnackedOutcomes();
    this.listener?.answerCommand(id, outcome, now, this.#unacked.add(id, outcome, now.monoMs).id);
  }

  /** What was told, events and outcomes, and not acknowledged yet. */
  get unacknowledged(): number {
    return this.window.size + (this.#unacked?.size ?? 0);
  }

  /** Commands that are under way, or whose outcome was not acknowledged yet. */
  get open(): number {
    return this.inFlight + (this.#unacked?.size ?? 0);
  }

  acknowledge(id: string): void {
    this.window.acknowledge(id);
    this.#unacked?.acknowledge(id);
  }

  /** Tells the listener again of outcomes that were not acknowledged in time. */
  remind(now: Instant): void {
    for (const { id, replyTo, outcome } of this.#unacked?.again(now.monoMs) ?? []) {
      this.listener?.answerCommand(replyTo, outcome, now, id);
    }
  }

  /** The session goes on over another connection. */
  resumed(): void {
    this.#unacked?.resumed();
  }
}
