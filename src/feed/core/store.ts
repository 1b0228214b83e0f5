import type { DocumentOrigin, EventReach, EventStamp, Publisher, RecoveryCut } from '../../contract/index.ts';
import {
  checkDocument,
  diff,
  differs,
  hasWildcard,
  type Json,
  type JsonObject,
  NotADocumentError,
  type Position,
  topicProblem,
} from '../../contract/wire/index.ts';
import { HeartwireError } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import { Lru } from '../../system/index.ts';
import type { Change, Retained } from './change.ts';
import { EventLog, type Gap, type PastEvent, type SentAfter } from './event-log.ts';
import type { PastEvents } from './past-events.ts';
import { trieOf } from './pattern-trie.ts';
import { type Link, Recency } from './recency.ts';
import { RevHistory } from './rev-history.ts';
import { Interest, TopicInterest } from './topic-interest.ts';
import { TopicList } from './topic-list.ts';

/** Topics whose removal is remembered, and for how long. */
const TOMBSTONES = 10_000;
const TOMBSTONE_MS = 24 * 3_600_000;
/** How long events are kept for clients that come back, and their patterns are remembered. */
const EVENTS_MS = 600_000;

/** Characters of the epoch in the ids of events, which make them unique over restarts: 36 bits where it is base64url. */
const EPOCH_IN_IDS = 6;

/** Lists of topics that are kept for later snapshots of the same patterns. */
const TOPIC_LISTS = 16;

/** The topic under which broadcasts of clients are counted. */
export const BROADCAST_TOPIC = 'broadcast/all';

export interface StoreOptions {
  /** Names this run of the publisher: at least 64 random bits as text, new at every start. */
  readonly epoch: string;
  /**
   * The changes that listeners get. `followed`: those of topics that are followed by `follow`, or were until a while
   * ago; events of all other topics are only counted, because no client can ask for them. All where it is left out.
   */
  readonly notify?: 'all' | 'followed';
}

/** A retained document with its version. */
export interface StoredDocument {
  readonly topic: string;
  readonly rev: number;
  readonly seq: number;
  readonly document: JsonObject;
}

/** What changed since a position, of the topics that some patterns cover. */
export interface Missed {
  /** Present versions, the longest unchanged first; those without a document are removals. */
  readonly states: readonly Retained[];
  readonly events: readonly PastEvent[];
  readonly gaps: readonly Gap[];
}

/**
 * The state of the feed: one retained document per topic, and the count of everything that ever changed. Every change
 * gets the next `rev` of the store and the next `seq` of its topic, which goes on after a removal.
 */
export class FeedStore implements Publisher {
  readonly epoch: string;
  /** Where events are read that are not kept here any more; absent: they are a gap. */
  past: PastEvents | undefined;
  readonly #idEnd: string;
  #rev = 0;
  readonly #retained = new Map<string, Link<Retained>>();
  readonly #tombstones = new Map<string, Link<Retained>>();
  readonly #recency = new Recency<Retained>();
  readonly #lists = new Lru<string, TopicList>(TOPIC_LISTS);
  readonly #notifiesAll: boolean;
  readonly #followed = new TopicInterest(EVENTS_MS);
  /** Those of subscribers alone, where another part wants to know them. */
  #wanted: TopicInterest | undefined;
  /** Those of the patterns that name the second level of what they cover. */
  readonly #naming = new TopicInterest(EVENTS_MS);
  readonly #events: EventLog;
  readonly #history = new RevHistory(TOMBSTONE_MS);
  /** Up to here it is no longer known what was removed. */
  #forgottenRev = 0;
  /** The highest `seq` that was forgotten: a topic that returns goes on above it. */
  #forgottenSeq = 0;
  readonly #listeners = new Set<(change: Change) => void>();
  /** Positions from before a break count for this feed only. */
  #breaks = 0;
  #ticked: () => void = () => undefined;

  constructor(options: StoreOptions) {
    this.epoch = options.epoch;
    this.#idEnd = options.epoch.slice(0, EPOCH_IN_IDS);
    this.#notifiesAll = options.notify !== 'followed';
    this.#events = new EventLog(this.#notifiesAll ? undefined : this.#followed);
    // Every connected client gets them.
    this.#followed.begin([BROADCAST_TOPIC]);
  }

  get rev(): number {
    return this.#rev;
  }

