import { needsLiteralEnd } from '../../contract/wire/index.ts';
import { Ring } from '../../system/index.ts';
import { type BroadcastChange, type EventChange, roughSize } from './change.ts';
import type { PatternTrie } from './pattern-trie.ts';
import { type Link, Recency } from './recency.ts';
import { Interest, type TopicInterest } from './topic-interest.ts';

/** Events kept of one topic. */
const KEPT_PER_TOPIC = 1_000;
/** Bytes kept of all topics together, roughly; the oldest go first. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** Topics whose `seq` is remembered; beyond it the one that has been quiet the longest is forgotten. */
const TOPICS = 100_000;
/** For lost events, the `rev` of every so many is remembered. */
const MILESTONE_EVERY = 100;
const MILESTONES = 100;

export type PastEvent = EventChange | BroadcastChange;

/** The `rev` after which a subscriber gets the events of a topic anyway; infinite where it gets none. */
export type SentAfter = (levels: readonly string[]) => number;

/** Events of one topic that can no longer be sent. */
export interface Gap {
  readonly topic: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Of the first of them, or less. */
  readonly rev: number;
  readonly reason: 'slow_consumer' | 'unacked' | 'expired' | 'lost';
}

interface EventTopic {
  readonly topic: string;
  readonly interest: Interest;
  readonly bytes: boolean;
  readonly firstSeq: number;
  seq: number;
  rev: number;
  followed: boolean;
  readonly kept: Ring<PastEvent>;
  /** Of each event that is kept. */
  readonly sizes: Ring<number>;
  /** Its places at the front of the order of all that stand for events which are not kept any more. */
  gone: number;
  /** Of the newest event that is not kept. */
  lostRev: number;
  lostSeq: number;
  readonly milestones: Array<readonly [rev: number, seq: number]>;
}

/** The number of the next event of a topic, and whether it is kept. */
export interface NextEvent {
  readonly seq: number;
  /** Some client is subscribed to it, or may come back for it: it is to be added. */
  readonly followed: boolean;
}

/** The `seq` of every event topic, and its last events for clients that come back. */
export class EventLog {
  readonly #topics = new Map<string, Link<EventTopic>>();
  readonly #recency = new Recency<EventTopic>();
  /** Absent: everything is. */
  readonly #followed: TopicInterest | undefined;
  /** The topics of all that is kept, oldest first, among places of what is not kept any more. */
  readonly #order = new Ring<EventTopic>();
  #keptCount = 0;
  #keptBytes = 0;
  #forgottenSeq = 0;
  /** Up to here it is not known any more which topics had events. */
  #forgottenRev = 0;

  constructor(followed?: TopicInterest) {
    this.#followed = followed;
  }

  get forgottenRev(): number {
    return this.#forgottenRev;
  }

  /** Nothing is kept that could become too old, nor a place of what was. */
  get empty(): boolean {
    return this.#order.length === 0;
  }

