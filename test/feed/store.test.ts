import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import type { Change } from '../../src/feed/core/change.ts';
import { FeedStore } from '../../src/feed/core/store.ts';

function setUp(): { store: FeedStore; changes: Change[] } {
  const store = new FeedStore({ epoch: 'e1' });
  const changes: Change[] = [];
  store.listen((change) => changes.push(change));
  return { store, changes };
}

describe('the store', () => {
  it('counts every change, and every change of a topic', () => {
    const { store, changes } = setUp();
    store.publishState('a', { x: 1 });
    store.publishState('b', { x: 1 });
    store.publishState('a', { x: 1, y: 2 });
    store.publishEvent('a/events', { z: 1 });
    store.publishEvent('a/events', { z: 2 });
    expect(changes.map(({ kind, topic, rev, seq }) => [kind, topic, rev, seq])).toEqual([
      ['state', 'a', 1, 1],
      ['state', 'b', 2, 1],
      ['state', 'a', 3, 2],
      ['event', 'a/events', 4, 1],
      ['event', 'a/events', 5, 2],
    ]);
    expect(changes[2]).toMatchObject({ patch: { prev: 1, body: { y: 2 } } });
    expect(store.position()).toEqual({ e1: 5 });
  });

  it.each([
    ['devices/a/messages', true],
    ['devices/a/#', true],
    ['devices/a/+', true],
    ['+/a/messages', true],
    ['devices/b/#', false],
    ['devices/+/messages', false],
    ['devices/#', false],
    ['#', false],
  ])('makes an event that only names bring for %s: %s', (pattern, expected) => {
    const store = new FeedStore({ epoch: 'e1', notify: 'followed' });
    const seqs: Array<number | undefined> = [];
    store.listen((change) => seqs.push(change.seq));
    const publish = (): void => store.publishEvent('devices/a/messages', {}, 'named');
    store.follow(['devices/+/messages', '#']);
    publish();
    store.follow([pattern]);
    publish();
    // Without it there is no gap in the numbers.
    store.publishEvent('devices/a/messages', {});
    expect(seqs).toEqual(expected ? [1, 2] : [1]);
  });

  it('takes an equal document for no change', () => {
    const { store, changes } = setUp();
    store.publishState('a', { x: { y: [1] } });
    store.publishState('a', { x: { y: [1] }, z: undefined });
    expect(changes).toHaveLength(1);
  });

  it('goes on counting a topic that was removed, and tells the whole document when it returns', () => {
    const { store, changes } = setUp();
    store.publishState('a', { x: 1 });
    store.removeState('a');
    store.removeState('a');
    store.publishState('a', { x: 1 });
    expect(changes.map(({ kind, rev, seq }) => [kind, rev, seq])).toEqual([
      ['state', 1, 1],
      ['removal', 2, 2],
      ['state', 3, 3],
    ]);
    expect(changes[2]).not.toHaveProperty('patch');
    expect(store.document('a')).toEqual({ x: 1 });
  });

  it('never gives a topic a seq that it had before, even when its tombstone was forgotten', () => {
    const { store, changes } = setUp();
    for (let x = 0; x < 5; x++) store.publishState('first', { x });
    store.removeState('first');
    for (let n = 0; n <= 10_000; n++) {
      store.publishState(`t/${n}`, {});
      store.removeState(`t/${n}`);
    }
    store.publishState('first', { x: 0 });
    expect(changes.at(-1)?.seq).toBeGreaterThan(6);
  });

  it('lists the documents that a pattern covers', () => {
    const { store } = setUp();
    store.publishState('devices/p1/state', { n: 1 });
    store.publishState('devices/p2/state', { n: 2 });
    store.publishState('bridge/status', {});
    store.removeState('devices/p1/state');
    expect(store.documents('devices/+/state')).toEqual([
      { topic: 'devices/p2/state', rev: 2, seq: 1, document: { n: 2 } },
    ]);
    expect(store.documents('bridge/status')).toHaveLength(1);
    expect(store.documents('devices/p1/state')).toEqual([]);
  });

  it('refuses what is no topic and no document, and changes nothing', () => {
    const { store, changes } = setUp();
    store.publishState('a', { x: 1 });
    const nothing = { x: null } satisfies JsonObject;
    expect(() => store.publishState('a/+', {})).toThrow(expect.objectContaining({ code: 'bad_argument' }));
    expect(() => store.publishEvent('', {})).toThrow(expect.objectContaining({ code: 'bad_argument' }));
    expect(() => store.publishState('a', nothing)).toThrow('x is null');
    expect(() => store.publishState('b', nothing)).toThrow('x is null');
    expect(changes).toHaveLength(1);
    expect(store.rev).toBe(1);
  });
});
