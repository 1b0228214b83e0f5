import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/feed/core/change.ts';
import { FeedStore } from '../../src/feed/core/store.ts';

const events = (store: FeedStore, rev: number, ...patterns: string[]) => {
  const { events: kept, gaps } = store.missed(rev, patterns);
  return {
    seqs: kept.map(({ topic, seq }) => `${topic} ${seq}`),
    gaps: gaps.map(({ topic, fromSeq, toSeq }) => `${topic} ${fromSeq}-${toSeq}`),
  };
};

describe('events of topics without a subscription', () => {
  function setUp() {
    const store = new FeedStore({ epoch: 'e', notify: 'followed' });
    const seen: Change[] = [];
    store.listen((change) => seen.push(change));
    return { store, seen };
  }

  it('are counted, and neither made nor published nor kept', () => {
    const { store, seen } = setUp();
    let made = 0;
    const make = () => ({ n: ++made });
    store.publishEvent('a/messages', make);
    store.publishEvent('a/messages', make);
    expect({ made, seen, rev: store.rev }).toEqual({ made: 0, seen: [], rev: 2 });
    expect(events(store, 0, '#')).toEqual({ seqs: [], gaps: ['a/messages 1-2'] });
  });

  it('are made, published and kept from the moment on at which a pattern covers them', () => {
    const { store, seen } = setUp();
    store.publishEvent('a/messages', { n: 1 });
    store.follow(['b/#']);
    store.publishEvent('a/messages', { n: 2 });
    store.follow(['+/messages']);
    store.publishEvent('a/messages', () => ({ n: 3 }));
    store.publishEvent('c/messages', { n: 1 });
    expect(seen).toMatchObject([
      { topic: 'a/messages', rev: 3, seq: 3, data: { n: 3 } },
      { topic: 'c/messages', rev: 4, seq: 1 },
    ]);
    expect(events(store, 0, '#')).toEqual({
      seqs: ['a/messages 3', 'c/messages 1'],
      gaps: ['a/messages 1-2'],
    });
  });

  it('are all followed where more patterns are asked for than are kept apart', () => {
    const { store, seen } = setUp();
    store.follow(Array.from({ length: 10_001 }, (_, n) => `other/${n}`));
    store.publishEvent('a/messages', {});
    expect(seen).toHaveLength(1);
  });

  it('are one gap from the oldest that was kept on, once one of them was not', () => {
    const { store } = setUp();
    const at = (minutes: number) => ({ monoMs: minutes * 60_000, wallMs: minutes * 60_000 });
    store.follow(['a']);
    store.unfollow(['a']);
    for (const minutes of [0, 5]) store.age(at(minutes));
    store.publishEvent('a', { n: 1 });
    store.age(at(10));
    expect(events(store, 0, 'a')).toEqual({ seqs: ['a 1'], gaps: [] });
    store.publishEvent('a', { n: 2 });
    expect(events(store, 0, 'a')).toEqual({ seqs: [], gaps: ['a 1-2'] });
  });

  it('are no broadcasts: every connected client gets them', () => {
    const { store, seen } = setUp();
    store.publishBroadcast('c_1', { n: 1 });
    expect(seen).toHaveLength(1);
  });
});

describe('documents of topics without a subscription', () => {
  it('are kept and counted, and published as patches from the first subscription on', () => {
    const store = new FeedStore({ epoch: 'e', notify: 'followed' });
    const seen: Change[] = [];
    store.listen((change) => seen.push(change));
    store.publishState('a', { x: 1 });
    store.publishState('a', { x: 1 });
    store.publishState('a', { x: 2 });
    expect(seen).toEqual([]);
    expect(store.version('a')).toMatchObject({ rev: 2, seq: 2, document: { x: 2 } });
    store.follow(['+']);
    store.publishState('a', { x: 2, y: 1 });
    store.removeState('a');
    expect(seen).toMatchObject([
      { kind: 'state', rev: 3, seq: 3, patch: { prev: 2, body: { y: 1 } } },
      { kind: 'removal', rev: 4, seq: 4 },
    ]);
    expect(store.missed(0, ['#']).states).toMatchObject([{ topic: 'a', rev: 4 }]);
  });

  it('are refused as others are', () => {
    const store = new FeedStore({ epoch: 'e', notify: 'followed' });
    store.publishState('a', { x: 1 });
    expect(() => store.publishState('a', { x: null })).toThrow('x is null');
  });
});

