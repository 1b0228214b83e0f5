import type { Json, JsonObject } from '../../contract/feed/json.ts';
import { checkDocument, diff, differs, NotADocumentError } from '../../contract/feed/merge-patch.ts';
import type { Position } from '../../contract/feed/position.ts';
import { hasWildcard, topicProblem } from '../../contract/feed/topic.ts';
import type { Publisher } from '../../contract/publisher.ts';
import { HeartwireError } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import type { Change, Retained } from './change.ts';
import { EventLog, type Gap, type PastEvent, type ToldAfter } from './event-log.ts';
import { trieOf } from './pattern-trie.ts';
import { type Link, Recency } from './recency.ts';
import { RevHistory } from './rev-history.ts';
import { Interest, TopicInterest } from './topic-interest.ts';

/** Topics whose removal is remembered, and for how long. */
const TOMBSTONES = 10_000;
const TOMBSTONE_MS = 24 * 3_600_000;
/** How long events are kept for those who come back, and what they followed is remembered. */
const EVENTS_MS = 600_000;

/** So much of the epoch makes the ids of events unique over the lives of a bridge: 36 bits where it is base64url. */
const EPOCH_IN_IDS = 6;

/** The topic under which broadcasts of clients are counted. */
export const BROADCAST_TOPIC = 'broadcast/all';

export interface StoreOptions {
  /** Names this life of the publisher: at least 64 random bits as text, new at every start. */
  readonly epoch: string;
  /**
   * What is told to listeners. `followed`: topics that somebody asks for by `follow`, or did until a while ago. Events of
   * all others are only counted, for nobody hears them and nobody can come back for them. All where it is left out.
   */
  readonly tell?: 'all' | 'followed';
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
 * What the feed knows: one retained document per topic, and the count of everything that ever changed. Every change
 * gets the next `rev` of the store and the next `seq` of its topic, which goes on after a removal.
 */
export class FeedStore implements Publisher {
  readonly epoch: string;
  readonly #idEnd: string;
  #rev = 0;
  readonly #retained = new Map<string, Link<Retained>>();
  readonly #tombstones = new Map<string, Link<Retained>>();
  readonly #recency = new Recency<Retained>();
  readonly #tellsAll: boolean;
  readonly #followed = new TopicInterest(EVENTS_MS);
  readonly #events: EventLog;
  readonly #history = new RevHistory(TOMBSTONE_MS);
  /** Up to here it is not known any more what was removed. */
  #forgottenRev = 0;
  /** The highest `seq` that was forgotten: a topic that returns goes on above it. */
  #forgottenSeq = 0;
  readonly #listeners = new Set<(change: Change) => void>();

  constructor(options: StoreOptions) {
    this.epoch = options.epoch;
    this.#idEnd = options.epoch.slice(0, EPOCH_IN_IDS);
    this.#tellsAll = options.tell !== 'followed';
    this.#events = new EventLog(this.#tellsAll ? undefined : this.#followed);
    // Whoever is connected hears them.
    this.#followed.begin([BROADCAST_TOPIC]);
  }

  get rev(): number {
    return this.#rev;
  }

