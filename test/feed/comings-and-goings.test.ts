import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedModel, type ModelTerms } from '../support/feed-model.ts';

const TERMS: readonly ModelTerms[] = [
  { groups: [{ patterns: ['#'], later: true }, { patterns: ['devices/d1/#'] }] },
  {
    groups: [{ patterns: ['devices/+/state', 'devices/d1/#'] }, { patterns: ['devices/d2/+'] }],
    drops: true,
  },
  {
    groups: [{ patterns: ['devices/#'], later: true }, { patterns: ['broadcast/+', 'devices/+/messages'] }],
    ack: true,
  },
  {
    groups: [
      { patterns: ['devices/+/state', 'devices/d2/messages'], maxHz: 5 },
      { patterns: ['devices/d0/state', 'devices/d1/alarms'] },
      { patterns: ['devices/d3/#'], maxHz: 1 },
    ],
  },
  { groups: [{ patterns: ['devices/#'] }, { patterns: ['devices/d2/messages'], later: true }], swift: true },
];
const BIG = 'x'.repeat(40_000);
const STATES = ['d0', 'd1', 'd2', 'd3'].map((id) => `devices/${id}/state`);
const EVENTS = ['devices/d1/messages', 'devices/d2/messages', 'devices/d1/alarms'];

type Act = (model: FeedModel, a: number, b: number) => void;

interface Step {
  readonly weight: number;
  readonly a: fc.Arbitrary<number>;
  readonly b?: fc.Arbitrary<number>;
  readonly act: Act;
}

const topic = fc.nat(STATES.length - 1);
const who = fc.nat(TERMS.length - 1);
const nothing = fc.constant(0);

const publish =
  (more: (n: number) => object): Act =>
  ({ store }, a, n) =>
    store.publishState(STATES[a] ?? '', { n, ...more(n) });

const happen: Act = ({ store }, a, count) => {
  for (let n = 0; n < count; n++) store.publishEvent(EVENTS[a] ?? '', { n });
};

/** All are away for so long that it is forgotten what they followed, and something happens then. */
const night: Act = (model, a) => {
  for (const client of model.clients) {
    client.disconnect();
    client.forgetSession();
  }
  for (let n = 0; n < 2; n++) model.advance(600_000);
  happen(model, a, 3);
};

/** What may happen, and how often beside the others. */
const STEPS: Readonly<Record<string, Step>> = {
  publish: { weight: 6, a: topic, b: fc.nat(5), act: publish((n) => (n % 2 === 0 ? { even: { n } } : {})) },
  publishBig: { weight: 1, a: topic, b: fc.nat(5), act: publish((n) => ({ big: BIG + n })) },
  remove: { weight: 2, a: topic, act: (model, a) => model.remove(STATES[a] ?? '') },
  event: { weight: 4, a: fc.nat(2), b: fc.constantFrom(1, 3, 40), act: happen },
  manyEvents: { weight: 1, a: fc.nat(1), b: fc.constantFrom(500, 1_500), act: happen },
  broadcast: { weight: 2, a: who, act: ({ store }, a) => store.publishBroadcast(`c${a}`, a) },
  connect: { weight: 4, a: who, act: ({ clients }, a) => clients[a]?.connect() },
  disconnect: { weight: 3, a: who, act: ({ clients }, a) => clients[a]?.disconnect() },
  forget: { weight: 1, a: who, act: ({ clients }, a) => clients[a]?.forgetSession() },
  subscribe: { weight: 3, a: who, b: fc.nat(2), act: ({ clients }, a, b) => clients[a]?.subscribe(b) },
  unsubscribe: { weight: 2, a: who, b: fc.nat(2), act: ({ clients }, a, b) => clients[a]?.unsubscribe(b) },
  resync: { weight: 1, a: who, b: topic, act: ({ clients }, a, b) => clients[a]?.resync(STATES[b] ?? '') },
  command: {
    weight: 2,
    a: who,
    b: fc.nat(1),
    act: (model, a, b) => model.command(model.clients[a], b === 1),
  },
  answer: { weight: 2, a: fc.nat(9), act: (model, a) => model.answer(a) },
  flush: { weight: 5, a: fc.constantFrom(1, 2, 9), act: (model, a) => model.flush(a) },
  drain: { weight: 5, a: who, act: ({ clients }, a) => clients[a]?.drain() },
  acknowledge: { weight: 2, a: who, act: ({ clients }, a) => clients[a]?.acknowledge() },
  advance: { weight: 2, a: fc.constantFrom(50, 1_000, 31_000), act: (model, a) => model.advance(a) },
  /** A pass is cut into slices, and something happens in between. */
  slice: {
    weight: 2,
    a: fc.integer({ min: 1, max: 3 }),
    b: topic,
    act: (model, a, b) => {
      model.audience.sendPositions();
      model.flush(a);
      model.store.publishState(STATES[b] ?? '', { slice: model.store.rev });
    },
  },
  night: { weight: 1, a: fc.nat(2), act: night },
  position: { weight: 2, a: nothing, act: ({ audience }) => audience.sendPositions() },
  restart: { weight: 1, a: nothing, act: (model) => model.restart() },
};

const step = fc.oneof(
  ...Object.entries(STEPS).map(([name, { weight, a, b = nothing }]) => ({
    weight,
    arbitrary: fc.tuple(fc.constant(name), a, b),
  })),
);

describe('subscribers that are cut off, stall, follow more and less, and come back', () => {
  it('all come to know what the store knows, take nothing twice, and learn of every loss', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const model = new FeedModel(TERMS);
        for (const [name, a, b] of steps) STEPS[name]?.act(model, a, b);
        model.settle();
        for (const client of model.clients) {
          expect(client.wrongs()).toEqual([]);
          const known = [...client.view.topics()].filter((each) => client.hears(each));
          const present = model.store.documents('#').filter((each) => client.hears(each.topic));
          expect(Object.fromEntries(known.map((each) => [each, client.view.document(each)]))).toEqual(
            Object.fromEntries(present.map((each) => [each.topic, each.document])),
          );
          if (client.followed.some(({ wanted }) => wanted))
            expect(client.view.position).toEqual(model.store.position());
          expect(client.mostUnsent).toBeLessThan(4 * 64 * 1024);
        }
        expect([...model.executed.values()].filter((times) => times !== 1)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
