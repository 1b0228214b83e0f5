import type { BroadcastChange, EventChange } from './change.ts';
import type { PatternTrie } from './pattern-trie.ts';
import { type Link, Recency } from './recency.ts';
import { isJsonObject, type Json } from './wire/json.ts';
import { needsLiteralEnd } from './wire/topic.ts';

/** Events kept of one topic. */
const KEPT_PER_TOPIC = 1_000;
/** Bytes kept of all topics together, roughly; the oldest go first. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** Topics whose `seq` is remembered. */
const TOPICS = 100_000;
/** Of what is lost, every so many events it is remembered which `rev` had which `seq`. */
const MILESTONE_EVERY = 100;
const MILESTONES = 100;

export type PastEvent = EventChange | BroadcastChange;

/** Events of one topic that nobody can be told any more. */
export interface Gap {
  readonly topic: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Of the first of them, or less. */
  readonly rev: number;
  readonly reason: 'slow_consumer' | 'unacked' | 'expired';
}

interface EventTopic {
  readonly topic: string;
  readonly levels: readonly string[];
  readonly bytes: boolean;
  readonly firstSeq: number;
  seq: number;
  rev: number;
  kept: PastEvent[];
  head: number;
  /** Of the newest event that is not kept. */
  lostRev: number;
  lostSeq: number;
  readonly milestones: Array<readonly [rev: number, seq: number]>;
}

/** What happened lately: the `seq` of every event topic, and its last events for those who come back. */
export class EventLog {
  readonly #topics = new Map<string, Link<EventTopic>>();
  readonly #recency = new Recency<EventTopic>();
  /** All that is kept, oldest first, among some that is not kept any more. */
  #order: PastEvent[] = [];
  #orderHead = 0;
  #keptCount = 0;
  #keptBytes = 0;
  #forgottenSeq = 0;
  /** Up to here it is not known any more which topics had events. */
  #forgottenRev = 0;
  readonly #sizes = new WeakMap<PastEvent, number>();

  get forgottenRev(): number {
    return this.#forgottenRev;
  }

  /** The `seq` that the next event of a topic gets; `levels` are those of a topic that was checked. */
  seqAfter(topic: string, levels: () => readonly string[]): number {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known.value.seq + 1;
    const seq = this.#forgottenSeq;
    const split = levels();
    const value: EventTopic = {
      topic,
      levels: split,
      bytes: needsLiteralEnd(split),
      firstSeq: seq + 1,
      seq,
      rev: 0,
      kept: [],
      head: 0,
      lostRev: 0,
      lostSeq: seq,
      milestones: [],
    };
    this.#topics.set(topic, this.#recency.add(value));
    this.#forgetTopic();
    return seq + 1;
  }

  add(event: PastEvent): void {
    const link = this.#topics.get(event.topic);
    if (link === undefined) return;
    this.#recency.touch(link);
    const { value } = link;
    value.seq = event.seq;
    value.rev = event.rev;
    // Raw bytes are many, and are taken down only while somebody listens: there is nothing to come back to.
    if (value.bytes) return lose(value, event);
    const size = roughSize(event.data);
    this.#sizes.set(event, size);
    this.#keptBytes += size;
    this.#keptCount++;
    value.kept.push(event);
    this.#order.push(event);
    if (value.kept.length - value.head > KEPT_PER_TOPIC) this.#drop(value);
    while (this.#keptBytes > KEPT_BYTES) this.#dropOldest();
    if (this.#order.length > 2 * this.#keptCount + KEPT_PER_TOPIC) this.#compact();
  }

  /** Lets go of all events up to `rev`. */
  expire(rev: number): void {
    while ((this.#order[this.#orderHead]?.rev ?? Infinity) <= rev) this.#dropOldest();
  }

  /** What happened after `rev` to topics that are covered: events in their order, and what of it is lost. */
  since(rev: number, patterns: PatternTrie<true>): { events: PastEvent[]; gaps: Gap[] } {
    const events: PastEvent[] = [];
    const gaps: Gap[] = [];
    for (const each of this.#recency.newestFirst()) {
      if (each.rev <= rev) break;
      if (!patterns.covers(each.levels)) continue;
      if (each.lostRev > rev) {
        const before = each.milestones.findLast(([at]) => at <= rev)?.[1] ?? each.firstSeq - 1;
        const { topic, lostSeq: toSeq } = each;
        gaps.push({ topic, fromSeq: before + 1, toSeq, rev: rev + 1, reason: 'expired' });
      }
      for (let index = each.kept.length - 1; index >= each.head; index--) {
        const event = each.kept[index];
        if (event === undefined || event.rev <= rev) break;
        events.push(event);
      }
    }
    events.sort((a, b) => a.rev - b.rev);
    return { events, gaps };
  }

  #dropOldest(): void {
    const oldest = this.#order[this.#orderHead];
    if (oldest === undefined) return;
    this.#orderHead++;
    if (this.#orderHead > KEPT_PER_TOPIC && this.#orderHead * 2 > this.#order.length) this.#compact();
    const topic = this.#topics.get(oldest.topic)?.value;
    if (topic?.kept[topic.head] === oldest) this.#drop(topic);
  }

  #drop(topic: EventTopic): void {
    const event = topic.kept[topic.head];
    if (event === undefined) return;
    topic.head++;
    this.#keptCount--;
    this.#keptBytes -= this.#sizes.get(event) ?? 0;
    lose(topic, event);
    if (topic.head > KEPT_PER_TOPIC || topic.head === topic.kept.length) {
      topic.kept = topic.kept.slice(topic.head);
      topic.head = 0;
    }
  }

  #compact(): void {
    this.#order = this.#order
      .slice(this.#orderHead)
      .filter((event) => event.rev > (this.#topics.get(event.topic)?.value.lostRev ?? Infinity));
    this.#orderHead = 0;
  }

  #forgetTopic(): void {
    const [oldest] = this.#topics.values();
    if (oldest === undefined || this.#topics.size <= TOPICS) return;
    const { value } = oldest;
    while (value.head < value.kept.length) this.#drop(value);
    this.#forgottenSeq = Math.max(this.#forgottenSeq, value.seq);
    this.#forgottenRev = Math.max(this.#forgottenRev, value.rev);
    this.#topics.delete(value.topic);
    this.#recency.remove(oldest);
  }
}

function lose(topic: EventTopic, { rev, seq }: PastEvent): void {
  topic.lostRev = rev;
  topic.lostSeq = seq;
  if (seq % MILESTONE_EVERY !== 0) return;
  topic.milestones.push([rev, seq]);
  if (topic.milestones.length > MILESTONES) topic.milestones.shift();
}

/** Bytes of memory, in its order of magnitude. */
function roughSize(value: Json | undefined): number {
  if (typeof value === 'string') return 24 + value.length;
  if (Array.isArray(value)) {
    let size = 32;
    for (const item of value as readonly Json[]) size += roughSize(item);
    return size;
  }
  if (!isJsonObject(value)) return 16;
  let size = 48;
  for (const key in value) size += 16 + roughSize(value[key]);
  return size;
}
