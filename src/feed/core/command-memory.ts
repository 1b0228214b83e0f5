import type { CommandOutcome, FeedCommand } from '../../contract/index.ts';
import { CRC_64_XZ, makeWideCrc, wideChecksumOf } from '../../protocol/index.ts';
import { REDELIVER_MS, TRIES } from './ack-window.ts';
import { roughSize } from './change.ts';

const crc = makeWideCrc(CRC_64_XZ);
const utf8 = new TextEncoder();

/**
 * Tells texts apart in a few bytes, whatever their length. Two texts have the same one by chance only once in 10^19. A
 * client can make such texts on purpose, so use it only where that harms no other client.
 */
export function fingerprint(text: string): string {
  const bytes = utf8.encode(text);
  return `${bytes.length}.${wideChecksumOf(crc, bytes).toString(36)}`;
}

/** The outcome of a command on its way to a client that acknowledges it. */
export interface UnackedOutcome {
  /** The id of the message that carries it, the same each time. */
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
 * The outcomes that one session has not acknowledged yet; they outlive its connection. Each is sent a few times, and a
 * client that never acknowledges can still ask for it by the id of its command.
 */
class UnackedOutcomes {
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

  /** Adds an outcome that is sent now. */
  add(replyTo: string | undefined, outcome: CommandOutcome, monoMs: number): UnackedOutcome {
    const id = `c${++this.#last}.${this.#tag}`;
    const sent = { id, replyTo, outcome, sentAtMs: monoMs, tries: 1 };
    this.#sent.set(id, sent);
    return sent;
  }

  /** An unknown id is no error: an acknowledgement may be late, or come twice. */
  acknowledge(id: string): void {
    this.#sent.delete(id);
  }

  /** The outcomes to be sent again, counted as sent; those that were sent often enough are given up. */
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

  /** The session moves to another connection: the last outcomes over the old one may never have arrived. */
  resumed(): void {
    for (const sent of this.#sent.values()) sent.sentAtMs = -Infinity;
  }
}

/** Results that are remembered, the youngest ones. */
const MAX_RESULTS = 256;
/** Bytes of them, roughly; beyond, the oldest go, and the last one stays however large it is. */
const MAX_RESULT_BYTES = 256 * 1024;
/** Commands that may be under way, or whose outcome may wait for an acknowledgement. */
export const MAX_OPEN_COMMANDS = 32;

interface Asked {
  /** Fingerprint of the command; a session may outlive very many large ones. */
  readonly key: string;
  /** Absent while it is carried out. */
  outcome?: CommandOutcome;
  bytes: number;
}

/** The commands of one session: which are under way, and the outcomes of the last ones. */
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

  /** Commands are under way. */
  get busy(): boolean {
    return this.#inFlight > 0;
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

  /** Adds an outcome that is sent now, and again until it is acknowledged; returns the id of its message. */
  awaitAck(id: string | undefined, outcome: CommandOutcome, monoMs: number): string {
    return this.#unacked.add(id, outcome, monoMs).id;
  }

  /** Outcomes that were sent and not acknowledged yet. */
  get unacknowledged(): number {
    return this.#unacked.size;
  }

  acknowledge(id: string): void {
    this.#unacked.acknowledge(id);
  }

  /** Outcomes that are to be sent again. */
  again(monoMs: number): readonly UnackedOutcome[] {
    return this.#unacked.again(monoMs);
  }

  /** The session moves to another connection. */
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
