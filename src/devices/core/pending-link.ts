import { type Identity, identityText } from '../../contract/index.ts';
import type { Instant } from '../../instant.ts';
import type {
  DeclaredMessage,
  DeclaredProtocol,
  DecoderFault,
  InvalidPayload,
  Message,
} from '../../protocol/index.ts';
import { answerTo, type LocalTime, registerReply } from './link-protocol.ts';
import { introducedBy, loginAnswer } from './login.ts';
import { ReadFirst } from './read-first.ts';
import { SequenceNumbers } from './sequence-numbers.ts';

/*
 *   pending --register, or matched by its address--> claimed --attached--> a link of that device
 *                                                    claimed --refused, or too much is held--> closed
 *   pending --bad frame, no valid frame for 10 s--> closed
 */

/** Largest payload of a pending link, in bytes. */
export const PENDING_MAX_FRAME = 256;

/** What may come while a claim is examined; a link that sends more is refused. */
const MOST_HELD_FRAMES = 256;
const MOST_HELD_BYTES = 64 * 1024;

/** A link without a valid frame for so long is closed, in ms. */
const SILENCE_LIMIT_MS = 10_000;

/** A message that waits for the device of its link. */
export type HeldMessage = Message | InvalidPayload;

export type PendingEvent =
  /** Before their frames. */
  | { readonly type: 'bytesReceived'; readonly count: number }
  | { readonly type: 'messageReceived'; readonly message: Message | InvalidPayload }
  /** A device was found, which may have to examine the claim. */
  | { readonly type: 'claimMade' }
  | { readonly type: 'streamFaulted'; readonly fault: DecoderFault }
  /** The identity is refused, or taken by a link that is alive. */
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'deadlineReached'; readonly afterReading: boolean };

export type PendingEffect =
  | { readonly type: 'send'; readonly message: Message }
  | {
      readonly type: 'closeLink';
      readonly how: 'end' | 'destroy';
      readonly reason: string;
      readonly detail: string;
    }
  | { readonly type: 'readOnce' }
  /** A frame came whose content is not as declared; worth a line in the log. */
  | { readonly type: 'rejected'; readonly detail: string }
  /** A valid frame of a known message came: the device may be found by the address. */
  | { readonly type: 'spoke' }
  /** The peer registered; it waits for its reply until the link is attached or `refused`. */
  | {
      readonly type: 'registered';
      readonly identity: Identity;
      /** Where it logged in by a declared message, that one. */
      readonly login?: DeclaredMessage;
    };

/**
 * A link that dialled in and has not registered, or whose claim is being examined. Requests are answered from the
 * start, because real devices beat and ask the time before they register; some never register. While a claim is
 * examined, everything else is held for the device, in its order.
 */
export class PendingLink {
  readonly since: Instant;
  readonly #localTime: LocalTime;
  #lastValidAt: number;
  /** Declared messages say who the peer is; absent: the built-in register does. */
  readonly #protocol: DeclaredProtocol | undefined;
  readonly #numbers: SequenceNumbers | undefined;
  #identity: Identity | undefined;
  #login: DeclaredMessage | undefined;
  readonly #readFirst = new ReadFirst();
  #held: HeldMessage[] | undefined;
  #bytesSinceClaim = 0;
  /** Valid frames of known messages. */
  frames = 0;
  /** When the last of them came, ms since the epoch. */
  lastFrameAt: number | undefined;
  /** What was wrong with the last frame that was not as declared. */
  lastProblem: string | undefined;

  constructor(localTime: LocalTime, now: Instant, protocol?: DeclaredProtocol) {
    this.#localTime = localTime;
    this.#protocol = protocol;
    this.#numbers = protocol?.sequence && new SequenceNumbers(protocol.sequence);
    this.since = now;
    this.#lastValidAt = now.monoMs;
  }

  /** What it claims to be while that is examined. */
  get claimedIdentity(): Identity | undefined {
    return this.#identity;
  }

  /** Messages since its claim that are not answered yet. */
  get held(): readonly HeldMessage[] {
    return this.#held ?? [];
  }

  nextDeadline(): number | undefined {
    const silentAt = this.#silentAt();
    return this.#readFirst.awaited || silentAt === Number.POSITIVE_INFINITY ? undefined : silentAt;
  }

