import type { Instant } from '../instant.ts';
import type { AckWindow } from './ack-window.ts';
import type { Change } from './change.ts';
import type { Cohort, Delivery } from './cohort.ts';
import { CHUNK_BYTES, concatFrames, type PayloadOf } from './encoder.ts';
import type { Gap } from './event-log.ts';
import { EventQueues } from './event-queues.ts';
import { Interests } from './interests.ts';
import { HIGH_WATER, LOW_WATER, type Outlet } from './outlet.ts';
import { PacedMarks } from './paced-marks.ts';
import type { SubscriberSurroundings } from './subscriber-surroundings.ts';
import { type SnapshotRequest, TopicMarks } from './topic-marks.ts';
import type { ServerMessageType } from './wire/server-messages.ts';

export { HIGH_WATER, LOW_WATER, type Outlet } from './outlet.ts';

/** What a mark costs in memory, roughly; for the budget of all subscribers. */
const MARK_BYTES = 128;

/**
 * What one subscriber still has to be told.
 *
 * In step, it is written its cohort's shared bytes. Behind (its outlet is full, or a snapshot is under way), changes
 * of state become one mark per topic, and events wait in a bounded backlog; as the outlet drains, the present
 * documents are written, and when no mark and no event is left, it is in step again. Nothing is ever composed.
 *
 *     cohort ──in step──▶ ready ──▶ outlet
 *        └────behind────▶ marks, backlog ──as it drains──▶ outlet
 */
export class Subscriber {
  readonly #shared: SubscriberSurroundings;
  readonly #outlet: Outlet;
  /** Own frames, and shared ones that came before them, in order. */
  #ready: Uint8Array[] = [];
  #readyBytes = 0;
  readonly #marks = new TopicMarks();
  readonly #paced = new PacedMarks();
  readonly #events: EventQueues;
  /** Answers that overtake what waits, once something does. */
  #urgent: Uint8Array[] = [];
  readonly #requests = new Set<SnapshotRequest>();
  /** Snapshots that are complete but for their `synced`. */
  #complete: SnapshotRequest[] = [];
  /** Requests that also owe past events. */
  #awaitingPast: SnapshotRequest[] = [];
  #full = false;
  #eventsTurn = true;
  #positionDue = false;
  #cohort: Cohort;
  #cursor: number;
  #nextId = 1;
  /** To be changed only after `settle`, and to be followed by `join`. */
  readonly interests = new Interests();

  constructor(shared: SubscriberSurroundings, outlet: Outlet, cohort: Cohort) {
    this.#shared = shared;
    this.#outlet = outlet;
    this.#events = new EventQueues(shared.encoder, shared.tally);
    this.#cohort = cohort;
    this.#cursor = cohort.end;
    cohort.members.add(this);
  }

  get cohort(): Cohort {
    return this.#cohort;
  }

  /** The outlet holds more than it should: nothing is to be read from this subscriber. */
  get full(): boolean {
    return this.#full || this.#readyBytes + this.#outlet.unsent > HIGH_WATER;
  }

  /** Bytes that wait for this subscriber, roughly. */
  get held(): number {
    const marks = this.#marks.size + this.#paced.size;
    return this.#outlet.unsent + this.#readyBytes + this.#events.bytes + marks * MARK_BYTES;
  }

  /** What was sent to be acknowledged. */
  get window(): AckWindow {
    return this.#events.window;
  }

  /** The session of another connection goes on here: what was not acknowledged there is sent again. */
  resume(window: AckWindow): void {
    this.#events.resume(window);
    this.#shared.wake(this);
  }

  /** Queues a message for this subscriber alone, behind everything that came before it. */
  send<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    this.sendFrame(this.#shared.encoder.message(type, this.#newId(), payload, now), now);
  }

  /** `send` for what need not stay behind what came before it: where something waits, it goes first. */
  answer<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    const frame = this.#shared.encoder.message(type, this.#newId(), payload, now);
    this.settle(now);
    if (this.#inStep && !this.full) this.#ready.push(frame);
    else this.#urgent.push(frame);
    this.#readyBytes += frame.length;
    this.#shared.wake(this);
  }

