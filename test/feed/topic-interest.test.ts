import { describe, expect, it } from 'vitest';
import { Audience } from '../../src/feed/core/audience.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { Interest, TopicInterest } from '../../src/feed/core/topic-interest.ts';
import { plainFramer } from '../support/plain-framer.ts';

const KEEP_MS = 1_000;
const topic = (text: string) => new Interest(text.split('/'));

describe('what is followed', () => {
  it('stays so for a while after the last one has left, and is forgotten then', () => {
    const followed = new TopicInterest(KEEP_MS);
    const [a, b] = [topic('a/messages'), topic('b/messages')];
    followed.begin(['a/#', '+/messages']);
    followed.begin(['a/#']);
    followed.end(['a/#', '+/messages']);
    followed.age(0);
    followed.age(KEEP_MS - 1);
    expect([a, b].map((each) => each.among(followed))).toEqual([true, true]);
    followed.age(KEEP_MS);
    expect([a, b].map((each) => each.among(followed))).toEqual([true, false]);
    followed.end(['a/#']);
    followed.age(KEEP_MS + 1);
    expect(followed.remembersLeft).toBe(true);
    followed.age(2 * KEEP_MS + 1);
    expect([a, b].map((each) => each.among(followed))).toEqual([false, false]);
    expect(followed.remembersLeft).toBe(false);
  });

  it('is not forgotten where a client comes back in time', () => {
    const followed = new TopicInterest(KEEP_MS);
    const a = topic('a');
    followed.begin(['a']);
    followed.end(['a']);
    followed.age(0);
    followed.begin(['a']);
    followed.age(10 * KEEP_MS);
    expect(a.among(followed)).toBe(true);
    followed.end(['a']);
    followed.age(10 * KEEP_MS);
    followed.age(11 * KEEP_MS - 1);
    expect(a.among(followed)).toBe(true);
    followed.age(11 * KEEP_MS);
    expect(a.among(followed)).toBe(false);
  });

  it('is everything for as long as more patterns are asked for than are kept apart, and a while longer', () => {
    const followed = new TopicInterest(KEEP_MS);
    const [a, other] = [topic('a'), topic('elsewhere')];
    const many = Array.from({ length: 10_000 }, (_, n) => `other/${n}`);
    followed.begin(many);
    followed.begin(['one/more', 'a']);
    expect([other.among(followed), followed.bytes]).toEqual([true, true]);
    followed.end([...many, 'one/more']);
    followed.age(0);
    followed.age(KEEP_MS);
    expect([a, other].map((each) => each.among(followed))).toEqual([true, true]);
    followed.end(['a']);
    followed.age(KEEP_MS);
    followed.age(2 * KEEP_MS);
    expect([a, other].map((each) => each.among(followed))).toEqual([false, false]);
    expect([followed.bytes, followed.remembersLeft]).toEqual([false, false]);
  });

  it('is raw bytes while a pattern asks for them', () => {
    const followed = new TopicInterest(KEEP_MS);
    followed.begin(['devices/#', 'devices/+/bytes']);
    expect(followed.bytes).toBe(true);
    followed.end(['devices/+/bytes']);
    followed.age(0);
    followed.age(KEEP_MS);
    expect(followed.bytes).toBe(false);
  });
});

describe('an audience', () => {
  const port = { pending: () => undefined, overfull: () => undefined, paced: () => undefined };
  const sink = { unsent: 0, write: () => 0 };
  const at = (monoMs: number) => ({ monoMs, wallMs: monoMs });

  it('follows what its subscribers have asked for, each pattern until the last one of them is gone', () => {
    const store = new FeedStore({ epoch: 'e', notify: 'followed' });
    const audiences = [new Audience(store, plainFramer, port), new Audience(store, plainFramer, port)];
    let made = 0;
    const subscribers = audiences.map((audience) => {
      const subscriber = audience.admit(sink);
      audience.assign(subscriber, subscriber.subscriptions.with(['a/#', 'b'], {}), at(0));
      return { leave: () => audience.detach(subscriber) };
    });
    const madeAfter = subscribers.map(({ leave }) => {
      leave();
      for (const monoMs of [0, 600_000]) store.age(at(monoMs));
      store.publishEvent('a/messages', () => ({ n: ++made }));
      return made;
    });
    expect(madeAfter).toEqual([1, 1]);
    expect(store.missed(0, ['#']).gaps).toMatchObject([{ topic: 'a/messages', fromSeq: 1, toSeq: 2 }]);
  });
});
