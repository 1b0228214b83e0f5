import type { RecoveryCut } from '../../contract/index.ts';
import type { Instant } from '../../instant.ts';
import type { AckKeeper } from './ack-window.ts';
import type { Change, EventChange } from './change.ts';
import { CHUNK_BYTES, type Encoder, type FeedTally } from './encoder.ts';
import type { Gap, PastEvent, SentAfter } from './event-log.ts';
import { EventQueues, type EventTerms } from './event-queues.ts';
import { missingOf } from './past-events.ts';
import { RateLimitedTopics } from './rate-limited-topics.ts';
import type { FeedStore } from './store.ts';
import { TopicList } from './topic-list.ts';

/** One `subscribe` whose snapshot is under way. */
interface SnapshotRequest {
  readonly replyTo: string | undefined;
  /** `since`: only what changed was asked for. */
  readonly mode: 'full' | 'since';
  /** Those of them that were not unsubscribed meanwhile. */
  patterns: readonly string[];
  /** The topics that it gets, and how many of them have been taken. */
  list: TopicList;
  taken: number;
  /** Past events wait too. */
  awaitsPast: boolean;
  /** Of the first change that the subscriber missed in a topic that was not taken yet. */
  missedRev: number | undefined;
  /** A snapshot message was sent; every request gets one at least, be it empty. */
  answered: boolean;
}

/** What to send next: some topics of one snapshot, or one topic of which changes were missed. */
type Due =
  | { readonly kind: 'snapshot'; readonly request: SnapshotRequest; readonly topics: readonly string[] }
  | { readonly kind: 'full'; readonly topic: string };

/** Room for the envelope of a snapshot. */
const ENVELOPE_BYTES = 1_024;

/** The change is of a topic that the snapshot has still to send. */
const lacks = (request: SnapshotRequest, topic: string): boolean =>
  request.list.indexOf(topic) >= request.taken;

/**
 * The topics whose present document is still to be sent; first marked, first sent. A snapshot is one entry, however many
 * topics it has; a topic that it still lacks gets no mark of its own.
 */
class DirtyTopics {
  /** The `rev` of the first missed change by topic, and snapshots; undefined where no change was missed. */
  readonly #entries = new Map<string | SnapshotRequest, number | undefined>();
  #snapshots: SnapshotRequest[] = [];

  /** Marks and snapshots. */
  get size(): number {
    return this.#entries.size;
  }