  /** The last message, written whatever waits: nothing comes after it. */
  sendLast<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    this.#outlet.write(this.#shared.encoder.message(type, this.#newId(), payload, now));
  }

  /** `send` for what is framed already. */
  sendFrame(frame: Uint8Array, now: Instant): void {
    this.settle(now);
    this.#ready.push(frame);
    this.#readyBytes += frame.length;
    this.#shared.wake(this);
  }

  /** Moves to the audience of other patterns; what the former one was told before is still said. */
  join(cohort: Cohort, now: Instant): void {
    this.settle(now);
    for (const [topic, rev] of this.#paced.release()) this.#marks.missed(topic, rev);
    this.#cohort.members.delete(this);
    this.#cohort = cohort;
    this.#cursor = cohort.end;
    cohort.members.add(this);
  }

  leave(): void {
    this.#cohort.members.delete(this);
  }

  /** Owes the present document of every topic that matches; `synced` follows the last of them. */
  startSnapshot(patterns: readonly string[], replyTo: string | undefined): void {
    const request: SnapshotRequest = { replyTo, mode: 'full', patterns, remaining: 0, answered: false };
    this.#requests.add(request);
    for (const { topic } of this.#shared.store.retained(patterns)) this.#marks.request(topic, request);
    if (request.remaining === 0) this.#complete.push(request);
    this.#shared.wake(this);
  }

  /**
   * Owes what changed since a `rev` that the store can recover: documents, removals, and the events of topics that are
   * `news`; `synced` follows the last of them.
   */
  startRecovery(
    patterns: readonly string[],
    since: number,
    replyTo: string | undefined,
    news: (topic: string) => boolean,
    now: Instant,
  ): void {
    const request: SnapshotRequest = { replyTo, mode: 'since', patterns, remaining: 1, answered: false };
    this.#requests.add(request);
    const { states, events, gaps } = this.#shared.store.missed(since, patterns);
    for (const { topic } of states) this.#marks.request(topic, request);
    this.#events.recover(
      gaps.filter(({ topic }) => news(topic)),
      events.filter(({ topic }) => news(topic)),
      (topic) => this.interests.acked(topic),
      now,
    );
    this.#awaitingPast.push(request);
    this.#pastTold();
    this.#shared.wake(this);
  }

  /** Wakes it if something is to be sent again. */
  remind(now: Instant): void {
    if (this.#events.window.isDue(now.monoMs)) this.#shared.wake(this);
  }

  /** Wakes it if documents were held back until now; false where none is held back any more. */
  wakePaced(now: Instant): boolean {
    const before = this.#marks.size;
    for (const [topic, rev] of this.#paced.due(now.monoMs)) this.#marks.missed(topic, rev);
    if (this.#marks.size > before) this.#shared.wake(this);
    return this.#paced.waiting;
  }

  /** Owes it a position, behind what is owed besides. */
  tellPosition(): void {
    this.#positionDue = true;
    this.#shared.wake(this);
  }

  /** Owes the present documents of these topics, as `full` updates. */
  startResync(topics: readonly string[]): void {
    for (const topic of topics) this.#marks.wanted(topic);
    this.#shared.wake(this);
  }

  /** Forgets what it is owed of patterns that were given up; `wanted` says which topics the others still cover. */
  forget(patterns: readonly string[], wanted: (topic: string) => boolean): void {
    for (const request of this.#requests) {
      request.patterns = request.patterns.filter((each) => !patterns.includes(each));
    }
    this.#events.retain(wanted);
    this.#pastTold();
    this.#complete.push(...this.#marks.retain(wanted));
  }

  /** Takes over everything that its cohort has for it: as it is where it is in step, else as marks and backlog. */
  settle(now: Instant): void {
    this.#advance(this.#cohort.end, now);
  }

  /** Writes as much as the outlet takes. */
  flush(now: Instant): void {
    if (!this.#cohort.members.has(this)) return;
    if (this.#full && this.#outlet.unsent <= LOW_WATER) this.#full = false;
    const outlet = this.#outlet;
    while (!this.#full) {
      const bytes = this.#next(now);
      if (bytes === undefined) return;
      outlet.write(bytes);
      if (outlet.unsent > HIGH_WATER) this.#full = true;
    }
    this.#advance(this.#cohort.sealedEnd, now);
  }

  get #inStep(): boolean {
    return this.#marks.size === 0 && this.#events.empty && this.#complete.length === 0;
  }

  #next(now: Instant): Uint8Array | undefined {
    if (this.#ready.length === 0 && this.#inStep && !this.interests.special) {
      const piece = this.#cohort.piece(this.#cursor, now);
      if (piece !== undefined) {
        this.#shared.tally.deliveries += piece.end - piece.start;
        this.#cursor = piece.end;
        return piece.bytes;
      }
    }
    // Who is about to be told a position must know all that happened, or it would be claimed too early.
    const shared = this.#inStep && !this.#positionDue;
    this.#advance(shared ? this.#cohort.sealedEnd : this.#cohort.end, now);
    const frames: Uint8Array[] = [];
    for (let size = 0; size < CHUNK_BYTES; ) {
      const frame = this.#takeReady() ?? this.#takeOwed(now);
      if (frame === undefined) break;
      size += frame.length;
      frames.push(frame);
    }
    this.#shared.tally.deliveries += frames.length;
    return frames.length === 0 ? undefined : concatFrames(frames);
  }

  #advance(end: number, now: Instant): void {
    if (this.#cursor >= end) return;
    const deliveries = this.#cohort.range(this.#cursor, end);
    this.#cursor = end;
    for (const delivery of deliveries) this.#hear(delivery, now);
  }

  #hear(delivery: Delivery, now: Instant): void {
    const { change } = delivery;
    if (this.#goesApart(change, now)) return;
    if (this.#inStep && !this.full) {
      const frame = delivery.frame(now);
      this.#ready.push(frame);
      this.#readyBytes += frame.length;
    } else if (change.kind === 'position') this.#positionDue = true;
    else if (change.kind === 'state' || change.kind === 'removal')
      this.#marks.missed(change.topic, change.rev);
    else this.#events.push(change, delivery.frame(now));
  }

  /** Takes over what this subscriber is not told the way that all others are. */
  #goesApart(change: Delivery['change'], now: Instant): boolean {
    if (!this.interests.special) return false;
    if (change.kind === 'position') this.#positionDue = true;
    else if (change.kind === 'state' || change.kind === 'removal') return this.#isPaced(change, now);
    else if (this.interests.acked(change.topic)) this.#events.pushAcked(change, now);
    else return false;
    return true;
  }

  #isPaced({ topic, rev }: Change, now: Instant): boolean {
    const intervalMs = this.interests.intervalMs(topic);
    if (intervalMs === 0) return false;
    if (this.#paced.changed(topic, rev, intervalMs, now.monoMs)) this.#marks.missed(topic, rev);
    else this.#shared.pace(this);
    return true;
  }

  #takeReady(): Uint8Array | undefined {
    const frame = this.#urgent.shift() ?? this.#ready.shift();
    if (frame !== undefined) this.#readyBytes -= frame.length;
    return frame;
  }

  /** Alarms first; then events and documents take turns, so that neither starves the other. */
  #takeOwed(now: Instant): Uint8Array | undefined {
    const alarm = this.#events.takeAlarm();
    if (alarm !== undefined) return this.#framed(alarm, now);
    this.#eventsTurn = !this.#eventsTurn;
    const owed = this.#eventsTurn
      ? (this.#takeEvent(now) ?? this.#takeState(now))
      : (this.#takeState(now) ?? this.#takeEvent(now));
    if (owed !== undefined || !this.#positionDue) return owed;
    if (this.#cursor < this.#cohort.end) {
      // What happened since must not be claimed before it is said.
      this.#advance(this.#cohort.end, now);
      return this.#takeReady() ?? this.#takeOwed(now);
    }
    this.#positionDue = false;
    const rev = this.#saidUpTo();
    if (rev < this.#shared.store.rev) this.#shared.tellLater(this);
    return this.#shared.encoder.position(rev, now);
  }

  #takeEvent(now: Instant): Uint8Array | undefined {
    const event = this.#events.take(this.#outlet.unsent <= LOW_WATER, now);
    this.#pastTold();
    return event === undefined ? undefined : this.#framed(event, now);
  }

  #framed(event: Gap | Uint8Array, now: Instant): Uint8Array {
    if (event instanceof Uint8Array) return event;
    const { topic, fromSeq, toSeq, reason } = event;
    const { encoder, store } = this.#shared;
    const payload = { topic, epoch: store.epoch, from_seq: fromSeq, to_seq: toSeq, reason };
    return encoder.message('gap', this.#newId(), payload, now);
  }

  #pastTold(): void {
    if (this.#awaitingPast.length === 0 || !this.#events.pastTold) return;
    for (const request of this.#awaitingPast) {
      if (--request.remaining === 0) this.#complete.push(request);
    }
    this.#awaitingPast = [];
  }

  #takeState(now: Instant): Uint8Array | undefined {
    const { store, encoder } = this.#shared;
    const [complete] = this.#complete;
    if (complete?.answered === true) {
      this.#complete.shift();
      return this.#synced(complete, now);
    }
    if (complete !== undefined) {
      complete.answered = true;
      return encoder.snapshot(this.#newId(), complete.replyTo, [], [], now);
    }
    const due = this.#marks.take((topic) => encoder.item(store.version(topic)).length);
    if (due === undefined) return undefined;
    if (due.kind === 'full') return encoder.full(store.version(due.topic), now);
    due.request.answered = true;
    if (due.request.remaining === 0) this.#complete.push(due.request);
    const versions = due.topics.map((topic) => store.version(topic));
    return encoder.snapshot(
      this.#newId(),
      due.request.replyTo,
      versions.filter((each) => each.document !== undefined).map((each) => encoder.item(each)),
      versions.filter((each) => each.document === undefined).map((each) => encoder.item(each)),
      now,
    );
  }

  #synced(request: SnapshotRequest, now: Instant): Uint8Array {
    this.#requests.delete(request);
    const { store, encoder } = this.#shared;
    return encoder.message(
      'synced',
      this.#newId(),
      {
        ...(request.replyTo === undefined ? {} : { reply_to: request.replyTo }),
        mode: request.mode,
        topics: request.patterns,
        position: { [store.epoch]: this.#saidUpTo() },
      },
      now,
    );
  }

  /** Every change up to this `rev` that this subscriber is to know has been written, or superseded by what was. */
  #saidUpTo(): number {
    const missed = Math.min(
      this.#marks.firstRev() ?? Infinity,
      this.#paced.firstRev() ?? Infinity,
      this.#events.firstRev(),
    );
    return Number.isFinite(missed) ? missed - 1 : this.#shared.store.rev;
  }

  #newId(): string {
    return `m${this.#nextId++}`;
  }
}
