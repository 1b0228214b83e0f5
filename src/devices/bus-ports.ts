import type { Discarded, Expectation, InvalidPayload, Message } from '../protocol/index.ts';
import type { LineWish, TurnEnd } from './core/bus-scheduler.ts';
import type { SessionEvent } from './core/session-events.ts';
import type { WireOwner } from './wire.ts';

/** What the link of a bus brings, for the devices on it. */
export interface PortTap {
  expectation(): Expectation | undefined;
  /** Before the frames of the chunk. */
  bytes(chunk: Uint8Array): void;
  message(message: Message | InvalidPayload): void;
  discarded(report: Discarded): void;
}

/** The part of a bus that gives one device its turns. */
export interface BusTurns {
  /** When the device can send something; said after everything that may change it. */
  wanted(wish: LineWish): void;
  turnOver(how: TurnEnd): void;
}

/** What a bus tells a device on it. */
export type BusOrder = Extract<
  SessionEvent,
  { readonly type: 'portShared' | 'lineChanged' | 'turnGiven' | 'otherAnswered' | 'requestSeen' }
>;

/** A device as its bus speaks to it. */
export interface BusDevice extends WireOwner {
  tell(order: BusOrder): void;
}