  position(): Position {
    return { [this.epoch]: this.#rev };
  }

  /** Calls with every change, in order and synchronously, until the returned function is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  publishState(topic: string, document: JsonObject): void {
    const link = this.#retained.get(topic);
    const before = link?.value;
    const known = before ?? this.#tombstones.get(topic)?.value;
    const interest = known?.interest ?? new Interest(checkedLevels(topic));
    const told = this.#isTold(interest);
    const patch = patchOf(topic, before?.document, document, told);
    if (before !== undefined && patch === undefined) return;
    const rev = ++this.#rev;
    const seq = (known?.seq ?? this.#forgottenSeq) + 1;
    const retained: Retained = { topic, interest, rev, seq, document };
    if (link === undefined) this.#retained.set(topic, this.#renew(this.#tombstones.get(topic), retained));
    else this.#renew(link, retained);
    if (link === undefined) this.#tombstones.delete(topic);
    if (!told) return;
    this.#tell({
      kind: 'state',
      topic,
      rev,
      seq,
      document,
      ...(before === undefined || patch === undefined ? {} : { patch: { prev: before.seq, body: patch } }),
    });
  }

  removeState(topic: string): void {
    const link = this.#retained.get(topic);
    if (link === undefined) return;
    const rev = ++this.#rev;
    const { interest, seq: last } = link.value;
    const seq = last + 1;
    this.#retained.delete(topic);
    this.#tombstones.set(topic, this.#renew(link, { topic, interest, rev, seq, document: undefined }));
    if (this.#tombstones.size > TOMBSTONES) this.#forgetOldest();
    if (this.#isTold(interest)) this.#tell({ kind: 'removal', topic, rev, seq });
  }

  /** Somebody asks for raw bytes of some device, or did so until a while ago. */
  get followsBytes(): boolean {
    return this.#followed.bytes;
  }

  /** Somebody asks for what these patterns cover; `unfollow` them when that ends. */
  follow(patterns: readonly string[]): void {
    this.#followed.begin(patterns);
  }

  /** Nobody hears them any more for whom they were followed, who may come back for it within a while. */
  unfollow(patterns: readonly string[]): void {
    this.#followed.end(patterns);
  }

  publishEvent(topic: string, data: JsonObject | (() => JsonObject)): void {
    const { seq, followed } = this.#events.next(topic, this.#rev + 1, () => checkedLevels(topic));
    const rev = ++this.#rev;
    if (!followed) return;
    const said = typeof data === 'function' ? data() : data;
    const event = { kind: 'event', id: this.#eventId(rev), topic, rev, seq, data: said } as const;
    this.#events.add(event);
    this.#tell(event);
  }

  /** One client's message to all others, itself included; who is connected hears it without asking for it. */
  publishBroadcast(from: string, data: Json): void {
    const topic = BROADCAST_TOPIC;
    const { seq } = this.#events.next(topic, this.#rev + 1, () => checkedLevels(topic));
    const rev = ++this.#rev;
    const broadcast = { kind: 'broadcast', id: this.#eventId(rev), topic, rev, seq, from, data } as const;
    this.#events.add(broadcast);
    this.#tell(broadcast);
  }

  #eventId(rev: number): string {
    return `r${rev}.${this.#idEnd}`;
  }

  /** There are events or patterns that are to go soon: time should pass. */
  get isAging(): boolean {
    return this.#followed.remembersLeft || !this.#events.empty;
  }

  /** Time passes: lets go of tombstones, events and what nobody follows, once it is too old. To be called now and again. */
  age(now: Instant): void {
    this.#followed.age(now.monoMs);
    this.#history.note(this.#rev, now.monoMs);
    this.#events.expire(this.#history.reachedBefore(now.monoMs - EVENTS_MS));
    const lastRev = this.#history.reachedBefore(now.monoMs - TOMBSTONE_MS);
    for (const { value } of this.#tombstones.values()) {
      if (value.rev > lastRev) break;
      this.#forgetOldest();
    }
  }

  /** The `rev` of a position from which everything that changed can be told; undefined where it is not known any more. */
  recoverable(position: Position): number | undefined {
    const rev = Object.hasOwn(position, this.epoch) ? position[this.epoch] : undefined;
    if (rev === undefined || rev > this.#rev) return undefined;
    return rev >= this.#forgottenRev && rev >= this.#events.forgottenRev ? rev : undefined;
  }

  /**
   * What changed after a `rev` that is `recoverable`; costs by what changed since, not by what there is. Events that are
   * told anyway are left out.
   */
  missed(rev: number, patterns: readonly string[], toldAfter: ToldAfter = () => Infinity): Missed {
    const trie = trieOf(patterns);
    const states: Retained[] = [];
    for (const each of this.#recency.newestFirst()) {
      if (each.rev <= rev) break;
      if (trie.covers(each.interest.levels)) states.push(each);
    }
    return { states: states.reverse(), ...this.#events.since(rev, trie, toldAfter) };
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

  /** What is kept of every present topic that one of the patterns covers, each once. */
  *retained(patterns: readonly string[]): Generator<Retained> {
    const [only] = patterns;
    const exact = patterns.length === 1 && only !== undefined && !hasWildcard(only);
    const one = exact ? this.#retained.get(only)?.value : undefined;
    if (one !== undefined) yield one;
    if (exact) return;
    // However many the patterns are, the topics are gone through once.
    const trie = trieOf(patterns);
    for (const { value: each } of this.#retained.values()) if (trie.covers(each.interest.levels)) yield each;
  }

  /** What is kept of a topic, its tombstone included; for one never seen, or long forgotten, a tombstone that is honest about it. */
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

  #isTold(interest: Interest): boolean {
    return this.#tellsAll || interest.among(this.#followed);
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function checkedLevels(topic: string): readonly string[] {
  const problem = topicProblem(topic);
  if (problem !== undefined)
    throw new HeartwireError('bad_argument', `Not a topic: ${problem}.`, { seen: topic });
  return topic.split('/');
}

/** Stands for a patch that nobody would get. */
const UNTOLD: JsonObject = {};

/** What changed; undefined where nothing did, or all of it is new. */
function patchOf(
  topic: string,
  before: JsonObject | undefined,
  document: JsonObject,
  told: boolean,
): JsonObject | undefined {
  try {
    if (before !== undefined && told) return diff(before, document);
    if (before !== undefined) return differs(before, document) ? UNTOLD : undefined;
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
