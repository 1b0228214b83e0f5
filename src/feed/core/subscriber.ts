import type { PayloadOf, ServerMessageType } from '../../contract/feed/index.ts';
import type { Instant } from '../../instant.ts';
import { Ring } from '../../system/index.ts';
import type { AckKeeper } from './ack-window.ts';
import { Backlog, type BacklogContext, type Recovery } from './backlog.ts';
import { CHUNK_BYTES, concatFrames } from './encoder.ts';
import type { PastEvent } from './event-log.ts';
import type { Delivery, SubscriptionGroup } from './subscription-group.ts';
import type { Subscriptions } from './subscriptions.ts';
import { withoutRaw } from './variants.ts';

/** Above this many unsent bytes nothing more is written to a subscriber, until they are at most `LOW_WATER`. */
export const HIGH_WATER = 64 * 1024;
export const LOW_WATER = 16 * 1024;

/** The way out to one subscriber; everything for it goes through here. */
export interface Sink {
  /** Bytes accepted and not sent yet. */
  readonly unsent: number;
  /**
   * Returns what is unsent then. `shared` bytes are the same for many; a sink may find out later that not all of them
   * could leave: it calls `filled` then.
   */
  write(bytes: Uint8Array, shared?: boolean): number;
  /** Ends what is under way together with others, and calls `filled` where that did not leave: `unsent` holds then. */
  settle?(): void;
}

/** Frames that wait for one subscriber: its own ones and shared ones in their order; answers may go before them. */
class FrameQueue {
  readonly #ordered = new Ring<Uint8Array>();
  readonly #urgent = new Ring<Uint8Array>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Something waits that must not be overtaken by what comes later. */
  get hasOrdered(): boolean {
    return this.#ordered.length > 0;
  }

  push(frame: Uint8Array): void {
    this.#ordered.push(frame);
    this.#bytes += frame.length;
  }

  /** Behind other urgent ones, before all else. */
  pushUrgent(frame: Uint8Array): void {
    this.#urgent.push(frame);
    this.#bytes += frame.length;
  }

  take(): Uint8Array | undefined {
    const frame = this.#urgent.shift() ?? this.#ordered.shift();
    if (frame !== undefined) this.#bytes -= frame.length;
    return frame;
  }
}

/** What subscribers share. */
export interface SubscriberContext extends BacklogContext {
  /** The subscriber has something to write; `flush` is to be called in this turn of the loop. */
  wake(subscriber: Subscriber): void;
  /** The subscriber holds back documents whose time comes later. */
  pace(subscriber: Subscriber): void;
  /** The last position that the subscriber got is not the present one: call `sendPosition` in a second. */
  sendPositionLater(subscriber: Subscriber): void;
}

/** Bytes of one backlog behind which no more of it is written in one pass: other subscribers do not wait for all of it. */
const PENDING_PER_PASS = CHUNK_BYTES / 2;

/** The index of a subscriber that has left its group. */
const NOT_A_MEMBER = -1;

/**
 * One subscriber: what is still to be written to it, and in which order.
 *
 * In sync, it gets the shared bytes of its group. Behind (its sink is full, or a snapshot is under way), changes of
 * state become one mark per topic, and events wait in bounded queues; as the sink drains, the present documents are
 * written, and when no mark and no event is left, it is in sync again. Changes are never merged with each other.
 *
 *     group ──in sync──▶ shared pieces ──▶ sink
 *       └─────behind───▶ Backlog ──as it drains──▶ sink
 */
export class Subscriber {
  readonly #context: SubscriberContext;
  readonly #sink: Sink;
  /** Absent where nothing waits. */
  #waiting: FrameQueue | undefined;
  /** Absent until there is a session, or something to be acknowledged without one. */
  #keeper: AckKeeper | undefined;
  #backlog: Backlog | undefined;
  #full = false;
  /** The backlog is written in parts, and more parts follow. */
  #continues = false;
  #positionDue = false;
  /** It gets nothing but the shared bytes of its group. */
  #plain = false;
  #group: SubscriptionGroup<Subscriber>;
  #cursor: number;
  #nextId = 1;
  #subscriptions: Subscriptions;
  /** The `rev` after which it gets what its patterns cover: one for all patterns, or one for each. */
  sentFrom: number | ReadonlyMap<string, number> = 0;
  index = NOT_A_MEMBER;

