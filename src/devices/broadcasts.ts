import type { Values } from '../contract/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { SendOutcome } from '../links/index.ts';
import type { DeclaredProtocol, MessageDeclaration } from '../protocol/index.ts';
import type { Clock } from '../system/index.ts';
import { MessageCatalog } from './core/message-catalog.ts';
import type { RequestOutcome } from './core/session-events.ts';
import { deviceCodec } from './wire-codec.ts';

/** A device on the bus, by what it speaks. */
export interface Addressed {
  readonly id: string;
  readonly maxFrame: number;
  readonly messages: DeclaredProtocol;
}

export interface BroadcastOptions {
  readonly bus: string;
  readonly passive: boolean;
  readonly clock: Clock;
  members(): Iterable<Addressed>;
  isOpen(): boolean;
  /** Since when one waits for the line, monotonic ms; infinite: none does. */
  wanted(at: number): void;
  send(frame: Uint8Array): SendOutcome;
}

interface Waiting {
  readonly frame: Uint8Array;
  readonly since: number;
  /** Monotonic ms; afterwards it is not sent any more. */
  readonly expiresAt: number;
  readonly settle: (outcome: RequestOutcome) => void;
}

/** So many wait for the line at once. */
const MOST_WAITING = 16;

const NEVER = Number.POSITIVE_INFINITY;

/** Commands to the address that all devices of a bus read and none answers: done once they are written. */
export class Broadcasts {
  readonly #options: BroadcastOptions;
  #waiting: Waiting[] = [];

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  /** What can be sent to all, by its messages. */
  get declarations(): readonly MessageDeclaration[] {
    const found = new Map<string, MessageDeclaration>();
    for (const { messages } of this.#protocols()) {
      for (const each of messages.declaration.messages) if (!found.has(each.name)) found.set(each.name, each);
    }
    return [...found.values()];
  }

  request(message: string, fields: Values, timeoutMs: number): Promise<RequestOutcome> {
    const { bus, passive, clock } = this.#options;
    const failed = (code: ErrorCode, detail: string): Promise<RequestOutcome> =>
      Promise.resolve({ ok: false, code, detail });
    if (passive)
      return failed('request_not_allowed', `another host asks on the bus ${bus}; nothing is sent there`);
    if (!this.#options.isOpen()) return failed('link_not_open', `the line of the bus ${bus} is not open`);
    const made = this.#frameOf(message, fields);
    if (!made.ok) return Promise.resolve(made);
    if (this.#waiting.length >= MOST_WAITING)
      return failed('request_busy', `${MOST_WAITING} commands to all wait for the line of ${bus} already`);
    const since = clock.now().monoMs;
    return new Promise((settle) => {
      this.#waiting.push({ frame: made.frame, since, expiresAt: since + timeoutMs, settle });
      this.#wish();
    });
  }

  /** The line is given for one frame; false where nothing waits for it. */
  turnGiven(): boolean {
    this.expire();
    const next = this.#waiting.shift();
    this.#wish();
    if (next === undefined) return false;
    const outcome = this.#options.send(next.frame);
    const roundTripMs = this.#options.clock.now().monoMs - next.since;
    next.settle(
      outcome === 'accepted'
        ? { ok: true, fields: {}, roundTripMs }
        : { ok: false, code: outcome, detail: 'the link did not take the frame' },
    );
    return true;
  }

  /** When `expire` is due, monotonic ms; infinite: not at all. */
  nextDeadline(): number {
    return this.#waiting.reduce((least, { expiresAt }) => Math.min(least, expiresAt), NEVER);
  }

  /** Ends what the line was not free for in its time. */
  expire(): void {
    const now = this.#options.clock.now().monoMs;
    if (this.nextDeadline() > now) return;
    const over = this.#waiting.filter(({ expiresAt }) => expiresAt <= now);
    this.#waiting = this.#waiting.filter(({ expiresAt }) => expiresAt > now);
    this.#wish();
    const detail = 'the line was not free in time; it was not sent';
    for (const { settle } of over) settle({ ok: false, code: 'request_expired', detail });
  }

  /** The line is gone: nothing of what waits is sent. */
  abandon(code: ErrorCode, detail: string): void {
    const waiting = this.#waiting.splice(0);
    if (waiting.length > 0) this.#wish();
    for (const { settle } of waiting) settle({ ok: false, code, detail });
  }

  #wish(): void {
    this.#options.wanted(this.#waiting[0]?.since ?? NEVER);
  }

  /** One device of each protocol that has such an address. */
  #protocols(): readonly Addressed[] {
    const found = new Map<DeclaredProtocol, Addressed>();
    for (const each of this.#options.members()) {
      const { ofAnyAddress } = each.messages;
      if (each.messages.declaration.address?.broadcast !== undefined && !found.has(ofAnyAddress))
        found.set(ofAnyAddress, each);
    }
    return [...found.values()];
  }

  #frameOf(
    name: string,
    fields: Values,
  ): { readonly ok: true; readonly frame: Uint8Array } | Extract<RequestOutcome, { ok: false }> {
    const { bus } = this.#options;
    const all = this.#protocols();
    if (all.length === 0) {
      const detail = `no device on the bus ${bus} has messages with \`broadcast\` in \`protocol.address\``;
      return { ok: false, code: 'request_not_allowed', detail };
    }
    const speaking = all.filter(({ messages }) => messages.message(name) !== undefined);
    const [first, other] = speaking.length === 0 ? all.slice(0, 1) : speaking;
    if (other !== undefined) {
      const detail = `${first?.id} and ${other.id} have different messages ${name}; give one of them another name, or send it to each device`;
      return { ok: false, code: 'request_not_allowed', detail };
    }
    if (first === undefined) throw new Error('unreachable: some protocol was found');
    const { messages, maxFrame } = first;
    const toAll = messages.ofAnyAddress.at(messages.declaration.address?.broadcast ?? 0);
    const prepared = new MessageCatalog(toAll).prepare(name, fields);
    if (!prepared.ok) return prepared;
    const codec = deviceCodec({
      identity: 'any',
      builtin: false,
      maxFrame,
      line: 'serial',
      messages: toAll,
    });
    const frame = codec.encode?.(prepared.request.message);
    return frame === undefined
      ? { ok: false, code: 'message_unknown', detail: `${name} has no frame` }
      : { ok: true, frame };
  }
}
