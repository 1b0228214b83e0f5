import type { PayloadOf, ServerMessageType } from '../../contract/feed/server-messages.ts';
import type { Instant } from '../../instant.ts';
import type { AckKeeper } from './ack-window.ts';
import { Backlog, type Recovery } from './backlog.ts';
import { CHUNK_BYTES, concatFrames } from './encoder.ts';
import { FrameQueue } from './frame-queue.ts';
import type { Interests } from './interests.ts';
import { HIGH_WATER, LOW_WATER, type Sink } from './sink.ts';
import type { SubscriberSurroundings } from './subscriber-surroundings.ts';
import type { Delivery, SubscriptionGroup } from './subscription-group.ts';

export { HIGH_WATER, LOW_WATER, type Sink } from './sink.ts';

/** Of what one subscriber is owed, so much is written in one pass: others shall not wait for all of it. */
const OWED_AT_ONCE = 256 * 1024;

/** The seat of who belongs to no cohort any more. */
const NOWHERE = -1;

/**
 * What one subscriber still has to be told.
 *
 * In step, it is written its cohort's shared bytes. Behind (its outlet is full, or a snapshot is under way), changes
 * of state become one mark per topic, and events wait in a bounded backlog; as the outlet drains, the present
 * documents are written, and when no mark and no event is left, it is in step again. Nothing is ever composed.
 *
 *     cohort ──in step──▶ ready ──▶ outlet
 *        └────behind────▶ debts ──as it drains──▶ outlet
 */
export class Subscriber {
  readonly #shared: SubscriberSurroundings;
  readonly #sink: Sink;
  /** Absent where nothing waits. */
  #waiting: FrameQueue | undefined;
  /** Absent until there is a session, or something to be acknowledged without one. */
  #keeper: AckKeeper | undefined;
  #backlog: Backlog | undefined;
  #full = false;
  /** What is owed is written in parts, and this was one of them. */
  #goesOn = false;
  #positionDue = false;
  /** Nothing concerns it but what its cohort shares. */
  #plain = false;
  #group: SubscriptionGroup;
  #cursor: number;
  #nextId = 1;
  #interests: Interests;
  /** The `rev` after which it is told what its patterns cover: one of all of them, or one of each. */
  toldFrom: number | ReadonlyMap<string, number> = 0;
  /** Where its cohort has it among its members; the cohort's to set. */
  seat = NOWHERE;

  constructor(shared: SubscriberSurroundings, sink: Sink, group: SubscriptionGroup) {
    this.#shared = shared;
    this.#sink = sink;
    this.#group = group;
    this.#interests = group.interests;
    this.#cursor = group.end;
    group.add(this);
  }

  /** What it asked to hear, and how. */
  get interests(): Interests {
    return this.#interests;
  }

  get group(): SubscriptionGroup {
    return this.#group;
  }

  get sink(): Sink {
    return this.#sink;
  }

  /** The outlet holds more than it should, or is about to be given more: nothing is to be read from this subscriber. */
  get full(): boolean {
    return this.#full || this.#goesOn || this.#waitingBytes + this.#sink.unsent > HIGH_WATER;
  }

  /** Bytes that wait for this subscriber, roughly. */
  get held(): number {
    return this.#sink.unsent + this.#waitingBytes + (this.#backlog?.bytes ?? 0);
  }

  /** Its session, and what was not acknowledged there: that is sent again. */
  resume(keeper: AckKeeper): void {
    this.#keeper = keeper;
    keeper.window?.resumed();
    this.#backlog?.resume(keeper);
    if ((keeper.window?.size ?? 0) === 0) return;
    this.#owe();
    this.#wake();
  }

  /** Queues a message for this subscriber alone, behind everything that came before it. */
  send<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    this.sendFrame(this.#shared.encoder.message(type, this.#newId(), payload, now), now);
  }

