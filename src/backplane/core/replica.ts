import type { EventStamp } from '../../contract/index.ts';
import { applyPatch, isJsonObject, type Json, type JsonObject } from '../../contract/wire/index.ts';
import type { Entry, ShardState, SharedDocument } from './backplane.ts';
import { changesOf, parsed, type SharedChange } from './change-text.ts';
import { unitOfTopic } from './shards.ts';

/** Event topics whose `seq` is known; beyond it the one that has been known longest is forgotten. */
const EVENT_TOPICS = 10_000;

/** A document of another instance. */
export interface ForeignDocument {
  readonly life: string;
  readonly seq: number;
  readonly document: JsonObject;
}

/** What a replica finds out. */
export interface ReplicaSink {
  document(topic: string, foreign: ForeignDocument): void;
  removed(topic: string): void;
  event(topic: string, data: JsonObject, origin: EventStamp): void;
  broadcast(from: string, data: Json, origin: EventStamp): void;
  /** So many events of this topic, or more, never came. */
  lost(topic: string, count: number): void;
}

/** Up to which event of a topic a life was followed; `broken`: some may be missing behind it, and that was reported. */
interface Followed {
  readonly topic: string;
  readonly life: string;
  readonly seq: number;
  readonly broken?: boolean;
}

/**
 * What the other instances say in one shard: a snapshot of the hash, and then the entries of the log, each exactly once.
 *
 *     absent ──began──▶ loading ──loaded──▶ current ──an entry is missing, or of another epoch──▶ loading
 */
export class ShardReplica {
  readonly #life: string;
  readonly #sink: ReplicaSink;
  readonly #documents = new Map<string, ForeignDocument>();
  /** By topic; where several lives may speak, by topic and life. */
  readonly #events = new Map<string, Followed>();
  /** There may be topics of which events never came, and nothing else either. */
  #missed = false;
  #epoch = '';
  #rev = 0;
  #seen: Set<string> | undefined;

  /** What `life` says is left out: it is this instance. */
  constructor(life: string, sink: ReplicaSink) {
    this.#life = life;
    this.#sink = sink;
  }

  get rev(): number {
    return this.#rev;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get documents(): ReadonlyMap<string, ForeignDocument> {
    return this.#documents;
  }

  /** A snapshot begins. */
  begin(): void {
    this.#seen = new Set();
  }