  constructor(context: SubscriberContext, sink: Sink, group: SubscriptionGroup<Subscriber>) {
    this.#context = context;
    this.#sink = sink;
    this.#group = group;
    this.#subscriptions = group.subscriptions;
    this.#cursor = group.end;
    group.add(this);
  }

  /** Its patterns and their terms. */
  get subscriptions(): Subscriptions {
    return this.#subscriptions;
  }

  get group(): SubscriptionGroup<Subscriber> {
    return this.#group;
  }

  get sink(): Sink {
    return this.#sink;
  }

  /** The sink holds more than it should, or is about to get more: nothing is to be read from this subscriber. */
  get full(): boolean {
    return this.#full || this.#continues || this.#waitingBytes + this.#sink.unsent > HIGH_WATER;
  }

  /** Bytes that wait for this subscriber, roughly. */
  get held(): number {
    return this.#sink.unsent + this.#waitingBytes + (this.#backlog?.bytes ?? 0);
  }

  /** Attaches the window of its session: what was not acknowledged is sent again. */
  resume(keeper: AckKeeper): void {
    this.#keeper = keeper;
    keeper.window?.resumed();
    this.#backlog?.resume(keeper);
    if ((keeper.window?.size ?? 0) === 0) return;
    this.#openBacklog();
    this.#wake();
  }

  /** Queues a message for this subscriber alone, behind everything that came before it. */
  send<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    this.sendFrame(this.#context.encoder.message(type, this.#newId(), payload, now), now);
  }

