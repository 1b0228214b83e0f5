import type { Instant } from '../instant.ts';
import type { Cohort } from './cohort.ts';
import { CHUNK_BYTES, concatFrames, type Encoder, type PayloadOf } from './encoder.ts';
import { EventBacklog } from './event-backlog.ts';
import type { FeedStore } from './store.ts';
import { type SnapshotRequest, TopicMarks } from './topic-marks.ts';
import type { ServerMessageType } from './wire/server-messages.ts';

/** Above this many unsent bytes nothing more is written to a subscriber, until they are at most `LOW_WATER`. */
export const HIGH_WATER = 64 * 1024;
export const LOW_WATER = 16 * 1024;

/** What a mark costs in memory, roughly; for the budget of all subscribers. */
const MARK_BYTES = 128;

/** The way out to one subscriber; everything for it goes through here. */
export interface Outlet {
  /** Bytes accepted and not sent yet. */
  readonly unsent: number;
  write(bytes: Uint8Array): void;
}

/** What subscribers share. */
export interface SubscriberSurroundings {
  readonly store: FeedStore;
  readonly encoder: Encoder;
  /** The subscriber has something to write; `flush` is to be called in this turn of the loop. */
  wake(subscriber: Subscriber): void;
}

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
  readonly #events = new EventBacklog();
  readonly #requests = new Set<SnapshotRequest>();
  /** Snapshots that are complete but for their `synced`. */
  #complete: SnapshotRequest[] = [];
  #full = false;
  #eventsTurn = true;
  #positionDue = false;
  #cohort: Cohort;
  #cursor: number;
  #nextId = 1;

  constructor(shared: SubscriberSurroundings, outlet: Outlet, cohort: Cohort) {
    this.#shared = shared;
    this.#outlet = outlet;
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
    return this.#outlet.unsent + this.#readyBytes + this.#events.bytes + this.#marks.size * MARK_BYTES;
  }

  /** Queues a message for this subscriber alone, behind everything that came before it. */
  send<Type extends ServerMessageType>(type: Type, payload: PayloadOf<Type>, now: Instant): void {
    this.sendFrame(this.#shared.encoder.message(type, this.#newId(), payload, now), now);
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
    const request: SnapshotRequest = { replyTo, patterns, remaining: 0, answered: false };
    this.#requests.add(request);
    for (const { topic } of this.#shared.store.retained(patterns)) this.#marks.request(topic, request);
    if (request.remaining === 0) this.#complete.push(request);
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
    this.#complete.push(...this.#marks.retain(wanted));
  }

  /** Takes over everything that its cohort has for it: as it is where it is in step, else as marks and backlog. */
  settle(now: Instant): void {
    this.#advance(this.#cohort.end, now);
  }

  /** Writes as much as the outlet takes. */
  flush(now: Instant): void {
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
    if (this.#ready.length === 0 && this.#inStep) {
      const piece = this.#cohort.piece(this.#cursor, now);
      if (piece !== undefined) {
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
    return frames.length === 0 ? undefined : concatFrames(frames);
  }

  #advance(end: number, now: Instant): void {
    if (this.#cursor >= end) return;
    const deliveries = this.#cohort.range(this.#cursor, end);
    this.#cursor = end;
    for (const delivery of deliveries) {
      const { change } = delivery;
      if (this.#inStep && !this.full) {
        const frame = delivery.frame(now);
        this.#ready.push(frame);
        this.#readyBytes += frame.length;
      } else if (change.kind === 'position') this.#positionDue = true;
      else if (change.kind === 'state' || change.kind === 'removal')
        this.#marks.missed(change.topic, change.rev);
      else this.#events.push(delivery, now);
    }
  }

  #takeReady(): Uint8Array | undefined {
    const frame = this.#ready.shift();
    if (frame !== undefined) this.#readyBytes -= frame.length;
    return frame;
  }

  /** Events and documents take turns, so that neither starves the other. */
  #takeOwed(now: Instant): Uint8Array | undefined {
    this.#eventsTurn = !this.#eventsTurn;
    const owed = this.#eventsTurn
      ? (this.#takeEvent(now) ?? this.#takeState(now))
      : (this.#takeState(now) ?? this.#takeEvent(now));
    if (owed !== undefined || !this.#positionDue) return owed;
    this.#positionDue = false;
    return this.#shared.encoder.position(this.#saidUpTo(), now);
  }

  #takeEvent(now: Instant): Uint8Array | undefined {
    const gap = this.#events.takeGap();
    if (gap === undefined) return this.#events.takeEvent();
    const { topic, fromSeq, toSeq } = gap;
    return this.#shared.encoder.message(
      'gap',
      this.#newId(),
      { topic, from_seq: fromSeq, to_seq: toSeq, reason: 'slow_consumer' },
      now,
    );
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
        mode: 'full',
        topics: request.patterns,
        position: { [store.epoch]: this.#saidUpTo() },
      },
      now,
    );
  }

  /** Every change up to this `rev` that this subscriber is to know has been written, or superseded by what was. */
  #saidUpTo(): number {
    const missed = Math.min(this.#marks.firstRev() ?? Infinity, this.#events.firstRev() ?? Infinity);
    return Number.isFinite(missed) ? missed - 1 : this.#shared.store.rev;
  }

  #newId(): string {
    return `m${this.#nextId++}`;
  }
}