  load(documents: readonly SharedDocument[]): void {
    for (const { topic, text } of documents) {
      const version = parsed(text);
      if (!isJsonObject(version as Json) || typeof version !== 'object' || version === null) continue;
      const { l: life, s: seq, d: document } = version as Record<string, Json>;
      if (typeof life !== 'string' || typeof seq !== 'number' || !isJsonObject(document)) continue;
      this.#seen?.add(topic);
      if (life === this.#life) this.#forget(topic, false);
      else this.#set(topic, { life, seq, document });
    }
  }

  /**
   * The snapshot is complete: it holds everything up to this state at least. What is in it no more was removed, unless
   * the server lost what it had: then it stays as it was until its owner says more.
   */
  loaded({ epoch, rev }: ShardState): void {
    const former = this.#epoch;
    if (former === epoch)
      for (const topic of [...this.#documents.keys()])
        if (this.#seen?.has(topic) !== true) this.#forget(topic, true);
    this.#seen = undefined;
    if (former !== '') this.#miss();
    this.#epoch = epoch;
    this.#rev = rev;
  }

  /** False where entries before this one are missing, or the epoch is another one: a snapshot is to be loaded. */
  apply(entry: Entry): boolean {
    if (entry.epoch !== this.#epoch) return false;
    if (entry.rev <= this.#rev) return true;
    if (entry.rev !== this.#rev + 1) return false;
    this.#rev = entry.rev;
    if (entry.life === this.#life) return true;
    for (const change of changesOf(entry.changes) ?? []) if (!this.#change(entry, change)) return false;
    return true;
  }

  /** This instance owns the topic from now on. */
  release(topic: string): void {
    this.#forget(topic, false);
  }

  #change({ life, unit }: Entry, change: SharedChange): boolean {
    const [kind, topic, seq] = change;
    switch (kind) {
      case 'document':
        this.#set(topic, { life, seq, document: change[3] });
        return true;
      case 'patch': {
        const known = this.#documents.get(topic);
        if (known?.life === life && known.seq >= seq) return true;
        if (known?.life !== life || known.seq !== change[3]) return false;
        this.#set(topic, { life, seq, document: applyPatch(known.document, change[4]) });
        return true;
      }
      case 'removal': {
        const known = this.#documents.get(topic);
        if (known?.life !== life || known.seq < seq) this.#forget(topic, true);
        return true;
      }
      case 'event':
        if (this.#isNext(topic, life, seq))
          this.#sink.event(topic, change[3], originOf(life, seq, change[4]));
        return true;
      case 'broadcast':
        if (this.#isNext(topic, life, seq))
          this.#sink.broadcast(change[3], change[4], originOf(life, seq, change[5]));
        return true;
      case 'lost':
        this.#lose(topic, life, seq, unit === unitOfTopic(topic));
        return true;
      case 'said':
        return true;
    }
  }

  #set(topic: string, foreign: ForeignDocument): void {
    const known = this.#documents.get(topic);
    if (known?.life === foreign.life && known.seq >= foreign.seq) return;
    this.#documents.set(topic, foreign);
    this.#sink.document(topic, foreign);
  }

  #forget(topic: string, shown: boolean): void {
    if (this.#documents.delete(topic) && shown) this.#sink.removed(topic);
  }

  /**
   * False for one that came before; reports those that did not. What a former owner of a device did not publish before it
   * was killed is not known: with another owner events may be missing.
   */
  #isNext(topic: string, life: string, seq: number): boolean {
    const last = this.#events.get(keyOf(topic, life));
    const isSame = last?.life === life;
    const known = isSame ? last.seq : undefined;
    if (known !== undefined && seq <= known) return false;
    this.#follow(topic, life, seq);
    if (known === undefined) {
      // Several lives speak of one topic where no device does: the first event of one follows on nothing.
      const isDevices = unitOfTopic(topic) !== '';
      const isAfter = last === undefined ? this.#missed && (isDevices || seq > 1) : !isSame;
      if (isAfter) this.#sink.lost(topic, 1);
      return true;
    }
    if (seq > known + 1 && last?.broken !== true) this.#sink.lost(topic, seq - known - 1);
    return true;
  }

  /** A life said that events were lost; `owns`: it is the owner, and not one that was. */
  #lose(topic: string, life: string, seq: number, owns: boolean): void {
    const last = this.#events.get(keyOf(topic, life));
    const known = last?.life === life ? last.seq : undefined;
    if (known !== undefined && seq <= known) return;
    if (owns || last === undefined || last.life === life) this.#follow(topic, life, seq);
    this.#sink.lost(topic, known === undefined ? 1 : seq - known);
  }

  #follow(topic: string, life: string, seq: number): void {
    const key = keyOf(topic, life);
    this.#events.delete(key);
    this.#events.set(key, { topic, life, seq });
    if (this.#events.size <= EVENT_TOPICS) return;
    const [oldest] = this.#events.keys();
    if (oldest !== undefined) this.#events.delete(oldest);
    this.#missed = true;
  }

  /** Entries were missed: of every topic that had events there may have been some among them. */
  #miss(): void {
    const topics = new Set<string>();
    for (const [key, followed] of this.#events) {
      topics.add(followed.topic);
      this.#events.set(key, { ...followed, broken: true });
    }
    for (const topic of topics) this.#sink.lost(topic, 1);
    this.#missed = true;
  }
}

const keyOf = (topic: string, life: string): string =>
  unitOfTopic(topic) === '' ? `${topic} ${life}` : topic;

/** The name of a life ends in the epoch of its feed. */
const originOf = (life: string, seq: number, id: string): EventStamp => ({
  id,
  epoch: life.slice(life.indexOf('/') + 1),
  seq,
});