describe('events that are kept', () => {
  it('are the youngest 1,000 of each topic, whatever the others do', () => {
    const store = new FeedStore({ epoch: 'e' });
    store.publishEvent('quiet', {});
    for (let n = 0; n < 10_000; n++) store.publishEvent('busy', { n });
    store.publishEvent('quiet', {});
    const { seqs, gaps } = events(store, 0, '#');
    expect(seqs).toHaveLength(1_002);
    expect([seqs[0], seqs[1], seqs.at(-2), seqs.at(-1)]).toEqual([
      'quiet 1',
      'busy 9001',
      'busy 10000',
      'quiet 2',
    ]);
    expect(gaps).toEqual(['busy 1-9000']);
  });

  it('are left out from the rev on after which they are sent anyway', () => {
    const store = new FeedStore({ epoch: 'e' });
    for (let n = 0; n < 1_001; n++) for (const topic of ['a', 'b', 'c']) store.publishEvent(topic, { n });
    const seen: Readonly<Record<string, number>> = { a: 0, b: 6 };
    const { events: again, gaps } = store.missed(0, ['#'], ([topic = '']) => seen[topic] ?? Infinity);
    const seqs = (topic: string) => again.filter((each) => each.topic === topic).map(({ seq }) => seq);
    expect([seqs('a'), seqs('b'), seqs('c').length]).toEqual([[], [2], 1_000]);
    expect(gaps.map(({ topic }) => topic).sort()).toEqual(['b', 'c']);
  });

  it('are some 64 MiB of all topics together, and the oldest go first', () => {
    const store = new FeedStore({ epoch: 'e' });
    const text = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 100; n++) store.publishEvent(`t${n % 50}`, { text });
    const { seqs, gaps } = events(store, 0, '#');
    expect(seqs).toHaveLength(63);
    expect([seqs[0], seqs.at(-1)]).toEqual(['t37 1', 't49 2']);
    expect(gaps).toHaveLength(37);
  });

  it('are not recovered once it is forgotten which topics had any', () => {
    const store = new FeedStore({ epoch: 'e' });
    store.publishEvent('first', {});
    store.publishEvent('second', {});
    for (let n = 2; n < 100_000; n++) store.publishEvent(`t${n}`, {});
    expect(store.recoverable({ e: 0 })).toBe(0);
    store.publishEvent('one more', {});
    expect([0, 1].map((e) => store.recoverable({ e }))).toEqual([undefined, 1]);
  });

  it('are recovered as long as only topics that were quiet are forgotten', () => {
    const store = new FeedStore({ epoch: 'e' });
    store.publishEvent('first', {});
    for (let n = 2; n <= 100_000; n++) store.publishEvent(`t${n}`, {});
    for (let n = 0; n < 100; n++) {
      store.publishEvent('first', { n });
      store.publishEvent(`new ${n}`, {});
    }
    expect([100, 101].map((e) => store.recoverable({ e }))).toEqual([undefined, 101]);
    expect(events(store, 100_000, 'first').seqs).toHaveLength(100);
  });

  it('go by their age in the order in which they came, whichever topic they belong to', () => {
    const store = new FeedStore({ epoch: 'e' });
    const at = (monoMs: number) => store.age({ monoMs, wallMs: monoMs });
    for (let n = 0; n < 1_100; n++) store.publishEvent('busy', {});
    store.publishEvent('old', {});
    at(0);
    expect(events(store, 0, '#').seqs).toHaveLength(1_001);
    store.publishEvent('old', {});
    store.publishEvent('busy', {});
    at(700_000);
    expect(events(store, 0, '#')).toEqual({
      seqs: ['old 2', 'busy 1101'],
      gaps: ['busy 1-1100', 'old 1-1'],
    });
  });
});
