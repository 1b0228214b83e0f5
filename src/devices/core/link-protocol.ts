import type { ErrorCode } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import type {
  BuiltinMessage,
  DeclaredMessage,
  Expectation,
  InvalidPayload,
  Message,
} from '../../protocol/index.ts';
import type { LineWish } from './bus-scheduler.ts';
import type { LinkClaim, SessionEvent } from './session-events.ts';

/** Why a link can't go on, and how it is to be closed. */
export interface Ending {
  readonly reason: string;
  readonly detail: string;
  readonly how: 'end' | 'destroy';
}

/** What a session is asked to send on a caller's behalf. */
export type CallersRequest = Extract<SessionEvent, { type: 'requestMade' }>;

/** How a peer that dialled in made itself known. */
export type Introduction = Pick<LinkClaim, 'register' | 'login'>;

/**
 * The protocol of one link, from its opening to its end: whether the peer is alive, requests, messages. It
 * sets the device axis while it lasts; its end is returned to the session, which owns the link.
 */
export interface LinkProtocol {
  /** The peer's IP address where it dialled in, else empty. */
  readonly host: string;
  /** The last valid frame, or the opening of the link until then; monotonic ms. */
  readonly lastValidAt: number;
  /** The device was online over this link. */
  readonly succeeded: boolean;
  /** We opened the link. */
  open(now: Instant): void;
  /** The peer dialled in and is already known, by its register or by its address. */
  openKnown(introduction: Introduction, now: Instant): void;
  /** What may come now, judged by what was sent. */
  expectation(now: Instant): Expectation;
  received(message: Message | InvalidPayload, now: Instant): Ending | undefined;
  chunkReceived(pending: number, now: Instant): void;
  requestMade(request: CallersRequest, now: Instant): void;
  /** The link took the frame of a request that nothing answers. */
  sendAccepted(message: Message, now: Instant): void;
  /** The link did not take the frame of a request. */
  sendRefused(message: Message, code: ErrorCode, now: Instant): Ending | undefined;
  /** On a bus: when something can be sent. */
  wish?(): LineWish;
  /** On a bus: one request may be sent; an effect `turnOver` follows. */
  turnGiven?(now: Instant): void;
  /** On a bus where another host asks: what it asked of this device. */
  requestSeen?(message: DeclaredMessage, now: Instant): void;
  /** On a bus: another device answered while a reply of this one was awaited. */
  otherAnswered?(detail: string): void;
  /** Asks an incumbent for a sign of life. */
  probe(now: Instant): void;
  /** The link is gone; what is in flight fails with this code. */
  abandon(code: ErrorCode, detail: string): void;
  nextDeadline(): number;
  /** A deadline has passed, `lateMs` ago. */
  watch(lateMs: number, now: Instant): Ending | undefined;
}

const FRAME_PROGRESS_MS = 30_000;

/** Watches that a frame that was begun grows. Instants are monotonic ms. */
export class FrameProgress {
  #dueAt = Number.POSITIVE_INFINITY;

  /** A chunk came, and so many bytes of an unfinished frame are held since. */
  chunkReceived(pending: number, now: number): void {
    this.#dueAt = pending > 0 ? now + FRAME_PROGRESS_MS : Number.POSITIVE_INFINITY;
  }

  nextDeadline(): number {
    return this.#dueAt;
  }

  ending(now: number): Ending | undefined {
    if (this.#dueAt > now) return undefined;
    const detail = 'a frame was begun and did not grow for 30 s';
    return { reason: 'frame_stalled', detail, how: 'destroy' };
  }
}

/** Formats an instant of the wall clock as local `YYYY-MM-DD HH:MM:SS`; handed in, because pure code knows no time zone. */
export type LocalTime = (wallMs: number) => string;

/** The reply to a request that both roles answer; undefined for everything else. A reply is never answered. */
export function answerTo(message: BuiltinMessage, now: Instant, localTime: LocalTime): Message | undefined {
  if (message.kind !== 'request') return undefined;
  switch (message.name) {
    case 'heartbeat':
      return { name: 'heartbeat', kind: 'reply', error: 0 };
    case 'datetime':
      return { name: 'datetime', kind: 'reply', error: 0, fields: { datetime: localTime(now.wallMs) } };
    case 'register':
      return undefined;
  }
}

/** The answer to a register request, error 0 or -1. */
export function registerReply(error: 0 | -1): Message {
  return { name: 'register', kind: 'reply', error };
}
