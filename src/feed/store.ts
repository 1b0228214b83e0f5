import { HeartwireError } from '../errors.ts';
import type { Change, Retained } from './change.ts';
import { PatternTrie } from './pattern-trie.ts';
import type { Publisher } from './publisher.ts';
import type { Json, JsonObject } from './wire/json.ts';
import { checkDocument, diff, NotADocumentError } from './wire/merge-patch.ts';
import type { Position } from './wire/position.ts';
import { hasWildcard, topicProblem } from './wire/topic.ts';

/** Topics whose removal is remembered, and event topics whose `seq` is. */
const TOMBSTONES = 10_000;
const EVENT_TOPICS = 100_000;

/** The topic under which broadcasts of clients are counted. */
export const BROADCAST_TOPIC = 'broadcast/all';

export interface StoreOptions {
  /** Names this life of the publisher: at least 64 random bits as text, new at every start. */
  readonly epoch: string;
}

/** A retained document with its version. */
export interface StoredDocument {
  readonly topic: string;
  readonly rev: number;
  readonly seq: number;
  readonly document: JsonObject;
}

/**
 * What the feed knows: one retained document per topic, and the count of everything that ever changed. Every change
 * gets the next `rev` of the store and the next `seq` of its topic, which goes on after a removal.
 */
export class FeedStore implements Publisher {
  readonly epoch: string;
  #rev = 0;
  readonly #retained = new Map<string, Retained>();
  readonly #tombstones = new Map<string, Retained>();
  readonly #eventSeqs = new Map<string, number>();
  /** The highest `seq` that was forgotten: a topic that returns goes on above it. */
  #forgottenSeq = 0;
  readonly #listeners = new Set<(change: Change) => void>();

  constructor(options: StoreOptions) {
    this.epoch = options.epoch;
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
    const before = this.#retained.get(topic);
    const known = before ?? this.#tombstones.get(topic);
    const levels = known?.levels ?? checkedLevels(topic);
    const patch = patchOf(topic, before?.document, document);
    if (before !== undefined && patch === undefined) return;
    const rev = ++this.#rev;
    const seq = (known?.seq ?? this.#forgottenSeq) + 1;
    this.#tombstones.delete(topic);
    this.#retained.set(topic, { topic, levels, rev, seq, document });
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
    const before = this.#retained.get(topic);
    if (before === undefined) return;
    const rev = ++this.#rev;
    const seq = before.seq + 1;
    this.#retained.delete(topic);
    this.#tombstones.set(topic, { topic, levels: before.levels, rev, seq, document: undefined });
    const [oldest] = this.#tombstones;
    if (oldest !== undefined && this.#tombstones.size > TOMBSTONES) {
      this.#forgottenSeq = Math.max(this.#forgottenSeq, oldest[1].seq);
      this.#tombstones.delete(oldest[0]);
    }
    this.#tell({ kind: 'removal', topic, rev, seq });
  }

  publishEvent(topic: string, data: JsonObject): void {
    const seq = this.#nextEventSeq(topic);
    this.#tell({ kind: 'event', topic, rev: ++this.#rev, seq, data });
  }

  /** One client's message to all others, itself included. */
  publishBroadcast(from: string, data: Json): void {
    const topic = BROADCAST_TOPIC;
    const seq = this.#nextEventSeq(topic);
    this.#tell({ kind: 'broadcast', topic, rev: ++this.#rev, seq, from, data });
  }

  /** The present document of a topic, or undefined where it has none. Not to be modified. */
  document(topic: string): JsonObject | undefined {
    return this.#retained.get(topic)?.document;
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
    const one = exact ? this.#retained.get(only) : undefined;
    if (one !== undefined) yield one;
    if (exact) return;
    // However many the patterns are, the topics are gone through once.
    const trie = new PatternTrie<true>();
    for (const pattern of patterns) trie.add(pattern, true);
    for (const each of this.#retained.values()) if (trie.covers(each.levels)) yield each;
  }

  /** What is kept of a topic, its tombstone included; for one never seen, or long forgotten, a tombstone that is honest about it. */
  version(topic: string): Retained {
    const known = this.#retained.get(topic) ?? this.#tombstones.get(topic);
    return (
      known ?? {
        topic,
        levels: topic.split('/'),
        rev: this.#rev,
        seq: this.#forgottenSeq,
        document: undefined,
      }
    );
  }

  #nextEventSeq(topic: string): number {
    const last = this.#eventSeqs.get(topic);
    if (last === undefined) checkedLevels(topic);
    const seq = (last ?? this.#forgottenSeq) + 1;
    this.#eventSeqs.set(topic, seq);
    const [oldest] = this.#eventSeqs;
    if (oldest !== undefined && this.#eventSeqs.size > EVENT_TOPICS) {
      this.#forgottenSeq = Math.max(this.#forgottenSeq, oldest[1]);
      this.#eventSeqs.delete(oldest[0]);
    }
    return seq;
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

function patchOf(
  topic: string,
  before: JsonObject | undefined,
  document: JsonObject,
): JsonObject | undefined {
  try {
    if (before !== undefined) return diff(before, document);
    checkDocument(document);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof NotADocumentError)) throw cause;
    throw new HeartwireError(
      'bad_argument',
      `The document of ${topic} cannot be published: ${cause.message}.`,
      {
        mend: 'Leave out what is unknown.',
        cause,
      },
    );
  }
}
