import type { CommandOutcome } from '../../contract/command.ts';
import { REDELIVER_MS, TRIES } from './ack-window.ts';

/** What became of a command, on its way to who wants to acknowledge it. */
export interface UnackedOutcome {
  /** The id of the message that tells it, the same each time. */
  readonly id: string;
  /** The id of the command. */
  readonly replyTo: string | undefined;
  readonly outcome: CommandOutcome;
}

interface Sent extends UnackedOutcome {
  sentAtMs: number;
  tries: number;
}

/**
 * Outcomes that one session has not acknowledged yet; they outlive its connection. Who never acknowledges is told each
 * a few times, and can still ask for it by the id of its command.
 */
export class UnackedOutcomes {
  readonly #sent = new Map<string, Sent>();
  readonly #tag: string;
  #last = 0;

  /** `tag` makes its ids unlike those of every other session. */
  constructor(tag: string) {
    this.#tag = tag;
  }

  get size(): number {
    return this.#sent.size;
  }

  /** An outcome that is told now. */
  add(replyTo: string | undefined, outcome: CommandOutcome, monoMs: number): UnackedOutcome {
    const id = `c${++this.#last}.${this.#tag}`;
    const sent = { id, replyTo, outcome, sentAtMs: monoMs, tries: 1 };
    this.#sent.set(id, sent);
    return sent;
  }

  /** An id that is not out is no error: an acknowledgement may be late, or come twice. */
  acknowledge(id: string): void {
    this.#sent.delete(id);
  }

  /** Those that are to be told again, counted as told; those that were told often enough are given up. */
  again(monoMs: number): readonly UnackedOutcome[] {
    const due: UnackedOutcome[] = [];
    for (const sent of [...this.#sent.values()]) {
      if (monoMs - sent.sentAtMs < REDELIVER_MS) continue;
      if (sent.tries >= TRIES) {
        this.#sent.delete(sent.id);
        continue;
      }
      sent.sentAtMs = monoMs;
      sent.tries++;
      due.push(sent);
    }
    return due;
  }

  /** The session goes on over another connection: what came last over the old one may never have arrived. */
  resumed(): void {
    for (const sent of this.#sent.values()) sent.sentAtMs = -Infinity;
  }
}