  position(): Position {
    return { [this.positionKey]: this.#rev };
  }

  /** Under which name a `rev` stands in a position: the epoch, until the first break. */
  get positionKey(): string {
    return this.#breaks === 0 ? this.epoch : `${this.epoch}~${this.#breaks}`;
  }

  /** Subscribers were shown what no other instance shows: the positions from now on are others. */
  breakPositions(): void {
    this.#breaks++;
  }

  /** Calls about once a second, before the positions of that second are sent. */
  watchPositions(ticked: () => void): void {
    this.#ticked = ticked;
  }

  /** Calls with every change, in order and synchronously, until the returned function is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** `origin`: it is the document of another instance, which counts its versions. */
  publishState(topic: string, document: JsonObject, origin?: DocumentOrigin): void {
    const link = this.#retained.get(topic);
    const before = link?.value;
    const known = before ?? this.#tombstones.get(topic)?.value;
    const interest = known?.interest ?? new Interest(checkedLevels(topic));
    const notified = this.#isNotified(interest);
    const epoch = origin?.epoch;
    // Versions of different epochs are no steps from one to the other.
    const former = before?.epoch === epoch ? before : undefined;
    const patch = patchOf(topic, former?.document, document, notified);
    if (former !== undefined && patch === undefined) return;
    // Its own count goes on where it was, should the topic be its own again.
    if (known !== undefined && known.epoch === undefined && epoch !== undefined)
      this.#forgottenSeq = Math.max(this.#forgottenSeq, known.seq);
    const rev = ++this.#rev;
    const seq = origin?.seq ?? this.#nextSeq(known);
    const crosses = known?.crosses === true || epoch !== undefined ? true : undefined;
    const retained: Retained = { topic, interest, rev, seq, epoch, crosses, document };
    if (link === undefined) {
      this.#retained.set(topic, this.#renew(this.#tombstones.get(topic), retained));
      this.#tombstones.delete(topic);
      this.#lists.clear();
    } else this.#renew(link, retained);
    if (!notified) return;
    this.#notify({
      kind: 'state',
      topic,
      rev,
      seq,
      epoch,
      document,
      ...(former === undefined || patch === undefined ? {} : { patch: { prev: former.seq, body: patch } }),
    });
  }

  /** The document of another instance belongs to this one from now on, and is counted here. */
  adopt(topic: string): void {
    const retained = this.#retained.get(topic)?.value;
    if (retained?.document !== undefined && retained.epoch !== undefined)
      this.publishState(topic, retained.document);
  }

  #nextSeq(known: Retained | undefined): number {
    if (known === undefined) return this.#forgottenSeq + 1;
    return (known.epoch === undefined ? known.seq : Math.max(known.seq, this.#forgottenSeq)) + 1;
  }

  removeState(topic: string): void {
    const link = this.#retained.get(topic);
    if (link === undefined) return;
    const rev = ++this.#rev;
    const { interest, crosses } = link.value;
    const seq = this.#nextSeq(link.value);
    this.#retained.delete(topic);
    this.#lists.clear();
    this.#tombstones.set(
      topic,
      this.#renew(link, { topic, interest, rev, seq, crosses, document: undefined }),
    );
    if (this.#tombstones.size > TOMBSTONES) this.#forgetOldest();
    if (this.#isNotified(interest)) this.#notify({ kind: 'removal', topic, rev, seq, crosses });
  }

  /** Some client is subscribed to raw bytes of some device, or was until a while ago. */
  get followsBytes(): boolean {
    return this.#followed.bytes;
  }

  /** Calls when the patterns change that subscribers have, or had until a while ago; there is one who asks. */
  watchWanted(changed: () => void): { patterns(): Iterable<string> } {
    this.#wanted = new TopicInterest(EVENTS_MS, changed);
    return this.#wanted;
  }

  /** A subscription to these patterns begins; `unfollow` them when it ends. `by` a client, or a part of the bridge. */
  follow(patterns: readonly string[], by?: 'subscriber'): void {
    if (by === 'subscriber') this.#wanted?.begin(patterns);
    this.#followed.begin(patterns);
    this.#naming.begin(patterns.filter(namesSecondLevel));
  }

  /** A subscription to these patterns ends; its client may come back within a while. */
  unfollow(patterns: readonly string[], by?: 'subscriber'): void {
    if (by === 'subscriber') this.#wanted?.end(patterns);
    this.#followed.end(patterns);
    this.#naming.end(patterns.filter(namesSecondLevel));
  }

  /** `origin`: the event came from another instance, which counts it. */
  publishEvent(
    topic: string,
    data: JsonObject | (() => JsonObject),
    reach: EventReach = 'any',
    origin?: EventStamp,
  ): void {
    // One that is not made has no `seq`: no subscriber misses it.
    if (reach === 'named' && !this.#notifiesAll && !this.#naming.covers(topic.split('/'))) return;
    const { seq, followed } = this.#events.next(topic, this.#rev + 1, () => checkedLevels(topic));
    const rev = ++this.#rev;
    if (!followed) return;
    const made = typeof data === 'function' ? data() : data;
    const id = origin?.id ?? this.#eventId(rev);
    const event = { kind: 'event', id, topic, rev, seq, origin, data: made } as const;
    this.#events.add(event);
    this.#notify(event);
  }

  /** One client's message to all connected clients, itself included, without a subscription. */
  publishBroadcast(from: string, data: Json, origin?: EventStamp): void {
    const topic = BROADCAST_TOPIC;
    const { seq } = this.#events.next(topic, this.#rev + 1, () => checkedLevels(topic));
    const rev = ++this.#rev;
    const id = origin?.id ?? this.#eventId(rev);
    const broadcast = { kind: 'broadcast', id, topic, rev, seq, origin, from, data } as const;
    this.#events.add(broadcast);
    this.#notify(broadcast);
  }

  /** Events of a topic were lost before they came here: everyone who subscribes to it learns how many at the least. */
  publishLoss(topic: string, count: number): void {
    const seq = this.#events.lose(topic, this.#rev + 1, count, () => checkedLevels(topic));
    const rev = ++this.#rev;
    this.#notify({ kind: 'loss', topic, rev, seq, fromSeq: seq - count + 1 });
  }

  /** There were events of this topic, as far back as topics are remembered. */
  hadEvents(topic: string): boolean {
    return this.#events.had(topic);
  }

  /** What was before now can't be told apart from what never was: no earlier position is recoverable. */
  forgetPast(): void {
    this.#forgottenRev = this.#rev;
  }

  #eventId(rev: number): string {
    return `r${rev}.${this.#idEnd}`;
  }

  /** There are events or patterns that expire soon: `age` is to be called. */
  get isAging(): boolean {
    return this.#followed.remembersLeft || !this.#events.empty;
  }

  /** Time passes: removes tombstones, events and patterns that are too old. To be called about once a second. */
  age(now: Instant): void {
    this.#followed.age(now.monoMs);
    this.#wanted?.age(now.monoMs);
    this.#naming.age(now.monoMs);
    this.#history.note(this.#rev, now.monoMs);
    this.#events.expire(this.#history.reachedBefore(now.monoMs - EVENTS_MS));
    this.#ticked();
    const lastRev = this.#history.reachedBefore(now.monoMs - TOMBSTONE_MS);
    for (const { value } of this.#tombstones.values()) {
      if (value.rev > lastRev) break;
      this.#forgetOldest();
    }
  }

  /** The `rev` of a position from which every change can be recovered; undefined where that is impossible. */
  recoverable(position: Position): number | undefined {
    const own = Object.keys(position).find((key) => key === this.epoch || key.startsWith(`${this.epoch}~`));
    const rev = own === undefined ? undefined : position[own];
    if (rev === undefined || rev > this.#rev) return undefined;
    return rev >= this.#forgottenRev && rev >= this.#events.forgottenRev ? rev : undefined;
  }

  /**
   * What changed after a `rev` that is `recoverable`, or beyond what a position of another instance covers; costs by what
   * changed since, not by what there is. Events that are sent anyway are left out.
   */
  missed(
    since: number | RecoveryCut,
    patterns: readonly string[],
    sentAfter: SentAfter = () => Infinity,
  ): Missed {
    const trie = trieOf(patterns);
    const states: Retained[] = [];
    const [rev, cut] = typeof since === 'number' ? [since] : [since.rev, since];
    const always = new Set(cut?.always);
    for (const each of this.#recency.newestFirst()) {
      if (each.rev <= rev) break;
      if (cut !== undefined && isCovered(cut, each, always)) continue;
      if (trie.covers(each.interest.levels)) states.push(each);
    }
    for (const topic of always) if (trie.covers(topic.split('/'))) states.push(this.version(topic));
    const known = cut && ((topic: string, id?: string) => this.#coveredTo(cut, topic, id));
    return { states: states.reverse(), ...this.#events.since(rev, trie, sentAfter, known) };
  }

  /** Of an event; without its id, of all events of the topic. */
  #coveredTo(cut: RecoveryCut, topic: string, id: string | undefined): number {
    if (id !== undefined) return cut.event(topic, !id.endsWith(this.#idEnd), id);
    return Math.min(cut.event(topic, true), cut.event(topic, false));
  }

  /** The present document of a topic, or undefined where it has none. Not to be modified. */
  document(topic: string): JsonObject | undefined {
    return this.#retained.get(topic)?.value.document;
  }

  /** All present documents that a pattern covers, in the order in which their topics appeared. */
  documents(pattern: string): StoredDocument[] {
    const found: StoredDocument[] = [];
    for (const { topic, rev, seq, document } of this.retained([pattern])) {
      if (document !== undefined) found.push({ topic, rev, seq, document });
    }
    return found;
  }

  /** Every present topic that one of the patterns covers, each once. */
  *retained(patterns: readonly string[]): Generator<Retained> {
    const [only] = patterns;
    const exact = patterns.length === 1 && only !== undefined && !hasWildcard(only);
    const one = exact ? this.#retained.get(only)?.value : undefined;
    if (one !== undefined) yield one;
    if (exact) return;
    // One pass over the topics, however many patterns there are.
    const trie = trieOf(patterns);
    for (const { value: each } of this.#retained.values()) if (trie.covers(each.interest.levels)) yield each;
  }

  /** The topics of `retained`; one list for all who ask for the same patterns until a topic comes or goes. */
  topics(patterns: readonly string[]): TopicList {
    const key = patterns.join('\n');
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const list = new TopicList(Array.from(this.retained(patterns), ({ topic }) => topic));
    this.#lists.set(key, list);
    return list;
  }

  /** A topic or its tombstone; for one never seen, or long forgotten, a tombstone of now. */
  version(topic: string): Retained {
    const known = this.#retained.get(topic) ?? this.#tombstones.get(topic);
    return (
      known?.value ?? {
        topic,
        interest: new Interest(topic.split('/')),
        rev: this.#rev,
        seq: this.#forgottenSeq,
        document: undefined,
      }
    );
  }

  #renew(link: Link<Retained> | undefined, retained: Retained): Link<Retained> {
    if (link === undefined) return this.#recency.add(retained);
    link.value = retained;
    this.#recency.touch(link);
    return link;
  }

  #forgetOldest(): void {
    const [oldest] = this.#tombstones.values();
    if (oldest === undefined) return;
    const { topic, rev, seq } = oldest.value;
    this.#forgottenSeq = Math.max(this.#forgottenSeq, seq);
    this.#forgottenRev = Math.max(this.#forgottenRev, rev);
    this.#tombstones.delete(topic);
    this.#recency.remove(oldest);
  }

  #isNotified(interest: Interest): boolean {
    return this.#notifiesAll || interest.among(this.#followed);
  }

  #notify(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** It is known already, or sent in any case. */
const isCovered = (cut: RecoveryCut, { topic, rev, epoch }: Retained, always: ReadonlySet<string>): boolean =>
  always.has(topic) || rev <= cut.state(topic, epoch !== undefined);

function namesSecondLevel(pattern: string): boolean {
  const [, second] = pattern.split('/');
  return second !== undefined && second !== '+' && second !== '#';
}

function checkedLevels(topic: string): readonly string[] {
  const problem = topicProblem(topic);
  if (problem !== undefined)
    throw new HeartwireError('bad_argument', `Not a topic: ${problem}.`, { seen: topic });
  return topic.split('/');
}

/** Stands for a patch without listeners. */
const UNPUBLISHED: JsonObject = {};

/** What changed; undefined where nothing did, or all of it is new. */
function patchOf(
  topic: string,
  before: JsonObject | undefined,
  document: JsonObject,
  notified: boolean,
): JsonObject | undefined {
  try {
    if (before !== undefined && notified) return diff(before, document);
    if (before !== undefined) return differs(before, document) ? UNPUBLISHED : undefined;
    checkDocument(document);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof NotADocumentError)) throw cause;
    throw new HeartwireError(
      'bad_argument',
      `The document of ${topic} cannot be published: ${cause.message}.`,
      {
        fix: 'Leave out what is unknown.',
        cause,
      },
    );
  }
}