  /** A peer that registered waits for our reply, and may be silent until it comes. */
  #silentAt(): number {
    return this.#identity === undefined ? this.#lastValidAt + SILENCE_LIMIT_MS : Number.POSITIVE_INFINITY;
  }

  handle(event: PendingEvent, now: Instant): PendingEffect[] {
    switch (event.type) {
      case 'bytesReceived':
        if (this.#held === undefined) return [];
        this.#bytesSinceClaim += event.count;
        return this.#bytesSinceClaim > MOST_HELD_BYTES ? this.#refused(TOO_MUCH) : [];
      case 'messageReceived':
        return this.#received(event.message, now);
      case 'claimMade':
        this.#held = [];
        return [];
      case 'streamFaulted': {
        const detail = `saw ${event.fault.seen}; expected ${event.fault.expected}`;
        return [{ type: 'closeLink', how: 'destroy', reason: 'bad_frame', detail }];
      }
      case 'refused':
        return this.#refused(event.reason);
      case 'deadlineReached':
        return this.#deadlineReached(event.afterReading, now);
    }
  }

  #received(message: Message | InvalidPayload, now: Instant): PendingEffect[] {
    const held = this.#held;
    if (this.#protocol !== undefined) {
      const identity = introducedBy(message, this.#protocol);
      if (identity !== undefined && message.name === 'declared') {
        const settled = this.#loggedIn(identity, message, now);
        if (settled !== undefined) return settled;
      }
    }
    if (held !== undefined && (this.#protocol !== undefined || !isAnswered(message))) {
      if (held.length === MOST_HELD_FRAMES) return this.#refused(TOO_MUCH);
      held.push(message);
      if (message.name !== 'invalid' && message.name !== 'unknown') this.#validFrame(now);
      return [];
    }
    if (message.name === 'invalid') {
      const { kind, field, offset, expected, seen } = message;
      const detail = `${message.message} ${kind}, ${field} at byte ${offset}: saw ${seen}, expected ${expected}`;
      this.lastProblem = detail;
      const rejected: PendingEffect = { type: 'rejected', detail };
      const wrong = message.message === 'register' && kind === 'request';
      return wrong ? [rejected, { type: 'send', message: registerReply(-1) }] : [rejected];
    }
    // Any bytes may read as an unknown id: they are no sign of a device.
    if (message.name === 'unknown' || message.name === 'echo') return [];
    this.#validFrame(now);
    if (message.name === 'declared') return [...this.#answered(message, now), { type: 'spoke' }];
    if (message.kind === 'reply') return [{ type: 'spoke' }];
    if (message.name === 'register') {
      // Said again while the first is examined: one reply will do.
      if (this.#identity !== undefined) return [];
      this.#identity = message.fields;
      return [{ type: 'registered', identity: message.fields }];
    }
    const answer = answerTo(message, now, this.#localTime);
    return answer === undefined
      ? [{ type: 'spoke' }]
      : [{ type: 'send', message: answer }, { type: 'spoke' }];
  }

  /** A declared login came; undefined where it is held like other messages. */
  #loggedIn(identity: Identity, login: DeclaredMessage, now: Instant): PendingEffect[] | undefined {
    this.#validFrame(now);
    const known = this.#identity;
    if (known === undefined) {
      this.#identity = identity;
      this.#login = login;
      return [{ type: 'registered', identity, login }];
    }
    if (identityText(known) === identityText(identity)) return this.#held === undefined ? [] : undefined;
    this.#login = login;
    return this.#refused(
      `it logged in as ${identityText(identity)} on the link of ${identityText(known)}`,
      'identity_changed',
    );
  }

  /** What belongs to the session is answered whosever link it is; what is acknowledged is not lost. */
  #answered(message: DeclaredMessage, now: Instant): PendingEffect[] {
    const answers = this.#protocol?.answers;
    if (answers?.isSessionMessage(message.message) !== true) return [];
    const answer = answers.to(message, this.#ports(now));
    return answer !== undefined && 'message' in answer ? [{ type: 'send', message: answer.message }] : [];
  }

  #ports({ wallMs }: Pick<Instant, 'wallMs'>) {
    const numbers = this.#numbers;
    return { number: () => numbers?.take() ?? 0, wallMs, localTime: this.#localTime };
  }

  #validFrame(now: Instant): void {
    this.frames += 1;
    this.lastFrameAt = now.wallMs;
    this.#lastValidAt = now.monoMs;
  }

  #refused(detail: string, reason = 'refused'): PendingEffect[] {
    const close: PendingEffect = { type: 'closeLink', how: 'end', reason, detail };
    const login = this.#login;
    if (login !== undefined && this.#protocol !== undefined) {
      const answer = loginAnswer(this.#protocol, login, false, this.#ports(this.since));
      return answer !== undefined && 'message' in answer
        ? [{ type: 'send', message: answer.message }, close]
        : [close];
    }
    return this.#identity === undefined ? [close] : [{ type: 'send', message: registerReply(-1) }, close];
  }

  #deadlineReached(afterReading: boolean, now: Instant): PendingEffect[] {
    this.#readFirst.over();
    const silentAt = this.#silentAt();
    if (now.monoMs < silentAt) return [];
    if (this.#readFirst.before(silentAt, afterReading, now.monoMs) !== undefined)
      return [{ type: 'readOnce' }];
    const detail = `no valid frame for ${SILENCE_LIMIT_MS / 1_000} s`;
    return [{ type: 'closeLink', how: 'destroy', reason: 'silent', detail }];
  }
}

const TOO_MUCH = `more than ${MOST_HELD_FRAMES} frames or ${MOST_HELD_BYTES} bytes came while its claim was examined`;

/** What is answered whosever link it is, an invalid register too. */
function isAnswered(message: HeldMessage): boolean {
  const name = message.name === 'invalid' ? message.message : message.name;
  return message.kind === 'request' && (name === 'register' || name === 'heartbeat' || name === 'datetime');
}