  /** Topics that are listed here and nowhere else. */
  get listed(): number {
    let listed = this.#entries.size;
    for (const { mode, list, taken } of this.#snapshots)
      if (mode === 'since') listed += list.topics.length - taken;
    return listed;
  }

  /** A change was not written. */
  missed(topic: string, rev: number): void {
    const snapshot = this.#snapshots.find((each) => lacks(each, topic));
    if (snapshot !== undefined) snapshot.missedRev ??= rev;
    else if (this.#entries.get(topic) === undefined) this.#entries.set(topic, rev);
  }

  /** The whole document was asked for. */
  wanted(topic: string): void {
    if (this.#entries.has(topic) || this.#snapshots.some((each) => lacks(each, topic))) return;
    this.#entries.set(topic, undefined);
  }

  /** All topics of the list are to be sent; marks of theirs go, since a snapshot says as much. */
  request(request: SnapshotRequest): void {
    for (const [entry, missedRev] of this.#entries) {
      if (typeof entry !== 'string' || !lacks(request, entry)) continue;
      this.#entries.delete(entry);
      request.missedRev = lowest(request.missedRev, missedRev);
    }
    if (request.list.topics.length === 0) return;
    this.#entries.set(request, undefined);
    this.#snapshots.push(request);
  }

  /** Removes topics that are no longer wanted, from snapshots too. Returns the snapshots that lack nothing by that. */
  retain(wanted: (topic: string) => boolean): SnapshotRequest[] {
    for (const entry of [...this.#entries.keys()])
      if (typeof entry === 'string' && !wanted(entry)) this.#entries.delete(entry);
    const through: SnapshotRequest[] = [];
    for (const request of [...this.#snapshots]) {
      request.list = new TopicList(request.list.topics.slice(request.taken).filter(wanted));
      request.taken = 0;
      if (request.list.topics.length > 0) continue;
      this.#remove(request);
      through.push(request);
    }
    return through;
  }

  /** Takes the next entry off; a snapshot gets as many topics as fit by `sizeOf`, and at least one. */
  take(sizeOf: (topic: string) => number): Due | undefined {
    const first = this.#entries.keys().next();
    if (first.done === true) return undefined;
    if (typeof first.value === 'string') {
      this.#entries.delete(first.value);
      return { kind: 'full', topic: first.value };
    }
    const request = first.value;
    const { topics: all } = request.list;
    let size = ENVELOPE_BYTES;
    let end = request.taken;
    for (; end < all.length; end++) {
      size += sizeOf(all[end] ?? '');
      if (size > CHUNK_BYTES && end > request.taken) break;
    }
    const topics = all.slice(request.taken, end);
    request.taken = end;
    if (end === all.length) this.#remove(request);
    return { kind: 'snapshot', request, topics };
  }

  /** The lowest `rev` that was missed. */
  firstRev(): number | undefined {
    let first: number | undefined;
    for (const missedRev of this.#entries.values()) first = lowest(first, missedRev);
    for (const { missedRev } of this.#snapshots) first = lowest(first, missedRev);
    return first;
  }

  #remove(request: SnapshotRequest): void {
    this.#entries.delete(request);
    this.#snapshots = this.#snapshots.filter((each) => each !== request);
  }
}

function lowest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

function newRequest(
  replyTo: string | undefined,
  mode: SnapshotRequest['mode'],
  patterns: readonly string[],
  list: TopicList,
): SnapshotRequest {
  const nothingYet = { taken: 0, awaitsPast: false, missedRev: undefined, answered: false };
  return { replyTo, mode, patterns, list, ...nothingYet };
}

const isComplete = ({ list, taken, awaitsPast }: SnapshotRequest): boolean =>
  taken === list.topics.length && !awaitsPast;

/** What a mark costs in memory, roughly; for the budget of all subscribers. */
const MARK_BYTES = 128;

/** A request for what changed since a `rev`, and which of it the subscriber does not get anyway. */
export interface Recovery {
  readonly patterns: readonly string[];
  /** A `rev`, or what a position of another instance covers. */
  readonly since: number | RecoveryCut;
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
  readonly #onArrival: () => void;
  readonly #marks = new DirtyTopics();
  readonly #paced = new RateLimitedTopics();
  readonly #events: EventQueues;
  #requests: SnapshotRequest[] = [];
  /** Snapshots that are complete but for their `synced`. */
  #complete: SnapshotRequest[] = [];
  /** Requests that also wait for past events. */
  #awaitingPast: SnapshotRequest[] = [];
  #eventsTurn = true;

  /** `onStalePosition`: a position was sent that is not the present one, so that another one is to follow. `onArrival`: past events came. */
  constructor(
    context: BacklogContext,
    keeper: AckKeeper,
    newId: () => string,
    onStalePosition: () => void,
    onArrival: () => void,
  ) {
    this.#context = context;
    this.#newId = newId;
    this.#onStalePosition = onStalePosition;
    this.#onArrival = onArrival;
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
    return this.#events.bytes + (this.#marks.listed + this.#paced.size) * MARK_BYTES;
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
    else if (change.kind === 'loss') this.#events.lost(change);
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
    const list = this.#context.store.topics(patterns);
    const request = newRequest(replyTo, 'full', patterns, list);
    this.#requests.push(request);
    this.#marks.request(request);
    if (list.topics.length === 0) this.#complete.push(request);
  }

  /** What changed since a `rev` that the store can recover, and `synced` behind the last of it. */
  recover({ patterns, since, replyTo, sentAfter }: Recovery, terms: EventTerms, now: Instant): void {
    const { states, events, gaps } = this.#context.store.missed(since, patterns, sentAfter);
    const request = newRequest(replyTo, 'since', patterns, new TopicList(states.map(({ topic }) => topic)));
    request.awaitsPast = true;
    this.#requests.push(request);
    this.#marks.request(request);
    const { past } = this.#context.store;
    const kept = past && gaps.filter(({ topic, reason }) => reason === 'expired' && past.keeps(topic));
    this.#events.recover(
      kept === undefined ? gaps : gaps.filter((gap) => !kept.includes(gap)),
      events,
      terms,
      now,
    );
    for (const gap of kept ?? []) {
      this.#events.await(gap);
      past?.read(gap, (found, then) => this.#arrived(gap, found, terms, then));
    }
    this.#awaitingPast.push(request);
    this.#checkPast();
  }

  /** What the history had of a gap; the rest of it is one. */
  #arrived(gap: Gap, found: readonly EventChange[], terms: EventTerms, now: Instant): void {
    if (!this.#events.arrived(gap)) return;
    this.#events.recover(missingOf(gap, found), found, terms, now);
    this.#onArrival();
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
    this.#complete.push(...this.#marks.retain(wanted).filter(isComplete));
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
      request.awaitsPast = false;
      if (isComplete(request)) this.#complete.push(request);
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
    if (isComplete(due.request)) this.#complete.push(due.request);
    const items: Uint8Array[] = [];
    const removed: Uint8Array[] = [];
    for (const topic of due.topics) {
      const version = store.version(topic);
      (version.document === undefined ? removed : items).push(encoder.item(version));
    }
    return encoder.snapshot(this.#newId(), due.request.replyTo, items, removed, now);
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
        position: { [store.positionKey]: rev },
      },
      now,
    );
  }
}
