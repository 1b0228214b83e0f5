import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/backplane/core/backplane.ts';
import type { SharedChange } from '../../src/backplane/core/change-text.ts';
import { ShardReplica } from '../../src/backplane/core/replica.ts';

const TOPIC = 'devices/psu-1/state';
const EVENTS = 'devices/psu-1/messages';

function replicaOf(life = 'south/1') {
  const seen: unknown[] = [];
  const taken: unknown[] = [];
  const replica = new ShardReplica(life, {
    document: (topic, { document }) => seen.push(['document', topic, document]),
    removed: (topic) => seen.push(['removed', topic]),
    event: (topic, data) => seen.push(['event', topic, data]),
    broadcast: (from, data) => seen.push(['broadcast', from, data]),
    lost: (topic, count) => seen.push(['lost', topic, count]),
  });
  const load = (rev: number, documents: Record<string, unknown> = {}, epoch = 'e1'): void => {
    replica.begin();
    replica.load(
      Object.entries(documents).map(([topic, version]) => ({ topic, text: JSON.stringify(version) })),
    );
    replica.loaded({ epoch, rev });
  };
  const apply = (rev: number, changes: readonly SharedChange[], more: Partial<Entry> = {}): boolean =>
    replica.apply({
      rev,
      epoch: 'e1',
      unit: 'psu-1',
      life: 'north/1',
      changes: JSON.stringify(changes),
      ...more,
    });
  const take = (): unknown[] => {
    const all = seen.splice(0);
    taken.push(...all);
    return all;
  };
  return { replica, load, apply, take };
}

