import type { ErrorCode } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import type { Expectation } from '../../protocol/expectation.ts';
import type { InvalidPayload, Message, RegisterRequest } from '../../protocol/message.ts';
import type { SessionEvent } from './session-events.ts';

/** Why a conversation can't go on, and how its link is to be closed. */
export interface Ending {
  readonly reason: string;
  readonly detail: string;
  readonly how: 'end' | 'destroy';
}

/** What a session is asked to send on a caller's behalf. */
export type CallersRequest = Extract<SessionEvent, { type: 'requestMade' }>;

/**
 * What is said over one link, from its opening to its end: whether the peer lives, what it is asked, what it says. It
 * sets the device axis while it lasts; how it ends is told to the session, which owns the link.
 */
export interface LinkProtocol {
  /** The peer's IP address where it dialled in, else empty. */
  readonly host: string;
  /** The last valid frame, or the opening of the link until then; monotonic ms. */
  readonly heardAt: number;
  /** The device was online over this link. */
  readonly succeeded: boolean;
  /** We opened the link. */
  open(now: Instant): void;
  /** The peer dialled in and is already known, by its register or by its address. */
  openKnown(register: RegisterRequest['fields'] | undefined, now: Instant): void;
  /** What may come now, as far as what was sent tells. */
  expectation(now: Instant): Expectation;
  received(message: Message | InvalidPayload, now: Instant): Ending | undefined;
  chunkReceived(pending: number, now: Instant): void;
  requestMade(request: CallersRequest, now: Instant): void;
  /** The link took the frame of a request that nothing answers. */
  sendAccepted(message: Message, now: Instant): void;
  /** The link did not take the frame of a request. */
  sendRefused(message: Message, code: ErrorCode, now: Instant): Ending | undefined;
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
