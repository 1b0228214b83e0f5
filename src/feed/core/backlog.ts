import type { Instant } from '../../instant.ts';
import type { AckKeeper } from './ack-window.ts';
import type { Change } from './change.ts';
import { CHUNK_BYTES, type Encoder, type FeedTally } from './encoder.ts';
import type { Gap, PastEvent, SentAfter } from './event-log.ts';
import { EventQueues } from './event-queues.ts';
import { RateLimitedTopics } from './rate-limited-topics.ts';
import type { FeedStore } from './store.ts';

/** One `subscribe` whose snapshot is under way. */
interface SnapshotRequest {
  readonly replyTo: string | undefined;
  /** `since`: only what changed was asked for. */
  readonly mode: 'full' | 'since';
  /** Those of them that were not unsubscribed meanwhile. */
  patterns: readonly string[];
  /** Topics that have not been taken yet, and one for past events. */
  remaining: number;
  /** A snapshot message was sent; every request gets one at least, be it empty. */
  answered: boolean;
}

interface Mark {
  /** Of the first change that the subscriber missed, where it was in sync before. */
  missedRev: number | undefined;
  /** Snapshots that still lack this topic. */
  requests: SnapshotRequest[];
}

/** What to send next: some topics of one snapshot, or one topic of which changes were missed. */
type Due =
  | { readonly kind: 'snapshot'; readonly request: SnapshotRequest; readonly topics: readonly string[] }
  | { readonly kind: 'full'; readonly topic: string };

/** Room for the envelope of a snapshot. */
const ENVELOPE_BYTES = 1_024;

/** One mark for each topic whose present document is still to be sent; first marked, first sent. */
class DirtyTopics {
  readonly #marks = new Map<string, Mark>();

  get size(): number {
    return this.#marks.size;
  }

  /** A change was not written. */
  missed(topic: string, rev: number): void {
    const mark = this.#marks.get(topic);
    if (mark === undefined) this.#marks.set(topic, { missedRev: rev, requests: [] });
    else mark.missedRev ??= rev;
  }