describe('the replica of a shard', () => {
  it('takes the snapshot, and then each entry once', () => {
    const { load, apply, take } = replicaOf();
    load(7, { [TOPIC]: { l: 'north/1', s: 3, d: { v: 1, w: 1 } } });
    expect(take()).toEqual([['document', TOPIC, { v: 1, w: 1 }]]);
    expect(apply(7, [['document', TOPIC, 3, { v: 0 }]])).toBe(true);
    expect(take()).toEqual([]);
    expect(apply(8, [['patch', TOPIC, 4, 3, { v: 2 }]])).toBe(true);
    expect(take()).toEqual([['document', TOPIC, { v: 2, w: 1 }]]);
  });

  it('leaves out what the snapshot had already', () => {
    const { load, apply, take } = replicaOf();
    load(7, { [TOPIC]: { l: 'north/1', s: 5, d: { v: 5 } } });
    take();
    expect(apply(8, [['patch', TOPIC, 4, 3, { v: 4 }]])).toBe(true);
    expect(apply(9, [['patch', TOPIC, 5, 4, { v: 5 }]])).toBe(true);
    expect(apply(10, [['removal', TOPIC, 4]])).toBe(true);
    expect(take()).toEqual([]);
  });

  it.each([
    ['an entry is missing', { rev: 9 }],
    ['the epoch is another one', { rev: 8, epoch: 'e2' }],
  ])('asks for a snapshot where %s', (_, { rev, ...more }) => {
    const { load, apply, take } = replicaOf();
    load(7);
    expect(apply(rev, [['document', TOPIC, 1, {}]], more)).toBe(false);
    expect(take()).toEqual([]);
  });

  it('asks for a snapshot where a patch does not follow what it knows', () => {
    const { load, apply } = replicaOf();
    load(7, { [TOPIC]: { l: 'north/1', s: 3, d: {} } });
    expect(apply(8, [['patch', TOPIC, 6, 5, { v: 2 }]])).toBe(false);
    expect(apply(9, [['patch', TOPIC, 4, 3, { v: 2 }]], { life: 'west/1' })).toBe(false);
  });

  it('leaves out what its own instance says', () => {
    const { load, apply, take } = replicaOf('north/1');
    load(7, { [TOPIC]: { l: 'north/1', s: 3, d: {} } });
    expect(apply(8, [['document', TOPIC, 4, {}]])).toBe(true);
    expect(take()).toEqual([]);
  });

  it('removes what a later snapshot of the same epoch has no more, and keeps it in another epoch', () => {
    const { load, take } = replicaOf();
    load(7, { [TOPIC]: { l: 'north/1', s: 3, d: {} } });
    take();
    load(0, {}, 'e2');
    expect(take()).toEqual([]);
    load(9, {}, 'e2');
    expect(take()).toEqual([['removed', TOPIC]]);
  });

  it('never goes back to an older document of one life', () => {
    const { load, take } = replicaOf();
    load(7, { [TOPIC]: { l: 'north/1', s: 5, d: { v: 5 } } });
    take();
    load(3, { [TOPIC]: { l: 'north/1', s: 4, d: { v: 4 } } }, 'e2');
    expect(take()).toEqual([]);
  });

  it('says of every lost event that it is lost, and shows none twice', () => {
    const { load, apply, take } = replicaOf();
    load(0);
    const event = (seq: number): SharedChange => ['event', EVENTS, seq, { n: seq }, `e${seq}`];
    apply(1, [event(11), event(12)]);
    apply(2, [event(12), event(15)]);
    expect(take()).toEqual([
      ['event', EVENTS, { n: 11 }],
      ['event', EVENTS, { n: 12 }],
      ['lost', EVENTS, 2],
      ['event', EVENTS, { n: 15 }],
    ]);
    expect(apply(3, [['event', EVENTS, 1, { n: 1 }, 'e1']], { life: 'north/2' })).toBe(true);
    // What the former life did not publish any more is not known.
    expect(take()).toEqual([
      ['lost', EVENTS, 1],
      ['event', EVENTS, { n: 1 }],
    ]);
  });

  it('says at once of what the owner lost, and each loss once', () => {
    const { load, apply, take } = replicaOf();
    load(0);
    const event = (seq: number): SharedChange => ['event', EVENTS, seq, { n: seq }, `e${seq}`];
    apply(1, [['lost', EVENTS, 1], event(2)]);
    expect(take()).toEqual([
      ['lost', EVENTS, 1],
      ['event', EVENTS, { n: 2 }],
    ]);
    apply(2, [['lost', EVENTS, 1], event(2), event(3), ['lost', EVENTS, 6], event(7)]);
    expect(take()).toEqual([
      ['event', EVENTS, { n: 3 }],
      ['lost', EVENTS, 3],
      ['event', EVENTS, { n: 7 }],
    ]);
  });

  it('shows no event again that its owner sends again behind missed entries', () => {
    const { load, apply, take } = replicaOf();
    load(0);
    const event = (seq: number): SharedChange => ['event', EVENTS, seq, { n: seq }, `e${seq}`];
    apply(1, [event(1), event(2)]);
    load(3);
    take();
    apply(4, [event(2), event(5)]);
    expect(take()).toEqual([['event', EVENTS, { n: 5 }]]);
  });

  it('takes no former owner for the present one, which says what it lost', () => {
    const { load, apply, take } = replicaOf();
    load(0);
    const event = (seq: number): SharedChange => ['event', EVENTS, seq, { n: seq }, `e${seq}`];
    apply(1, [event(1)]);
    take();
    apply(2, [['lost', EVENTS, 9]], { unit: '', life: 'west/1' });
    apply(3, [event(1), event(2)]);
    expect(take()).toEqual([
      ['lost', EVENTS, 1],
      ['event', EVENTS, { n: 2 }],
    ]);
  });

  it('says of a topic without events before that some may be lost, where entries were missed', () => {
    const { load, apply, take } = replicaOf();
    load(0);
    expect(apply(5, [])).toBe(false);
    load(5);
    expect(take()).toEqual([]);
    apply(6, [['event', EVENTS, 3, {}, 'e3']]);
    expect(take()).toEqual([
      ['lost', EVENTS, 1],
      ['event', EVENTS, {}],
    ]);
  });

  it('tells the events of several lives of one topic apart', () => {
    const { load, apply, take } = replicaOf();
    load(0);
    const joined = (seq: number): SharedChange => ['event', 'clients', seq, { n: seq }, `e${seq}`];
    apply(1, [joined(4)]);
    apply(2, [joined(9)], { life: 'west/1' });
    apply(3, [joined(4), joined(5)]);
    expect(take()).toEqual([4, 9, 5].map((n) => ['event', 'clients', { n }]));
  });

  it('says that events may be lost where entries were missed', () => {
    const { load, apply, take } = replicaOf();
    load(0);
    apply(1, [['event', EVENTS, 1, {}, 'e1']]);
    take();
    expect(apply(5, [])).toBe(false);
    load(5);
    expect(take()).toEqual([['lost', EVENTS, 1]]);
  });

  it.each(['', 'null', '[1]', '{"a":1}', '[["other",1]]', '"x"'])('survives the entry %j', (changes) => {
    const { replica, load, take } = replicaOf();
    load(0);
    replica.apply({ rev: 1, epoch: 'e1', unit: '', life: 'north/1', changes });
    replica.load([{ topic: TOPIC, text: changes }]);
    expect(take()).toEqual([]);
  });
});
