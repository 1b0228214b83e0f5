import type { Instant } from '../../instant.ts';
import type { Change } from './change.ts';
import { Encoder, type Framer } from './encoder.ts';
import { FeedTally } from './feed-tally.ts';
import { Interests } from './interests.ts';
import { PatternTrie } from './pattern-trie.ts';
import type { FeedStore } from './store.ts';
import { type Sink, Subscriber } from './subscriber.ts';
import type { SubscriberSurroundings } from './subscriber-surroundings.ts';
import { Delivery, SubscriptionGroup } from './subscription-group.ts';

/** Changes that may wait for the end of the turn; beyond it they are taken over by the subscribers at once. */
const MAX_OPEN_DELIVERIES = 4_096;
const MAX_CACHED_TOPICS = 100_000;
/** Cohorts that hear nothing of their own are told the position only so often, in ticks of `tellPositions`. */
const IDLE_POSITION_TICKS = 20;

/** What the audience asks of whoever performs its writes. */
export interface AudiencePort {
  /** There is something to write: make a pass at the end of this turn of the loop. */
  pending(): void;
  /** More is published in one turn than may wait: make a pass now, or call `settle` where that can't be. */
  overfull(): void;
  /** Documents are held back: call `wakePaced` a moment later. */
  paced(): void;
}

/** Who hears what: all subscribers of one store over one kind of transport. */
export class Audience implements SubscriberSurroundings {
  readonly store: FeedStore;
  readonly encoder: Encoder;
  readonly tally = new FeedTally();
  readonly #port: AudiencePort;
  readonly #groups = new Map<string, SubscriptionGroup>();
  readonly #trie = new PatternTrie<SubscriptionGroup>();
  /** Topic to the cohorts that hear it. */
  readonly #matches = new Map<string, readonly SubscriptionGroup[]>();
  readonly #unwritten = new Set<SubscriptionGroup>();
  readonly #woken = new Set<Subscriber>();
  readonly #paced = new Set<Subscriber>();
  /** Those who were not told the whole position the last time, because something held them up. */
  readonly #heldUp = new Set<Subscriber>();
  readonly #stopListening: () => void;
  /** Nothing is delivered to those in here. */
  readonly #outside = new SubscriptionGroup([]);
  #openDeliveries = 0;
  #toldRev = 0;
  #ticks = 0;

  constructor(store: FeedStore, framer: Framer, port: AudiencePort) {
    this.store = store;
    this.encoder = new Encoder(store.epoch, framer);
    this.#port = port;
    this.#stopListening = store.listen((change) => this.#deliver(change));
  }