  /**
   * `send` for a message that may overtake what waits. With `ackId` the client has to acknowledge it under that id.
   */
  answer<Type extends ServerMessageType>(
    type: Type,
    payload: PayloadOf<Type>,
    now: Instant,
    ackId?: string,
  ): void {
    const { encoder } = this.#context;
    const frame =
      ackId === undefined
        ? encoder.message(type, this.#newId(), payload, now)
        : encoder.message(type, ackId, payload, now, 'ack_required');
    this.settle(now);
    if (this.#inSync && !this.full) this.#queue(frame);
    else {
      this.#waiting ??= new FrameQueue();
      this.#waiting.pushUrgent(frame);
    }
    this.#wake();
  }

  /** The last message, written whatever waits: nothing comes after it. */
  sendLast<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    this.#sink.write(this.#context.encoder.message(type, this.#newId(), payload, now));
  }

  /** `send` for what is framed already. */
  sendFrame(frame: Uint8Array, now: Instant): void {
    this.settle(now);
    this.#queue(frame);
    this.#wake();
  }

  /** Moves to the group of other patterns; what the former group got before is still sent. */
  join(group: SubscriptionGroup<Subscriber>, subscriptions: Subscriptions, now: Instant): void {
    this.settle(now);
    this.#backlog?.releasePaced();
    this.#plain = false;
    this.#group.delete(this);
    this.#group = group;
    this.#subscriptions = subscriptions;
    this.#cursor = group.end;
    group.add(this);
  }

  leave(): void {
    this.#group.delete(this);
    this.index = NOT_A_MEMBER;
    this.#plain = false;
  }

  /** Enqueues the present document of every topic that matches; `synced` follows the last of them. */
  startSnapshot(patterns: readonly string[], replyTo: string | undefined): void {
    this.#openBacklog().snapshot(patterns, replyTo);
    this.#wake();
  }

  /** Enqueues documents, removals and events since a `rev` that the store can recover; `synced` follows the last of them. */
  startRecovery(recovery: Recovery, now: Instant): void {
    this.#openBacklog().recover(recovery, this, now);
    this.#wake();
  }

  /** Events of this topic are to be acknowledged. */
  acked(topic: string): boolean {
    return this.#subscriptions.acked(topic);
  }

  /** An event of the past as this subscriber gets it. */
  variant(event: PastEvent): PastEvent {
    return this.#subscriptions.raw(event.topic) ? event : withoutRaw(event);
  }

  /** Wakes it if unacknowledged events are to be sent again. */
  remind(now: Instant): void {
    if (this.#keeper?.window?.isDue(now.monoMs) !== true) return;
    this.#openBacklog();
    this.#wake();
  }

  /** Wakes it if held back documents are due; false where none is held back any more. */
  wakePaced(now: Instant): boolean {
    if (this.#backlog?.paceDue(now) === true) this.#wake();
    return this.#backlog?.holdsBack === true;
  }

  /** Enqueues a position, behind the rest of the backlog. */
  sendPosition(): void {
    this.#positionDue = true;
    this.#wake();
  }

  /** Enqueues the present documents of these topics, as `full` updates. */
  startResync(topics: readonly string[]): void {
    this.#openBacklog().resync(topics);
    this.#wake();
  }

  /** Removes what is pending of patterns that were given up; `wanted` says which topics the others still cover. */
  forget(patterns: readonly string[], wanted: (topic: string) => boolean): void {
    this.#keeper?.window?.retain(wanted);
    this.#backlog?.forget(patterns, wanted);
  }

  /** Takes over everything that its group has for it: as frames where it is in sync, else into the backlog. */
  settle(now: Instant): void {
    this.#advance(this.#group.end, now);
  }

  /** The sink holds more than `write` said: it is looked at again. */
  filled(): void {
    if (this.index === NOT_A_MEMBER) return;
    if (this.#sink.unsent > HIGH_WATER) this.#full = true;
    this.#wake();
  }

  /** Writes as much as the sink takes, and returns the bytes that wait for this subscriber then, roughly. */
  flush(now: Instant): number {
    // Nearly always this is all, and there may be very many.
    const unsent = this.#plain ? this.#writeShared(now) : undefined;
    if (unsent !== undefined) return unsent;
    if (this.index !== NOT_A_MEMBER) this.#catchUp(now);
    return this.held;
  }

  #catchUp(now: Instant): void {
    this.#continues = false;
    this.#sink.settle?.();
    if (this.#full && this.#sink.unsent <= LOW_WATER) this.#full = false;
    for (let written = 0; !this.#full; ) {
      const bytes = this.#next(now);
      if (bytes === undefined) {
        this.#becomePlain();
        return;
      }
      this.#full = this.#sink.write(bytes) > HIGH_WATER;
      if (this.#inSync) continue;
      written += bytes.length;
      if (written < PENDING_PER_PASS || this.#full) continue;
      this.#continues = true;
      this.#wake();
      break;
    }
    this.#advance(this.#group.sealedEnd, now);
  }

  get #inSync(): boolean {
    return this.#backlog?.inSync ?? true;
  }

  get #waitingBytes(): number {
    return this.#waiting?.bytes ?? 0;
  }

  #queue(frame: Uint8Array): void {
    this.#waiting ??= new FrameQueue();
    this.#waiting.push(frame);
  }

  #wake(): void {
    this.#plain = false;
    this.#context.wake(this);
  }

  #openBacklog(): Backlog {
    this.#plain = false;
    this.#keeper ??= { window: undefined };
    this.#backlog ??= new Backlog(
      this.#context,
      this.#keeper,
      () => this.#newId(),
      () => this.#context.sendPositionLater(this),
      () => this.#wake(),
    );
    return this.#backlog;
  }

