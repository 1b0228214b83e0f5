import { isAlarms } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import type { Change } from './change.ts';
import { Encoder, FeedTally, type Framer } from './encoder.ts';
import { PatternTrie } from './pattern-trie.ts';
import type { FeedStore } from './store.ts';
import { type Sink, Subscriber, type SubscriberContext } from './subscriber.ts';
import { Delivery, keyOf, SubscriptionGroup } from './subscription-group.ts';
import { Subscriptions } from './subscriptions.ts';
import { withoutRaw } from './variants.ts';

/** Changes that may wait for the end of the turn; beyond it the subscribers take them over at once. */
const MAX_OPEN_DELIVERIES = 4_096;
const MAX_CACHED_TOPICS = 100_000;
/** Groups without changes of their own get the position only so often, in ticks of `sendPositions`. */
const IDLE_POSITION_TICKS = 20;

/**
 * What there is to write: something that subscribers share, an answer or a backlog of a single one, or something shared
 * that must not wait, which is an alarm.
 */
export type Pending = 'shared' | 'own' | 'urgent';

/** What the audience asks of the loop that performs its writes. */
export interface AudiencePort {
  /** There is something to write: make a pass at the end of this turn of the loop, or later where it may wait. */
  pending(what: Pending): void;
  /** More is published in one turn than may wait: make a pass now, or call `settle` where that can't be. */
  overfull(): void;
  /** Documents are held back: call `wakePaced` a moment later. */
  paced(): void;
}

/**
 * All subscribers of one store over one kind of transport. The path of a change to the sockets:
 *
 *     FeedStore ──Change──▶ Audience ──Delivery──▶ SubscriptionGroup (one for each set of patterns)
 *                              │ pending()              │ encoded once, joined to pieces
 *                              ▼                        ▼
 *                          FlushLoop ──each of pass()──▶ Subscriber.flush ──▶ Sink (the socket)
 *
 * A subscriber in sync writes the pieces of its group; one that is behind writes from its own `Backlog`.
 */
export class Audience implements SubscriberContext {
  readonly store: FeedStore;
  readonly encoder: Encoder;
  readonly tally = new FeedTally();
  readonly #port: AudiencePort;
  /** By their keys. */
  readonly #groups = new Map<string, SubscriptionGroup<Subscriber>>();
  readonly #trie = new PatternTrie<SubscriptionGroup<Subscriber>>();
  /** Topic to the groups whose patterns cover it. */
  readonly #matches = new Map<string, readonly SubscriptionGroup<Subscriber>[]>();
  readonly #unwritten = new Set<SubscriptionGroup<Subscriber>>();
  #woken = new Set<Subscriber>();
  readonly #paced = new Set<Subscriber>();
  /** Subscribers whose last position was not the present one. */
  readonly #positionLate = new Set<Subscriber>();
  readonly #stopListening: () => void;
  /** The group of subscribers that get nothing yet. */
  readonly #outside = new SubscriptionGroup<Subscriber>(Subscriptions.none);
  #openDeliveries = 0;
  #sentRev = 0;
  #ticks = 0;
  #inOwnPart = false;

  constructor(store: FeedStore, framer: Framer, port: AudiencePort) {
    this.store = store;
    this.encoder = new Encoder(store.epoch, framer, () => store.positionKey);
    this.#port = port;
    this.#stopListening = store.listen((change) => this.#deliver(change));
  }