  /** The whole document was asked for. */
  wanted(topic: string): void {
    if (!this.#marks.has(topic)) this.#marks.set(topic, { missedRev: undefined, requests: [] });
  }

  request(topic: string, request: SnapshotRequest): void {
    const mark = this.#marks.get(topic);
    if (mark === undefined) this.#marks.set(topic, { missedRev: undefined, requests: [request] });
    else mark.requests.push(request);
    request.remaining++;
  }

  /** Removes topics that are no longer wanted, from snapshots too. Returns the snapshots that are complete by that. */
  retain(wanted: (topic: string) => boolean): SnapshotRequest[] {
    const complete: SnapshotRequest[] = [];
    for (const [topic, mark] of [...this.#marks]) {
      if (wanted(topic)) continue;
      this.#marks.delete(topic);
      for (const request of mark.requests) if (--request.remaining === 0) complete.push(request);
    }
    return complete;
  }

  /** Takes the next marks off; a snapshot gets as many topics as fit by `sizeOf`, and at least one. */
  take(sizeOf: (topic: string) => number): Due | undefined {
    const [first] = this.#marks;
    if (first === undefined) return undefined;
    const [topic, mark] = first;
    const [request] = mark.requests;
    if (request === undefined) {
      this.#marks.delete(topic);
      return { kind: 'full', topic };
    }
    const topics: string[] = [];
    const again: Array<[string, Mark]> = [];
    let size = ENVELOPE_BYTES;
    for (const [next, { requests }] of this.#marks) {
      if (requests[0] !== request) break;
      size += sizeOf(next) + 1;
      if (size > CHUNK_BYTES && topics.length > 0) break;
      topics.push(next);
      this.#marks.delete(next);
      if (requests.length > 1) again.push([next, { missedRev: undefined, requests: requests.slice(1) }]);
    }
    for (const [next, rest] of again) this.#marks.set(next, rest);
    request.remaining -= topics.length;
    return { kind: 'snapshot', request, topics };
  }

  /** The lowest `rev` that was missed. */
  firstRev(): number | undefined {
    let first: number | undefined;
    for (const { missedRev } of this.#marks.values()) {
      if (missedRev !== undefined && (first === undefined || missedRev < first)) first = missedRev;
    }
    return first;
  }
}

/** What a mark costs in memory, roughly; for the budget of all subscribers. */
const MARK_BYTES = 128;

/** A request for what changed since a `rev`, and which of it the subscriber does not get anyway. */
export interface Recovery {
  readonly patterns: readonly string[];
  readonly since: number;
  readonly replyTo: string | undefined;
  readonly sentAfter: SentAfter;
}

/** What the backlogs of all subscribers share. */
export interface BacklogContext {
  readonly store: FeedStore;
  readonly encoder: Encoder;
  readonly tally: FeedTally;
}

/**
 * What is pending for one subscriber beside the stream that it shares with others: topics whose present document is to
 * be sent, and events that wait. Made when something becomes pending, and dropped when nothing is.
 */
export class Backlog {
  readonly #context: BacklogContext;
  readonly #newId: () => string;
  readonly #onStalePosition: () => void;
  readonly #marks = new DirtyTopics();
  readonly #paced = new RateLimitedTopics();
  readonly #events: EventQueues;
  #requests: SnapshotRequest[] = [];
  /** Snapshots that are complete but for their `synced`. */
  #complete: SnapshotRequest[] = [];
  /** Requests that also wait for past events. */
  #awaitingPast: SnapshotRequest[] = [];
  #eventsTurn = true;

  /** `onStalePosition`: a position was sent that is not the present one, so that another one is to follow. */
  constructor(context: BacklogContext, keeper: AckKeeper, newId: () => string, onStalePosition: () => void) {
    this.#context = context;
    this.#newId = newId;
    this.#onStalePosition = onStalePosition;
    this.#events = new EventQueues(context.encoder, context.tally, keeper);
  }

  /** Nothing is pending that the shared stream must not overtake. */
  get inSync(): boolean {
    return this.#marks.size === 0 && this.#events.empty && this.#complete.length === 0;
  }

  /** Nothing is pending at all, and nothing waits for an acknowledgement. */
  get none(): boolean {
    return this.inSync && this.#events.idle && this.#paced.remembered === 0 && this.#requests.length === 0;
  }

  get bytes(): number {
    return this.#events.bytes + (this.#marks.size + this.#paced.size) * MARK_BYTES;
  }

  /** Every change up to this `rev` has been written, or superseded by one that was. */
  get sentUpTo(): number {
    const missed = Math.min(
      this.#marks.firstRev() ?? Infinity,
      this.#paced.firstRev() ?? Infinity,
      this.#events.firstRev(),
    );
    return Number.isFinite(missed) ? missed - 1 : this.#context.store.rev;
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

  /** A document of a rate-limited topic changed; false where it is held back. */
  pace({ topic, rev }: Change, intervalMs: number, now: Instant): boolean {
    const missedRev = this.#paced.changed(topic, rev, intervalMs, now.monoMs);
    if (missedRev !== undefined) this.#marks.missed(topic, missedRev);
    return missedRev !== undefined;
  }

  /** Marks all documents that were held back, due or not. */
  releasePaced(): void {
    for (const [topic, rev] of this.#paced.releaseAll()) this.#marks.missed(topic, rev);
  }

  /** Marks the held back documents that are due; true where there are any. */
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
    for (const { topic } of this.#context.store.retained(patterns)) this.#marks.request(topic, request);
    if (request.remaining === 0) this.#complete.push(request);
  }

  /** What changed since a `rev` that the store can recover, and `synced` behind the last of it. */
  recover(
    { patterns, since, replyTo, sentAfter }: Recovery,
    acked: (topic: string) => boolean,
    now: Instant,
  ): void {
    const request: SnapshotRequest = { replyTo, mode: 'since', patterns, remaining: 1, answered: false };
    this.#requests.push(request);
    const { states, events, gaps } = this.#context.store.missed(since, patterns, sentAfter);
    for (const { topic } of states) this.#marks.request(topic, request);
    this.#events.recover(gaps, events, acked, now);
    this.#awaitingPast.push(request);
    this.#checkPast();
  }

  resync(topics: readonly string[]): void {
    for (const topic of topics) this.#marks.wanted(topic);
  }

  /** Removes what is pending of patterns that were given up; `wanted` says which topics the others still cover. */
  forget(patterns: readonly string[], wanted: (topic: string) => boolean): void {
    for (const request of this.#requests) {
      request.patterns = request.patterns.filter((each) => !patterns.includes(each));
    }
    this.#events.retain(wanted);
    this.#checkPast();
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
    this.#checkPast();
    return event === undefined ? undefined : this.#framed(event, now);
  }

  #framed(event: Gap | Uint8Array, now: Instant): Uint8Array {
    if (event instanceof Uint8Array) return event;
    const { topic, fromSeq, toSeq, reason } = event;
    const { encoder, store } = this.#context;
    const payload = { topic, epoch: store.epoch, from_seq: fromSeq, to_seq: toSeq, reason };
    return encoder.message('gap', this.#newId(), payload, now);
  }

  #checkPast(): void {
    if (this.#awaitingPast.length === 0 || !this.#events.pastSent) return;
    for (const request of this.#awaitingPast) {
      if (--request.remaining === 0) this.#complete.push(request);
    }
    this.#awaitingPast = [];
  }

  #takeState(now: Instant): Uint8Array | undefined {
    const { store, encoder } = this.#context;
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
    const { store, encoder } = this.#context;
    const rev = this.sentUpTo;
    if (rev < store.rev) this.#onStalePosition();
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