  /**
   * `send` for what need not stay behind what came before it: where something waits, it goes first. With `ackId` it wants
   * to be acknowledged under that id.
   */
  answer<Type extends ServerMessageType>(
    type: Type,
    payload: PayloadOf<Type>,
    now: Instant,
    ackId?: string,
  ): void {
    const { encoder } = this.#shared;
    const frame =
      ackId === undefined
        ? encoder.message(type, this.#newId(), payload, now)
        : encoder.message(type, ackId, payload, now, 'ack_required');
    this.settle(now);
    if (this.#inStep && !this.full) this.#queue(frame);
    else {
      this.#waiting ??= new FrameQueue();
      this.#waiting.pushUrgent(frame);
    }
    this.#wake();
  }

  /** The last message, written whatever waits: nothing comes after it. */
  sendLast<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    this.#sink.write(this.#shared.encoder.message(type, this.#newId(), payload, now));
  }

  /** `send` for what is framed already. */
  sendFrame(frame: Uint8Array, now: Instant): void {
    this.settle(now);
    this.#queue(frame);
    this.#wake();
  }

  /** Moves to the audience of other patterns; what the former one was told before is still said. */
  join(group: SubscriptionGroup, interests: Interests, now: Instant): void {
    this.settle(now);
    this.#backlog?.releasePaced();
    this.#plain = false;
    this.#group.delete(this);
    this.#group = group;
    this.#interests = interests;
    this.#cursor = group.end;
    group.add(this);
  }

  leave(): void {
    this.#group.delete(this);
    this.seat = NOWHERE;
    this.#plain = false;
  }

  /** Owes the present document of every topic that matches; `synced` follows the last of them. */
  startSnapshot(patterns: readonly string[], replyTo: string | undefined): void {
    this.#owe().snapshot(patterns, replyTo);
    this.#wake();
  }

  /**
   * Owes what changed since a `rev` that the store can recover: documents, removals, and the events that are `news`;
   * `synced` follows the last of them.
   */
  startRecovery(recovery: Recovery, now: Instant): void {
    this.#owe().recover(recovery, (topic) => this.#interests.acked(topic), now);
    this.#wake();
  }

  /** Wakes it if something is to be sent again. */
  remind(now: Instant): void {
    if (this.#keeper?.window?.isDue(now.monoMs) !== true) return;
    this.#owe();
    this.#wake();
  }

  /** Wakes it if documents were held back until now; false where none is held back any more. */
  wakePaced(now: Instant): boolean {
    if (this.#backlog?.paceDue(now) === true) this.#wake();
    return this.#backlog?.holdsBack === true;
  }

  /** Owes it a position, behind what is owed besides. */
  tellPosition(): void {
    this.#positionDue = true;
    this.#wake();
  }

  /** Owes the present documents of these topics, as `full` updates. */
  startResync(topics: readonly string[]): void {
    this.#owe().resync(topics);
    this.#wake();
  }

  /** Forgets what it is owed of patterns that were given up; `wanted` says which topics the others still cover. */
  forget(patterns: readonly string[], wanted: (topic: string) => boolean): void {
    this.#keeper?.window?.retain(wanted);
    this.#backlog?.forget(patterns, wanted);
  }

  /** Takes over everything that its cohort has for it: as it is where it is in step, else as what it is owed. */
  settle(now: Instant): void {
    this.#advance(this.#group.end, now);
  }

  /** Writes as much as the outlet takes, and returns the bytes that wait for this subscriber then, roughly. */
  flush(now: Instant): number {
    // Nearly always this is all, and there may be very many.
    const unsent = this.#plain ? this.#follow(now) : undefined;
    if (unsent !== undefined) return unsent;
    if (this.seat !== NOWHERE) this.#catchUp(now);
    return this.held;
  }

  #catchUp(now: Instant): void {
    this.#goesOn = false;
    if (this.#full && this.#sink.unsent <= LOW_WATER) this.#full = false;
    for (let owed = 0; !this.#full; ) {
      const bytes = this.#next(now);
      if (bytes === undefined) {
        this.#becomePlain();
        return;
      }
      this.#full = this.#sink.write(bytes) > HIGH_WATER;
      if (this.#inStep) continue;
      owed += bytes.length;
      if (owed < OWED_AT_ONCE || this.#full) continue;
      this.#goesOn = true;
      this.#wake();
      break;
    }
    this.#advance(this.#group.sealedEnd, now);
  }

  get #inStep(): boolean {
    return this.#backlog?.inStep ?? true;
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
    this.#shared.wake(this);
  }

  #owe(): Backlog {
    this.#plain = false;
    this.#keeper ??= { window: undefined };
    this.#backlog ??= new Backlog(
      this.#shared,
      this.#keeper,
      () => this.#newId(),
      () => this.#shared.tellLater(this),
    );
    return this.#backlog;
  }

  /** Writes what all members of its cohort share, and returns what is unsent then; undefined where that is not all. */
  #follow(now: Instant): number | undefined {
    const group = this.#group;
    const end = group.sealedEnd;
    if (this.#cursor >= end) return this.#sink.unsent;
    let unsent = 0;
    while (this.#cursor < end) {
      const piece = group.piece(this.#cursor, now);
      if (piece === undefined) return undefined;
      this.#shared.tally.deliveries += piece.end - this.#cursor;
      this.#cursor = piece.end;
      unsent = this.#sink.write(piece.bytes);
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
    this.#plain = this.#backlog === undefined && !this.#interests.special && !this.#positionDue;
  }

  #next(now: Instant): Uint8Array | undefined {
    if (this.#waiting?.hasOrdered !== true && this.#inStep && !this.#interests.special) {
      const piece = this.#group.piece(this.#cursor, now);
      if (piece !== undefined) {
        this.#shared.tally.deliveries += piece.end - piece.start;
        this.#cursor = piece.end;
        return piece.bytes;
      }
    }
    // Who is about to be told a position must know all that happened, or it would be claimed too early.
    const shared = this.#inStep && !this.#positionDue;
    this.#advance(shared ? this.#group.sealedEnd : this.#group.end, now);
    const frames: Uint8Array[] = [];
    let size = 0;
    while (size < CHUNK_BYTES) {
      const frame = this.#waiting?.take() ?? this.#takeOwed(now);
      if (frame === undefined) break;
      size += frame.length;
      frames.push(frame);
    }
    this.#shared.tally.deliveries += frames.length;
    this.#shared.tally.ownBytes += size;
    return frames.length === 0 ? undefined : concatFrames(frames);
  }

  #advance(end: number, now: Instant): void {
    if (this.#cursor >= end) return;
    const deliveries = this.#group.range(this.#cursor, end);
    this.#cursor = end;
    this.#plain = false;
    for (const delivery of deliveries) this.#hear(delivery, now);
  }

  #hear(delivery: Delivery, now: Instant): void {
    const { change } = delivery;
    if (this.#goesApart(change, now)) return;
    if (this.#inStep && !this.full) {
      this.#queue(delivery.frame(now));
    } else if (change.kind === 'position') this.#positionDue = true;
    else this.#owe().missed(change, () => delivery.frame(now));
  }

  /** Takes over what this subscriber is not told the way that all others are. */
  #goesApart(change: Delivery['change'], now: Instant): boolean {
    if (!this.#interests.special) return false;
    if (change.kind === 'position') this.#positionDue = true;
    else if (change.kind === 'state' || change.kind === 'removal') {
      const intervalMs = this.#interests.intervalMs(change.topic);
      if (intervalMs === 0) return false;
      if (!this.#owe().pace(change, intervalMs, now)) this.#shared.pace(this);
    } else if (this.#interests.acked(change.topic)) this.#owe().pushAcked(change, now);
    else return false;
    return true;
  }

  #takeOwed(now: Instant): Uint8Array | undefined {
    const owed = this.#backlog?.take(this.#sink.unsent <= LOW_WATER, now);
    if (owed !== undefined || !this.#positionDue) return owed;
    if (this.#cursor < this.#group.end) {
      // What happened since must not be claimed before it is said.
      this.#advance(this.#group.end, now);
      return this.#waiting?.take() ?? this.#takeOwed(now);
    }
    this.#positionDue = false;
    const { store, encoder } = this.#shared;
    const rev = this.#backlog?.saidUpTo ?? store.rev;
    if (rev < store.rev) this.#shared.tellLater(this);
    return encoder.position(rev, now);
  }

  #newId(): string {
    return `m${this.#nextId++}`;
  }
}