  /** A new subscriber, which gets nothing yet that it did not ask for. */
  admit(sink: Sink): Subscriber {
    return new Subscriber(this, sink, this.#outside);
  }

  /** From now on a new subscriber gets broadcasts; patterns are assigned to it when it asks for them. */
  join(subscriber: Subscriber, now: Instant): void {
    this.assign(subscriber, Subscriptions.none, now);
  }

  detach(subscriber: Subscriber): void {
    subscriber.leave();
    this.#woken.delete(subscriber);
    this.#paced.delete(subscriber);
    this.#positionLate.delete(subscriber);
    this.#removeIfEmpty(subscriber.group);
  }

  /** From now on the subscriber gets what these patterns cover, each change once. */
  assign(subscriber: Subscriber, subscriptions: Subscriptions, now: Instant): void {
    const former = subscriber.group;
    const group = this.#group(subscriptions);
    subscriber.join(group, subscriptions.special ? subscriptions : group.subscriptions, now);
    this.#removeIfEmpty(former);
  }

  wake(subscriber: Subscriber): void {
    this.#woken.add(subscriber);
    this.#port.pending('own');
  }

  pace(subscriber: Subscriber): void {
    if (this.#paced.size === 0) this.#port.paced();
    this.#paced.add(subscriber);
  }

  sendPositionLater(subscriber: Subscriber): void {
    this.#positionLate.add(subscriber);
  }

  /** Wakes subscribers whose held back documents are due; call it a moment after `paced`, until it returns false. */
  wakePaced(now: Instant): boolean {
    for (const subscriber of this.#paced) if (!subscriber.wakePaced(now)) this.#paced.delete(subscriber);
    return this.#paced.size > 0;
  }

  /** Whether a pass would have something to write. */
  get pending(): boolean {
    return this.sharedPending || this.ownPending;
  }

  /** Answers or backlogs of single subscribers wait for the next pass. */
  get ownPending(): boolean {
    return this.#woken.size > 0;
  }

  /** The pass under way is past what subscribers share; what is left are answers and backlogs of single ones. */
  get inOwnPart(): boolean {
    return this.#inOwnPart;
  }

  /** Something that subscribers share waits for the next pass. */
  get sharedPending(): boolean {
    return this.#unwritten.size > 0;
  }

  /**
   * One pass: yields every subscriber that may have something to write; `flush` each. The caller may pause between
   * them; what is published meanwhile waits for the next pass. A pass may be ended in its own part: the subscribers
   * that are left go first in that part of the next one.
   */
  *pass(): Generator<Subscriber, void, void> {
    const groups = [...this.#unwritten];
    this.#unwritten.clear();
    this.#openDeliveries = 0;
    for (const group of groups) group.seal();
    for (const group of groups) {
      // One generator less between the pass and each of very many.
      for (const member of group.members) yield member;
      group.release();
    }
    yield* this.ownPass();
  }

  /** The part of a pass that is for single subscribers; what they share waits. */
  *ownPass(): Generator<Subscriber, void, void> {
    const woken = [...this.#woken];
    this.#woken.clear();
    this.#inOwnPart = true;
    let at = 0;
    try {
      for (; at < woken.length; ) {
        const next = woken[at++];
        if (next !== undefined) yield next;
      }
    } finally {
      this.#inOwnPart = false;
      if (at < woken.length) this.#woken = new Set([...woken.slice(at), ...this.#woken]);
    }
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

  /** Appends the position to every stream that had changes since the last one; to be called once a second. */
  sendPositions(): void {
    this.#ticks++;
    for (const subscriber of this.#positionLate) subscriber.sendPosition();
    this.#positionLate.clear();
    const { rev } = this.store;
    const idleToo = this.#ticks % IDLE_POSITION_TICKS === 0 && rev > this.#sentRev;
    if (idleToo) this.#sentRev = rev;
    const delivery = new Delivery({ kind: 'position', rev }, this.encoder);
    for (const group of this.#groups.values()) {
      if (group.patterns.length > 0 && (group.changed || idleToo)) this.#append(group, delivery);
    }
  }

  close(): void {
    this.#stopListening();
  }

  /** Whether any subscriber would get an event of this topic: one without subscribers need not be made. */
  subscribedTo(topic: string): boolean {
    return this.#groupsOf(topic).length > 0;
  }

  #deliver(change: Change): void {
    const groups = change.kind === 'broadcast' ? this.#groups.values() : this.#groupsOf(change.topic);
    let delivery: Delivery | undefined;
    let withRaw: Delivery | undefined;
    const brief = change.kind === 'event' ? withoutRaw(change) : change;
    for (const group of groups) {
      if (brief !== change && group.subscriptions.raw(change.topic)) {
        withRaw ??= new Delivery(change, this.encoder);
        this.#append(group, withRaw);
        continue;
      }
      delivery ??= new Delivery(brief, this.encoder);
      this.#append(group, delivery);
    }
    if (delivery === undefined && withRaw === undefined) return;
    if (++this.#openDeliveries >= MAX_OPEN_DELIVERIES) this.#port.overfull();
  }

  #append(group: SubscriptionGroup<Subscriber>, delivery: Delivery): void {
    group.append(delivery);
    this.#unwritten.add(group);
    const { change } = delivery;
    this.#port.pending(change.kind === 'event' && isAlarms(change.topic) ? 'urgent' : 'shared');
  }

  #groupsOf(topic: string): readonly SubscriptionGroup<Subscriber>[] {
    const known = this.#matches.get(topic);
    if (known !== undefined) return known;
    const found = [...this.#trie.match(topic.split('/'))];
    if (this.#matches.size >= MAX_CACHED_TOPICS) this.#matches.clear();
    this.#matches.set(topic, found);
    return found;
  }

  #group(subscriptions: Subscriptions): SubscriptionGroup<Subscriber> {
    const { patterns, rawPatterns } = subscriptions;
    const key = keyOf(patterns, rawPatterns);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = new SubscriptionGroup<Subscriber>(subscriptions.sharedTerms());
    this.#groups.set(key, group);
    for (const pattern of patterns) this.#trie.add(pattern, group);
    this.store.follow(patterns, 'subscriber');
    this.#matches.clear();
    return group;
  }

  #removeIfEmpty(group: SubscriptionGroup<Subscriber>): void {
    const { key } = group;
    // Removes the group only if it is still the registered one: a subscriber may be detached twice.
    if (!group.empty || group.patterns.length === 0 || this.#groups.get(key) !== group) return;
    this.#groups.delete(key);
    this.#unwritten.delete(group);
    for (const pattern of group.patterns) this.#trie.delete(pattern, group);
    this.store.unfollow(group.patterns, 'subscriber');
    this.#matches.clear();
  }
}
