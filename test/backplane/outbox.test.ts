import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/backplane/core/backplane.ts';
import { saidIn } from '../../src/backplane/core/change-text.ts';
import { Outbox, type OwnChange } from '../../src/backplane/core/outbox.ts';
import { ShardReplica } from '../../src/backplane/core/replica.ts';
import type { JsonObject } from '../../src/contract/wire/index.ts';

const TOPIC = 'devices/a/state';
const make = () => new Outbox('north/1', () => 0);
const state = (seq: number, v: number): OwnChange => ({
  kind: 'state',
  topic: TOPIC,
  seq,
  document: { v },
  patch: { prev: seq - 1, body: { v } },
});
const event = (seq: number): OwnChange => ({
  kind: 'event',
  topic: 'devices/a/messages',
  seq,
  id: `e${seq}`,
  data: { seq },
});
/** Without the mark of how far the owner has come. */
const changesIn = (text = ''): unknown[][] =>
  (JSON.parse(text) as unknown[][]).filter(([kind]) => kind !== 'said');
const kinds = (text: string): unknown[] => changesIn(text).map(([kind]) => kind);

describe('the outbox', () => {
  it('sends the document first, and then patches', () => {
    const outbox = make();
    outbox.add('a', state(1, 1));
    const first = outbox.take(() => 5, 0);
    expect(first.parts.map(({ token, changes }) => [token, kinds(changes)])).toEqual([[5, ['document']]]);
    expect(first.parts[0]?.documents).toEqual([{ topic: TOPIC, text: '{"l":"north/1","s":1,"d":{"v":1}}' }]);
    outbox.done(first);
    outbox.add('a', state(2, 2));
    outbox.add('a', state(3, 3));
    const second = outbox.take(() => 5, 0);
    expect(kinds(second.parts[0]?.changes ?? '')).toEqual(['patch', 'patch']);
    expect(second.parts[0]?.documents[0]?.text).toContain('"s":3');
    expect(outbox.empty).toBe(true);
  });

  it('sends the present document where many changes wait', () => {
    const outbox = make();
    for (let seq = 1; seq <= 1_000; seq++) outbox.add('a', state(seq, seq));
    const [part] = outbox.take(() => 1, 0).parts;
    expect(changesIn(part?.changes)).toEqual([['document', TOPIC, 1_000, { v: 1_000 }]]);
  });

  it('says with the last part of each shard how far its feed has come, once nothing waits', () => {
    const outbox = new Outbox('north/1', (unit) => (unit === 'c' ? 1 : 0));
    for (const unit of ['a', 'b', 'c']) outbox.add(unit, event(1));
    const held = outbox.take((unit) => (unit === 'b' ? undefined : 1), 7);
    expect([held.upTo, held.parts.map(({ changes }) => saidIn(changes))]).toEqual([
      undefined,
      [undefined, undefined],
    ]);
    outbox.failed(held);
    const all = outbox.take(() => 1, 9);
    expect(all.upTo).toBe(9);
    expect(all.parts.map(({ unit, changes }) => [unit, saidIn(changes)])).toEqual([
      ['b', undefined],
      ['a', 9],
      ['c', 9],
    ]);
  });

  it('waits for a lease', () => {
    const outbox = make();
    outbox.add('a', event(1));
    expect(outbox.take(() => undefined, 0).parts).toEqual([]);
    expect(outbox.take(() => 1, 0).parts).toHaveLength(1);
  });

  it('keeps events within its bounds, and counts those for which there is no room', () => {
    const outbox = make();
    for (let seq = 1; seq <= 10_010; seq++) outbox.add('a', event(seq));
    expect([outbox.waitingEvents, outbox.lost]).toEqual([10_000, 10]);
    expect(changesIn(outbox.take(() => 1, 0).parts[0]?.changes).at(-1)).toEqual([
      'lost',
      'devices/a/messages',
      10_010,
    ]);
    expect([outbox.waitingEvents, outbox.empty]).toEqual([0, true]);
  });

  it('says of the events of a unit that another life has now that they are lost', () => {
    const outbox = make();
    outbox.add('a', state(1, 1));
    outbox.add('a', event(1));
    outbox.add('a', event(2));
    outbox.lose(outbox.drop('a'));
    expect(outbox.waitingEvents).toBe(0);
    const [part, ...more] = outbox.take(() => undefined, 0).parts;
    expect([part?.unit, changesIn(part?.changes), more]).toEqual([
      '',
      [['lost', 'devices/a/messages', 2]],
      [],
    ]);
  });

  it('sends all of a failed batch again, before what came later', () => {
    const outbox = make();
    outbox.add('a', state(1, 1));
    outbox.add('a', event(1));
    const batch = outbox.take(() => 1, 0);
    outbox.add('a', event(2));
    outbox.add('a', state(2, 2));
    outbox.failed(batch);
    const [part] = outbox.take(() => 1, 0).parts;
    expect(changesIn(part?.changes)).toEqual([
      ['event', 'devices/a/messages', 1, { seq: 1 }, 'e1'],
      ['event', 'devices/a/messages', 2, { seq: 2 }, 'e2'],
      ['document', TOPIC, 2, { v: 2 }],
    ]);
  });

  it('brings a reader to the state of its owner, every event once, whatever fails on the way', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('state'), topic: fc.integer({ min: 0, max: 2 }), v: fc.integer() }),
      fc.record({ do: fc.constant('removal'), topic: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ do: fc.constant('event') }),
      // Whether the server took the batch, and whether that was said.
      fc.record({ do: fc.constant('send'), taken: fc.boolean(), answered: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = make();
        const owner = new Map<string, JsonObject>();
        const seqs = new Map<string, number>();
        const shown = new Map<string, JsonObject>();
        const events: number[] = [];
        const replica = new ShardReplica('south/1', {
          document: (topic, { document }) => shown.set(topic, document),
          removed: (topic) => shown.delete(topic),
          event: (_, data) => events.push(Number(data.seq)),
          broadcast: () => undefined,
          lost: () => events.push(Number.NaN),
        });
        replica.begin();
        replica.loaded({ epoch: 'e', rev: 0 });
        let rev = 0;
        let made = 0;
        const send = (taken: boolean, answered: boolean): void => {
          const batch = outbox.take(() => 1, 0);
          for (const { changes, unit } of taken ? batch.parts : []) {
            const entry: Entry = { rev: ++rev, epoch: 'e', unit, life: 'north/1', changes };
            expect(replica.apply(entry)).toBe(true);
          }
          if (taken && answered) outbox.done(batch);
          else outbox.failed(batch);
        };
        for (const each of steps) {
          if (each.do === 'send' && 'taken' in each) send(each.taken, each.answered);
          if (each.do === 'event') outbox.add('a', event(++made));
          if (!('topic' in each)) continue;
          const topic = `devices/a/t${each.topic}`;
          const prev = seqs.get(topic) ?? 0;
          const before = owner.get(topic);
          const seq = prev + 1;
          if (each.do === 'removal' && before === undefined) continue;
          seqs.set(topic, seq);
          if ('v' in each) {
            const document = { v: each.v };
            owner.set(topic, document);
            const patch = before === undefined ? undefined : { prev, body: document };
            outbox.add('a', { kind: 'state', topic, seq, document, patch });
          } else {
            owner.delete(topic);
            outbox.add('a', { kind: 'removal', topic, seq });
          }
        }
        send(true, true);
        expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(owner));
        expect(events).toEqual(Array.from({ length: made }, (_, at) => at + 1));
      }),
    );
  });
});
