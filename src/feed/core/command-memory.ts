import type { CommandOutcome, FeedCommand } from '../../contract/command.ts';
import { fingerprint } from './fingerprint.ts';
import { roughSize } from './rough-size.ts';
import { type UnackedOutcome, UnackedOutcomes } from './unacked-outcomes.ts';

/** Results that are remembered, the youngest ones. */
const MAX_RESULTS = 256;
/** Bytes of them, roughly; beyond, the oldest go, and the last one stays however large it is. */
const MAX_RESULT_BYTES = 256 * 1024;
/** Commands that may be under way, or whose outcome may wait for an acknowledgement. */
export const MAX_OPEN_COMMANDS = 32;

interface Asked {
  /** What the command was; a session may outlive very many large ones. */
  readonly key: string;
  /** Absent while it is carried out. */
  outcome?: CommandOutcome;
  bytes: number;
}

/** The commands of one session: which are under way, and what became of the last ones. */
export class CommandMemory {
  readonly #asked = new Map<string, Asked>();
  #inFlight = 0;
  #bytes = 0;
  readonly #unacked: UnackedOutcomes;

  /** `tag` makes the ids of its outcomes unlike those of every other session. */
  constructor(tag: string) {
    this.#unacked = new UnackedOutcomes(tag);
  }

  /**
   * Whether a command is to be carried out: `new`, and then it counts as under way until `settle`; under its id one is
   * carried out already: `pending`; the result of that one; `other`: the id was used for another command; or
   * `too_many` are under way.
   */
  ask(
    id: string | undefined,
    command: FeedCommand,
  ): 'new' | 'pending' | 'other' | 'too_many' | CommandOutcome {
    const key = fingerprint(JSON.stringify([command.device, command.message, command.fields]));
    const asked = id === undefined ? undefined : this.#asked.get(id);
    if (asked !== undefined) return asked.key === key ? (asked.outcome ?? 'pending') : 'other';
    if (this.#inFlight + this.#unacked.size >= MAX_OPEN_COMMANDS) return 'too_many';
    this.#inFlight++;
    if (id !== undefined) {
      this.#asked.set(id, { key, bytes: 0 });
      this.#forgetOldest(undefined);
    }
    return 'new';
  }

  /** A command that was `new` has come to its end. */
  settle(id: string | undefined, outcome: CommandOutcome): void {
    this.#inFlight--;
    const asked = id === undefined ? undefined : this.#asked.get(id);
    if (asked === undefined) return;
    asked.outcome = outcome;
    asked.bytes = outcome.ok ? roughSize(outcome.result) : roughSize(outcome.message);
    this.#bytes += asked.bytes;
    this.#forgetOldest(id);
  }

  /** An outcome that is told now, and again until it is acknowledged; returns the id of the message that tells it. */
  awaitAck(id: string | undefined, outcome: CommandOutcome, monoMs: number): string {
    return this.#unacked.add(id, outcome, monoMs).id;
  }

  /** Outcomes that were told and not acknowledged yet. */
  get unacknowledged(): number {
    return this.#unacked.size;
  }

  acknowledge(id: string): void {
    this.#unacked.acknowledge(id);
  }

  /** Outcomes that are to be told again. */
  again(monoMs: number): readonly UnackedOutcome[] {
    return this.#unacked.again(monoMs);
  }

  /** The session goes on over another connection. */
  resumed(): void {
    this.#unacked.resumed();
  }

  #forgetOldest(kept: string | undefined): void {
    for (const [id, { outcome, bytes }] of this.#asked) {
      if (this.#asked.size <= MAX_RESULTS && this.#bytes <= MAX_RESULT_BYTES) return;
      if (outcome === undefined || id === kept) continue;
      this.#asked.delete(id);
      this.#bytes -= bytes;
    }
  }
}