  /** A new subscriber, who hears nothing at all yet. */
  admit(sink: Sink): Subscriber {
    return new Subscriber(this, sink, this.#outside);
  }

  /** From now on a new subscriber hears broadcasts; patterns are assigned to it when it asks for them. */
  letIn(subscriber: Subscriber, now: Instant): void {
    this.assign(subscriber, Interests.none, now);
  }

  dismiss(subscriber: Subscriber): void {
    subscriber.leave();
    this.#woken.delete(subscriber);
    this.#paced.delete(subscriber);
    this.#heldUp.delete(subscriber);
    this.#disband(subscriber.group);
  }

  /** From now on the subscriber hears what these patterns cover, each change once. */
  assign(subscriber: Subscriber, interests: Interests, now: Instant): void {
    const former = subscriber.group;
    const group = this.#group(interests.patterns.toSorted());
    subscriber.join(group, interests.special ? interests : group.interests, now);
    this.#disband(former);
  }

  wake(subscriber: Subscriber): void {
    this.#woken.add(subscriber);
    this.#port.pending();
  }

  pace(subscriber: Subscriber): void {
    if (this.#paced.size === 0) this.#port.paced();
    this.#paced.add(subscriber);
  }

  tellLater(subscriber: Subscriber): void {
    this.#heldUp.add(subscriber);
  }

  /** Wakes those whose held back documents are due; to be called a moment after `paced`, until it returns false. */
  wakePaced(now: Instant): boolean {
    for (const subscriber of this.#paced) if (!subscriber.wakePaced(now)) this.#paced.delete(subscriber);
    return this.#paced.size > 0;
  }

  /** Whether a pass would have something to write. */
  get pending(): boolean {
    return this.#unwritten.size > 0 || this.#woken.size > 0;
  }

  /**
   * One pass: yields every subscriber that may have something to write; `flush` each. The caller may pause between
   * them; what is published meanwhile waits for the next pass.
   */
  *pass(): Generator<Subscriber, void, void> {
    const groups = [...this.#unwritten];
    const woken = [...this.#woken];
    this.#unwritten.clear();
    this.#woken.clear();
    this.#openDeliveries = 0;
    for (const group of groups) group.seal();
    for (const group of groups) {
      // One generator less between the pass and each of very many.
      for (const member of group.members) yield member;
      group.release();
    }
    yield* woken;
  }

  /** Every subscriber takes over what waits for it, within its own bounds. */
  settle(now: Instant): void {
    for (const group of this.#unwritten) {
      for (const member of group.members) {
        member.settle(now);
        this.#woken.add(member);
      }
      group.seal();
      group.release();
    }
    this.#unwritten.clear();
    this.#openDeliveries = 0;
  }

  /** Puts the position into the stream of all who heard something since the last time; to be called once a second. */
  tellPositions(): void {
    this.#ticks++;
    for (const subscriber of this.#heldUp) subscriber.tellPosition();
    this.#heldUp.clear();
    const { rev } = this.store;
    const idleToo = this.#ticks % IDLE_POSITION_TICKS === 0 && rev > this.#toldRev;
    if (idleToo) this.#toldRev = rev;
    const delivery = new Delivery({ kind: 'position', rev }, this.encoder);
    for (const group of this.#groups.values()) {
      if (group.patterns.length > 0 && (group.changed || idleToo)) this.#append(group, delivery);
    }
  }

  close(): void {
    this.#stopListening();
  }

  #deliver(change: Change): void {
    const groups = change.kind === 'broadcast' ? this.#groups.values() : this.#hearing(change.topic);
    let delivery: Delivery | undefined;
    for (const group of groups) {
      delivery ??= new Delivery(change, this.encoder);
      this.#append(group, delivery);
    }
    if (delivery !== undefined && ++this.#openDeliveries >= MAX_OPEN_DELIVERIES) this.#port.overfull();
  }

  #append(group: SubscriptionGroup, delivery: Delivery): void {
    group.append(delivery);
    this.#unwritten.add(group);
    this.#port.pending();
  }

  /** Whether anybody would hear an event of this topic, so that what nobody wants need not be made. */
  hears(topic: string): boolean {
    return this.#hearing(topic).length > 0;
  }

  #hearing(topic: string): readonly SubscriptionGroup[] {
    const known = this.#matches.get(topic);
    if (known !== undefined) return known;
    const found = [...this.#trie.match(topic.split('/'))];
    if (this.#matches.size >= MAX_CACHED_TOPICS) this.#matches.clear();
    this.#matches.set(topic, found);
    return found;
  }

  #group(patterns: readonly string[]): SubscriptionGroup {
    const key = patterns.join('\n');
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = new SubscriptionGroup(patterns);
    this.#groups.set(key, group);
    for (const pattern of patterns) this.#trie.add(pattern, group);
    this.store.follow(patterns);
    this.#matches.clear();
    return group;
  }

  #disband(group: SubscriptionGroup): void {
    const key = group.patterns.join('\n');
    // Who goes twice must not take the cohort with him that others have made of the same patterns since.
    if (!group.empty || group.patterns.length === 0 || this.#groups.get(key) !== group) return;
    this.#groups.delete(key);
    this.#unwritten.delete(group);
    for (const pattern of group.patterns) this.#trie.delete(pattern, group);
    this.store.unfollow(group.patterns);
    this.#matches.clear();
  }
}
