import type { Instant } from '../../instant.ts';
import type { AckKeeper } from './ack-window.ts';
import type { Change } from './change.ts';
import { DirtyTopics, type SnapshotRequest } from './dirty-topics.ts';
import type { Gap, PastEvent, ToldAfter } from './event-log.ts';
import { EventQueues } from './event-queues.ts';
import { RateLimitedTopics } from './rate-limited-topics.ts';
import type { SubscriberSurroundings } from './subscriber-surroundings.ts';

/** What a mark costs in memory, roughly; for the budget of all subscribers. */
const MARK_BYTES = 128;

/** What is asked for again since a `rev`, and which of it concerns the subscriber. */
export interface Recovery {
  readonly patterns: readonly string[];
  readonly since: number;
  readonly replyTo: string | undefined;
  readonly toldAfter: ToldAfter;
}

/**
 * What one subscriber is owed beside the stream that it shares with others: documents of which it missed a change or
 * has to be given the present version, and events that wait. Only who is owed something has this.
 */
export class Backlog {
  readonly #shared: SubscriberSurroundings;
  readonly #newId: () => string;
  readonly #toldLess: () => void;
  readonly #marks = new DirtyTopics();
  readonly #paced = new RateLimitedTopics();
  readonly #events: EventQueues;
  #requests: SnapshotRequest[] = [];
  /** Snapshots that are complete but for their `synced`. */
  #complete: SnapshotRequest[] = [];
  /** Requests that also owe past events. */
  #awaitingPast: SnapshotRequest[] = [];
  #eventsTurn = true;

  /** `toldLess`: a position was told that is not the present one, so that another one is to follow. */
  constructor(shared: SubscriberSurroundings, keeper: AckKeeper, newId: () => string, toldLess: () => void) {
    this.#shared = shared;
    this.#newId = newId;
    this.#toldLess = toldLess;
    this.#events = new EventQueues(shared.encoder, shared.tally, keeper);
  }

  /** Nothing is owed that the shared stream must not overtake. */
  get inStep(): boolean {
    return this.#marks.size === 0 && this.#events.empty && this.#complete.length === 0;
  }

  /** Nothing is owed at all, nor waited for. */
  get none(): boolean {
    return this.inStep && this.#events.idle && this.#paced.remembered === 0 && this.#requests.length === 0;
  }

  get bytes(): number {
    return this.#events.bytes + (this.#marks.size + this.#paced.size) * MARK_BYTES;
  }

  /** Every change up to this `rev` that the subscriber is to know has been written, or superseded by what was. */
  get saidUpTo(): number {
    const missed = Math.min(
      this.#marks.firstRev() ?? Infinity,
      this.#paced.firstRev() ?? Infinity,
      this.#events.firstRev(),
    );
    return Number.isFinite(missed) ? missed - 1 : this.#shared.store.rev;
  }

  /** The session of another connection goes on here: what was not acknowledged there is sent again. */
  resume(keeper: AckKeeper): void {
    this.#events.resume(keeper);
  }

  /** A change that was not written: of a document it is only marked that there was one. */
  missed(change: Change, frame: () => Uint8Array): void {
    if (change.kind === 'state' || change.kind === 'removal') this.#marks.missed(change.topic, change.rev);
    else this.#events.push(change, frame());
  }

  pushAcked(event: PastEvent, now: Instant): void {
    this.#events.pushAcked(event, now);
  }

  /** A document changed that may be told only so often; false where it is held back. */
  pace({ topic, rev }: Change, intervalMs: number, now: Instant): boolean {
    const missedRev = this.#paced.changed(topic, rev, intervalMs, now.monoMs);
    if (missedRev !== undefined) this.#marks.missed(topic, missedRev);
    return missedRev !== undefined;
  }

  /** Documents that were held back are owed now, whatever their time. */
  releasePaced(): void {
    for (const [topic, rev] of this.#paced.release()) this.#marks.missed(topic, rev);
  }

  /** Documents whose time has come are owed now; true where there are any. */
  paceDue(now: Instant): boolean {
    const before = this.#marks.size;
    for (const [topic, rev] of this.#paced.due(now.monoMs)) this.#marks.missed(topic, rev);
    return this.#marks.size > before;
  }

  /** Some documents are held back. */
  get holdsBack(): boolean {
    return this.#paced.waiting;
  }

  /** The present document of every topic that matches, and `synced` behind the last of them. */
  snapshot(patterns: readonly string[], replyTo: string | undefined): void {
    const request: SnapshotRequest = { replyTo, mode: 'full', patterns, remaining: 0, answered: false };
    this.#requests.push(request);
    for (const { topic } of this.#shared.store.retained(patterns)) this.#marks.request(topic, request);
    if (request.remaining === 0) this.#complete.push(request);
  }

  /** What changed since a `rev` that the store can recover, and `synced` behind the last of it. */
  recover(
    { patterns, since, replyTo, toldAfter }: Recovery,
    acked: (topic: string) => boolean,
    now: Instant,
  ): void {
    const request: SnapshotRequest = { replyTo, mode: 'since', patterns, remaining: 1, answered: false };
    this.#requests.push(request);
    const { states, events, gaps } = this.#shared.store.missed(since, patterns, toldAfter);
    for (const { topic } of states) this.#marks.request(topic, request);
    this.#events.recover(gaps, events, acked, now);
    this.#awaitingPast.push(request);
    this.#pastTold();
  }

  resync(topics: readonly string[]): void {
    for (const topic of topics) this.#marks.wanted(topic);
  }

  /** Forgets what is owed of patterns that were given up; `wanted` says which topics the others still cover. */
  forget(patterns: readonly string[], wanted: (topic: string) => boolean): void {
    for (const request of this.#requests) {
      request.patterns = request.patterns.filter((each) => !patterns.includes(each));
    }
    this.#events.retain(wanted);
    this.#pastTold();
    this.#complete.push(...this.#marks.retain(wanted));
  }

  /** What is to be written next. Alarms first; then events and documents take turns, so that neither starves the other. */
  take(drained: boolean, now: Instant): Uint8Array | undefined {
    const alarm = this.#events.takeAlarm(now);
    if (alarm !== undefined) return this.#framed(alarm, now);
    this.#eventsTurn = !this.#eventsTurn;
    return this.#eventsTurn
      ? (this.#takeEvent(drained, now) ?? this.#takeState(now))
      : (this.#takeState(now) ?? this.#takeEvent(drained, now));
  }

  #takeEvent(drained: boolean, now: Instant): Uint8Array | undefined {
    const event = this.#events.take(drained, now);
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
    this.#requests = this.#requests.filter((each) => each !== request);
    const { store, encoder } = this.#shared;
    const rev = this.saidUpTo;
    if (rev < store.rev) this.#toldLess();
    return encoder.message(
      'synced',
      this.#newId(),
      {
        ...(request.replyTo === undefined ? {} : { reply_to: request.replyTo }),
        mode: request.mode,
        topics: request.patterns,
        position: { [store.epoch]: rev },
      },
      now,
    );
  }
}
