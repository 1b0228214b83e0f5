import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedModel } from '../support/feed-model.ts';

const TERMS = [
  { patterns: ['#'] },
  { patterns: ['devices/+/state', 'devices/d1/#'] },
  { patterns: ['devices/#'], ack: true },
  { patterns: ['devices/+/state', 'devices/d2/messages'], maxHz: 5 },
];
const BIG = 'x'.repeat(40_000);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('publish'), fc.nat(3), fc.nat(5)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('publishBig'), fc.nat(3), fc.nat(5)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove'), fc.nat(3), fc.constant(0)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('event'), fc.nat(1), fc.constantFrom(1, 3, 40)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('manyEvents'), fc.nat(1), fc.constantFrom(500, 1_500)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('connect'), fc.nat(3), fc.constant(0)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('disconnect'), fc.nat(3), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('forget'), fc.nat(3), fc.constant(0)) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('flush'), fc.constantFrom(1, 2, 9), fc.constant(0)) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('drain'), fc.nat(3), fc.constant(0)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('acknowledge'), fc.nat(3), fc.constant(0)) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('advance'), fc.constantFrom(50, 1_000, 31_000), fc.constant(0)),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('position'), fc.constant(0), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('restart'), fc.constant(0), fc.constant(0)) },
);

function perform(model: FeedModel, [kind, a, b]: readonly [string, number, number]): void {
  const topic = `devices/d${a}/state`;
  const events = `devices/d${a + 1}/messages`;
  const client = model.clients[a];
  if (kind === 'publish')
    model.store.publishState(topic, { n: b, ...(b % 2 === 0 ? { even: { n: b } } : {}) });
  else if (kind === 'publishBig') model.store.publishState(topic, { n: b, big: BIG + b });
  else if (kind === 'remove') model.store.removeState(topic);
  else if (kind === 'event' || kind === 'manyEvents') {
    for (let n = 0; n < b; n++) model.store.publishEvent(events, { n });
  } else if (kind === 'connect') client?.connect();
  else if (kind === 'disconnect') client?.disconnect();
  else if (kind === 'forget') client?.forgetSession();
  else if (kind === 'flush') model.flush(a);
  else if (kind === 'drain') client?.drain();
  else if (kind === 'acknowledge') client?.acknowledge();
  else if (kind === 'advance') model.advance(a);
  else if (kind === 'position') model.audience.tellPositions();
  else model.restart();
}

describe('subscribers that are cut off, stall and come back', () => {
  it('all come to know what the store knows, take nothing twice, and are told of every loss', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const model = new FeedModel(TERMS);
        for (const each of steps) perform(model, each);
        model.settle();
        for (const client of model.clients) {
          expect(client.breaches).toEqual([]);
          const documents = model.store.documents('#').filter(({ topic }) => client.hears(topic));
          expect(
            Object.fromEntries(
              [...client.view.topics()].map((topic) => [topic, client.view.document(topic)]),
            ),
          ).toEqual(Object.fromEntries(documents.map(({ topic, document }) => [topic, document])));
          const { owedFrom } = client;
          for (const { kind, epoch, topic, rev, seq } of model.changes) {
            if (kind !== 'event' || epoch !== owedFrom?.epoch || rev <= owedFrom.rev || !client.hears(topic))
              continue;
            if (!client.knowsOf(epoch, topic, seq))
              throw new Error(`${topic} ${seq} was lost without a word`);
          }
          expect(client.view.position).toEqual(model.store.position());
          expect(client.mostUnsent).toBeLessThan(4 * 64 * 1024);
        }
      }),
      { numRuns: 150 },
    );
  });
});
