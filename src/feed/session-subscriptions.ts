import type { Instant } from '../instant.ts';
import type { Audience } from './audience.ts';
import { BROADCAST_TOPIC } from './store.ts';
import type { Subscriber } from './subscriber.ts';
import type { ClientMessage } from './wire/client-message.ts';
import type { FeedErrorCode } from './wire/feed-error.ts';
import { matchesTopic } from './wire/topic.ts';

type Subscribe = Extract<ClientMessage, { readonly type: 'subscribe' }>;

/** Why a request was not carried out. */
export interface SubscriptionProblem {
  readonly code: FeedErrorCode;
  readonly message: string;
}

/** What one client follows; each request is carried out and answered, or returns what is wrong with it. */
export class SessionSubscriptions {
  readonly #audience: Audience;
  readonly #subscriber: Subscriber;
  readonly #maxPatterns: number;

  constructor(audience: Audience, subscriber: Subscriber, maxPatterns: number) {
    this.#audience = audience;
    this.#subscriber = subscriber;
    this.#maxPatterns = maxPatterns;
  }

  subscribe({ id, topics, since, maxHz, ack }: Subscribe, now: Instant): SubscriptionProblem | undefined {
    const { interests } = this.#subscriber;
    const former = interests.patterns;
    if (new Set([...former, ...topics]).size > this.#maxPatterns) {
      const message = `A client may subscribe to ${this.#maxPatterns} patterns at once.`;
      return { code: 'too_many_patterns', message };
    }
    this.#subscriber.settle(now);
    interests.add(topics, { maxHz, ack });
    this.#audience.assign(this.#subscriber, interests.patterns, now);
    const rev = since === undefined ? undefined : this.#audience.store.recoverable(since);
    if (rev === undefined) {
      this.#subscriber.startSnapshot(topics, id);
      return undefined;
    }
    const news = (topic: string): boolean => !former.some((pattern) => matchesTopic(pattern, topic));
    this.#subscriber.startRecovery(topics, rev, id, news, now);
    return undefined;
  }

  unsubscribe(
    topics: readonly string[],
    replyTo: { readonly reply_to?: string },
    now: Instant,
  ): SubscriptionProblem | undefined {
    const { interests } = this.#subscriber;
    const unknown = topics.find((topic) => !interests.has(topic));
    if (unknown !== undefined) {
      return { code: 'not_subscribed', message: `There is no subscription to "${unknown}".` };
    }
    this.#subscriber.settle(now);
    interests.delete(topics);
    this.#audience.assign(this.#subscriber, interests.patterns, now);
    this.#subscriber.forget(topics, (topic) => topic === BROADCAST_TOPIC || interests.hears(topic));
    this.#subscriber.send('response', { ...replyTo, result: { unsubscribed: topics } }, now);
    return undefined;
  }

  resync(
    topics: readonly string[],
    replyTo: { readonly reply_to?: string },
    now: Instant,
  ): SubscriptionProblem | undefined {
    const foreign = topics.find((topic) => !this.#subscriber.interests.hears(topic));
    if (foreign !== undefined) {
      return { code: 'not_subscribed', message: `No subscription covers "${foreign}".` };
    }
    this.#subscriber.send('response', { ...replyTo, result: { resyncing: topics } }, now);
    this.#subscriber.startResync(topics);
    return undefined;
  }
}