  /** Writes what all members of its group share, and returns what is unsent then; undefined where that is not all. */
  #writeShared(now: Instant): number | undefined {
    const group = this.#group;
    const end = group.sealedEnd;
    if (this.#cursor >= end) return this.#sink.unsent;
    let unsent = 0;
    while (this.#cursor < end) {
      this.#sink.settle?.();
      if (this.#full) return undefined;
      const piece = group.piece(this.#cursor, now);
      if (piece === undefined) return undefined;
      this.#context.tally.deliveries += piece.end - this.#cursor;
      this.#cursor = piece.end;
      unsent = this.#sink.write(piece.bytes, true);
      if (unsent <= HIGH_WATER) continue;
      this.#full = true;
      this.#plain = false;
      return undefined;
    }
    return unsent;
  }

  /** Nothing is left to be written. */
  #becomePlain(): void {
    this.#waiting = undefined;
    if (this.#backlog?.none === true) this.#backlog = undefined;
    this.#plain = this.#backlog === undefined && !this.#subscriptions.special && !this.#positionDue;
  }

  #next(now: Instant): Uint8Array | undefined {
    if (this.#waiting?.hasOrdered !== true && this.#inSync && !this.#subscriptions.special) {
      const piece = this.#group.piece(this.#cursor, now);
      if (piece !== undefined) {
        this.#context.tally.deliveries += piece.end - piece.start;
        this.#cursor = piece.end;
        return piece.bytes;
      }
    }
    // Before a position is sent, all changes up to it must be sent, or it would be claimed too early.
    const sealedOnly = this.#inSync && !this.#positionDue;
    this.#advance(sealedOnly ? this.#group.sealedEnd : this.#group.end, now);
    const frames: Uint8Array[] = [];
    let size = 0;
    // A frame that is a chunk by itself is not copied behind another one.
    while (size < CHUNK_BYTES / 2) {
      const frame = this.#waiting?.take() ?? this.#takePending(now);
      if (frame === undefined) break;
      size += frame.length;
      frames.push(frame);
    }
    this.#context.tally.deliveries += frames.length;
    this.#context.tally.ownBytes += size;
    return frames.length === 0 ? undefined : concatFrames(frames);
  }

  #advance(end: number, now: Instant): void {
    if (this.#cursor >= end) return;
    const deliveries = this.#group.range(this.#cursor, end);
    this.#cursor = end;
    this.#plain = false;
    for (const delivery of deliveries) this.#receive(delivery, now);
  }

  #receive(delivery: Delivery, now: Instant): void {
    const { change } = delivery;
    if (this.#divert(change, now)) return;
    if (this.#inSync && !this.full) {
      this.#queue(delivery.frame(now));
    } else if (change.kind === 'position') this.#positionDue = true;
    else this.#openBacklog().missed(change, () => delivery.frame(now));
  }

  /** Takes over a change to which special terms apply; false where none do. */
  #divert(change: Delivery['change'], now: Instant): boolean {
    if (!this.#subscriptions.special) return false;
    if (change.kind === 'position') this.#positionDue = true;
    else if (change.kind === 'state' || change.kind === 'removal') {
      const intervalMs = this.#subscriptions.intervalMs(change.topic);
      if (intervalMs === 0) return false;
      if (!this.#openBacklog().pace(change, intervalMs, now)) this.#context.pace(this);
    } else if (change.kind !== 'loss' && this.#subscriptions.acked(change.topic))
      this.#openBacklog().pushAcked(change, now);
    else return false;
    return true;
  }

  #takePending(now: Instant): Uint8Array | undefined {
    const pending = this.#backlog?.take(this.#sink.unsent <= LOW_WATER, now);
    if (pending !== undefined || !this.#positionDue) return pending;
    if (this.#cursor < this.#group.end) {
      // A change must not be claimed by a position before it is sent.
      this.#advance(this.#group.end, now);
      return this.#waiting?.take() ?? this.#takePending(now);
    }
    this.#positionDue = false;
    const { store, encoder } = this.#context;
    const rev = this.#backlog?.sentUpTo ?? store.rev;
    if (rev < store.rev) this.#context.sendPositionLater(this);
    return encoder.position(rev, now);
  }

  #newId(): string {
    return `m${this.#nextId++}`;
  }
}