  had(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** Counts one more event of a topic, which has this `rev`; `levels` are those of a topic that was checked. */
  next(topic: string, rev: number, levels: () => readonly string[]): NextEvent {
    const link = this.#topics.get(topic) ?? this.#begin(topic, levels());
    const { value } = link;
    value.seq += 1;
    value.rev = rev;
    this.#recency.touch(link);
    value.followed = this.#followed === undefined || value.interest.among(this.#followed);
    if (value.followed) return value;
    // The events kept from when it was followed end before this one: all of them become one gap for a returning client.
    this.#dropAll(value);
    lose(value, rev, value.seq);
    return value;
  }

  /** Counts events that were lost before they came here, up to this `rev`; what is kept from before them ends. */
  lose(topic: string, rev: number, count: number, levels: () => readonly string[]): number {
    const { value } = this.#topics.get(topic) ?? this.#begin(topic, levels());
    value.seq += count - 1;
    const { seq } = this.next(topic, rev, levels);
    this.#dropAll(value);
    lose(value, rev, seq);
    return seq;
  }

  /** Keeps an event that was counted just now and is followed. */
  add(event: PastEvent): void {
    const value = this.#topics.get(event.topic)?.value;
    if (value === undefined) return;
    // Raw bytes are many, and are recorded only while a client is subscribed: none are kept for later.
    if (value.bytes) return lose(value, event.rev, event.seq);
    const size = roughSize(event.data);
    this.#keptBytes += size;
    this.#keptCount++;
    value.kept.push(event);
    value.sizes.push(size);
    this.#order.push(value);
    if (value.kept.length > KEPT_PER_TOPIC) {
      this.#drop(value);
      value.gone++;
    }
    while (this.#keptBytes > KEPT_BYTES) this.#dropOldest();
    if (this.#order.length > 2 * this.#keptCount + KEPT_PER_TOPIC) this.#compact();
  }

  /** Removes all events up to `rev`. */
  expire(rev: number): void {
    for (let oldest = this.#order.at(0); oldest !== undefined; oldest = this.#order.at(0)) {
      if (oldest.gone === 0 && (oldest.kept.at(0)?.rev ?? Infinity) > rev) return;
      this.#dropOldest();
    }
  }

  /**
   * The events after `rev` of covered topics that are not sent anyway, in their order; and the gaps among them. `coveredTo`:
   * up to which `rev` each of them is known already, by its topic and by where it came from.
   */
  since(
    rev: number,
    patterns: PatternTrie<true>,
    sentAfter: SentAfter,
    coveredTo: (topic: string, id?: string) => number = () => rev,
  ): { events: PastEvent[]; gaps: Gap[] } {
    const events: PastEvent[] = [];
    const gaps: Gap[] = [];
    for (const each of this.#recency.newestFirst()) {
      if (each.rev <= rev) break;
      const { levels } = each.interest;
      if (!patterns.covers(levels)) continue;
      const end = sentAfter(levels);
      if (end <= rev) continue;
      const { topic } = each;
      const known = coveredTo(topic);
      if (each.lostRev > known) {
        const before = each.milestones.findLast(([at]) => at <= known)?.[1] ?? each.firstSeq - 1;
        gaps.push({ topic, fromSeq: before + 1, toSeq: each.lostSeq, rev: known + 1, reason: 'expired' });
      }
      for (let index = each.kept.length - 1; index >= 0; index--) {
        const event = each.kept.at(index);
        if (event === undefined || event.rev <= rev) break;
        if (event.rev <= end && event.rev > coveredTo(topic, event.id)) events.push(event);
      }
    }
    events.sort((a, b) => a.rev - b.rev);
    return { events, gaps };
  }

  #begin(topic: string, levels: readonly string[]): Link<EventTopic> {
    if (this.#topics.size >= TOPICS) this.#forgetQuietest();
    const seq = this.#forgottenSeq;
    const link = this.#recency.add({
      topic,
      interest: new Interest(levels),
      bytes: needsLiteralEnd(levels),
      firstSeq: seq + 1,
      seq,
      rev: 0,
      followed: false,
      kept: new Ring(),
      sizes: new Ring(),
      gone: 0,
      lostRev: 0,
      lostSeq: seq,
      milestones: [],
    });
    this.#topics.set(topic, link);
    return link;
  }

  /** Removes the first place of the order, and its event where it is still there. */
  #dropOldest(): void {
    const topic = this.#order.shift();
    if (topic === undefined) return;
    if (topic.gone > 0) topic.gone--;
    else this.#drop(topic);
  }

  #dropAll(topic: EventTopic): void {
    while (topic.kept.length > 0) {
      this.#drop(topic);
      topic.gone++;
    }
  }

  #drop(topic: EventTopic): void {
    const event = topic.kept.shift();
    if (event === undefined) return;
    this.#keptCount--;
    this.#keptBytes -= topic.sizes.shift() ?? 0;
    lose(topic, event.rev, event.seq);
  }

  /** Removes places without events; a topic loses its events in the order in which they came. */
  #compact(): void {
    this.#order.retain((topic) => {
      if (topic.gone === 0) return true;
      topic.gone--;
      return false;
    });
  }

  /** Forgets the topic that has been quiet the longest, so that as many positions as possible stay recoverable. */
  #forgetQuietest(): void {
    const quietest = this.#recency.oldest();
    if (quietest === undefined) return;
    const { value } = quietest;
    this.#dropAll(value);
    this.#forgottenSeq = Math.max(this.#forgottenSeq, value.seq);
    this.#forgottenRev = Math.max(this.#forgottenRev, value.rev);
    this.#topics.delete(value.topic);
    this.#recency.remove(quietest);
  }
}

function lose(topic: EventTopic, rev: number, seq: number): void {
  topic.lostRev = rev;
  topic.lostSeq = seq;
  if (seq % MILESTONE_EVERY !== 0) return;
  topic.milestones.push([rev, seq]);
  if (topic.milestones.length > MILESTONES) topic.milestones.shift();
}
