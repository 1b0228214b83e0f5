import type { ClientMessage, FeedErrorCode } from '../../contract/feed/index.ts';
import type { RecoveryCut } from '../../contract/index.ts';
import type { Instant } from '../../instant.ts';
import type { Audience } from './audience.ts';
import { PatternTrie } from './pattern-trie.ts';
import { BROADCAST_TOPIC } from './store.ts';
import type { Subscriber } from './subscriber.ts';

type Subscribe = Extract<ClientMessage, { readonly type: 'subscribe' }>;

/** Why a request was not carried out. */
export interface SubscriptionProblem {
  readonly code: FeedErrorCode;
  readonly message: string;
}

/**
 * Adds a subscription, answered with a snapshot or with what was missed; returns what is wrong with it. `cut`: what `since`
 * covers here, where another instance gave it.
 */
export function subscribe(
  audience: Audience,
  subscriber: Subscriber,
  { id, topics, since, max_hz: maxHz, ack, raw }: Subscribe,
  maxPatterns: number,
  now: Instant,
  cut?: RecoveryCut,
): SubscriptionProblem | undefined {
  const former = subscriber.subscriptions.patterns;
  const subscriptions = subscriber.subscriptions.with(topics, { maxHz, ack, raw });
  if (subscriptions.patterns.length > maxPatterns) return tooManyPatterns(maxPatterns);
  audience.assign(subscriber, subscriptions, now);
  const own = since === undefined ? undefined : audience.store.recoverable(since);
  const rev = own ?? cut?.rev;
  const { sentFrom } = subscriber;
  subscriber.sentFrom = sentFromThenOn(subscriber, former, topics, rev ?? audience.store.rev);
  if (rev === undefined) {
    subscriber.startSnapshot(topics, id);
    return undefined;
  }
  const starts = startsOf(sentFrom, former);
  const sentAfter = (levels: readonly string[]): number => Math.min(Infinity, ...starts.match(levels));
  subscriber.startRecovery({ patterns: topics, since: own ?? cut ?? rev, replyTo: id, sentAfter }, now);
  return undefined;
}

export const tooManyPatterns = (most: number): SubscriptionProblem => ({
  code: 'too_many_patterns',
  message: `A client may subscribe to ${most} patterns at once.`,
});

/** From which `rev` on each of these patterns is sent. */
function startsOf(sentFrom: Subscriber['sentFrom'], patterns: readonly string[]): PatternTrie<number> {
  const starts = new PatternTrie<number>();
  for (const pattern of patterns) starts.add(pattern, startOf(sentFrom, pattern));
  return starts;
}

/** From which `rev` on a pattern of the subscriber is sent. */
function startOf(sent: Subscriber['sentFrom'], pattern: string): number {
  return typeof sent === 'number' ? sent : (sent.get(pattern) ?? Infinity);
}

/** With further patterns that are sent from `rev` on; a subscriber with one request, like nearly all, needs no map. */
function sentFromThenOn(
  { sentFrom }: Subscriber,
  former: readonly string[],
  added: readonly string[],
  rev: number,
): Subscriber['sentFrom'] {
  if (former.length === 0 || sentFrom === rev) return rev;
  const starts = new Map(former.map((pattern) => [pattern, startOf(sentFrom, pattern)]));
  for (const pattern of added) starts.set(pattern, Math.min(starts.get(pattern) ?? rev, rev));
  return starts;
}

/** Ends subscriptions; returns what is wrong with that. */
export function unsubscribe(
  audience: Audience,
  subscriber: Subscriber,
  topics: readonly string[],
  replyTo: { readonly reply_to?: string },
  now: Instant,
): SubscriptionProblem | undefined {
  const unknown = topics.find((topic) => !subscriber.subscriptions.has(topic));
  if (unknown !== undefined) {
    return { code: 'not_subscribed', message: `There is no subscription to "${unknown}".` };
  }
  const subscriptions = subscriber.subscriptions.without(topics);
  audience.assign(subscriber, subscriptions, now);
  // Very many events of few topics may wait.
  const known = new Map([[BROADCAST_TOPIC, true]]);
  subscriber.forget(topics, (topic) => {
    const wanted = known.get(topic) ?? subscriptions.covers(topic);
    known.set(topic, wanted);
    return wanted;
  });
  subscriber.send('response', { ...replyTo, result: { unsubscribed: topics } }, now);
  return undefined;
}

/** Sends topics again as they are now; returns what is wrong with that. */
export function resync(
  subscriber: Subscriber,
  topics: readonly string[],
  replyTo: { readonly reply_to?: string },
  now: Instant,
): SubscriptionProblem | undefined {
  const foreign = topics.find((topic) => !subscriber.subscriptions.covers(topic));
  if (foreign !== undefined) {
    return { code: 'not_subscribed', message: `No subscription covers "${foreign}".` };
  }
  subscriber.send('response', { ...replyTo, result: { resyncing: topics } }, now);
  subscriber.startResync(topics);
  return undefined;
}
