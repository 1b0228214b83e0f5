import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { matchesTopic } from '../../src/contract/wire/topic.ts';
import { REDELIVER_MS } from '../../src/feed/core/ack-window.ts';
import { SessionMemory } from '../../src/feed/core/session-memory.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { ModelPass, modelAudience, modelSession } from '../support/model-session.ts';

const TOPIC = 'devices/a/messages';
const SCALED = { message: 'm', fields: { t: 23.1 }, raw: { t: 2310 } };
const { raw: _, ...BRIEF } = SCALED;

function world() {
  let monoMs = 0;
  const now = () => ({ monoMs, wallMs: monoMs });
  const store = new FeedStore({ epoch: 'e' });
  const audience = modelAudience(store, now);
  const pass = new ModelPass(audience);
  const client = () => {
    let held = '';
    const sink = {
      unsent: 0,
      write(bytes: Uint8Array) {
        held += new TextDecoder().decode(bytes);
        return sink.unsent;
      },
    };
    const subscriber = audience.admit(sink);
    const memory = new SessionMemory('secret', 'c', 't');
    const session = modelSession(audience, subscriber, memory, now());
    return {
      /** What the socket is said to hold. */
      jam: (bytes: number) => {
        sink.unsent = bytes;
        audience.wake(subscriber);
      },
      say: (message: JsonObject) => session.receive(JSON.stringify(message), now()),
      remind: () => subscriber.remind(now()),
      /** Data of the events that came since the last look. */
      events: (): readonly JsonObject[] => {
        pass.flush(1_000, now());
        const messages = held
          .split('\n')
          .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as ServerMessage]));
        held = '';
        return messages.flatMap((each) => (each.type === 'event' ? [each.payload.data] : []));
      },
    };
  };
  const later = (ms: number) => {
    monoMs += ms;
  };
  return { store, client, later };
}

describe('raw values of messages', () => {
  it('come to those that asked for them, and to no other', () => {
    const { store, client } = world();
    const [plain, raw, both] = [client(), client(), client()];
    plain.say({ type: 'subscribe', topics: ['#'] });
    raw.say({ type: 'subscribe', topics: ['#'], raw: true });
    both.say({ type: 'subscribe', topics: ['#'] });
    both.say({ type: 'subscribe', topics: ['devices/a/messages'], raw: true });
    store.publishEvent(TOPIC, SCALED);
    store.publishEvent('devices/b/messages', SCALED);
    expect(plain.events()).toEqual([BRIEF, BRIEF]);
    expect(raw.events()).toEqual([SCALED, SCALED]);
    expect(both.events()).toEqual([SCALED, BRIEF]);
    raw.say({ type: 'subscribe', topics: ['#'] });
    store.publishEvent(TOPIC, SCALED);
    expect(raw.events()).toEqual([BRIEF]);
  });

  it('of other topics are data like any other', () => {
    const { store, client } = world();
    const plain = client();
    plain.say({ type: 'subscribe', topics: ['#'] });
    store.publishEvent('elsewhere/messages', SCALED);
    expect(plain.events()).toEqual([SCALED]);
  });

  it.each([
    [true, SCALED],
    [false, BRIEF],
  ])('asked for: %s, are the same for what was missed, what waited and what comes again', (raw, expected) => {
    const { store, client, later } = world();
    client().say({ type: 'subscribe', topics: ['#'] });
    store.publishEvent(TOPIC, SCALED);
    const back = client();
    back.say({ type: 'subscribe', topics: ['#'], since: { e: 0 }, raw, ack: true });
    expect(back.events()).toEqual([expected]);
    later(REDELIVER_MS);
    back.remind();
    expect(back.events()).toEqual([expected]);
    const slow = client();
    slow.say({ type: 'subscribe', topics: ['#'], raw });
    expect(slow.events()).toEqual([]);
    slow.jam(1_000_000);
    // The one that fills the socket, and one that waits.
    store.publishEvent(TOPIC, SCALED);
    expect(slow.events()).toEqual([expected]);
    store.publishEvent(TOPIC, SCALED);
    expect(slow.events()).toEqual([]);
    slow.jam(0);
    expect(slow.events()).toEqual([expected]);
  });

  it('are sent by the terms of the time, however these change', () => {
    const PATTERNS = ['#', 'devices/+/messages', TOPIC];
    const step = fc.oneof(
      fc.record({ pattern: fc.constantFrom(...PATTERNS), raw: fc.boolean() }),
      fc.constant('publish' as const),
      fc.constant('flush' as const),
      fc.record({ drop: fc.constantFrom(...PATTERNS) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { store, client } = world();
        const other = client();
        other.say({ type: 'subscribe', topics: ['#'], raw: true });
        const one = client();
        const terms = new Map<string, boolean>();
        const expected: JsonObject[] = [];
        const received: JsonObject[] = [];
        for (const each of steps) {
          if (each === 'flush') received.push(...one.events());
          else if (each === 'publish') {
            store.publishEvent(TOPIC, SCALED);
            const covering = [...terms].filter(([pattern]) => matchesTopic(pattern, TOPIC));
            if (covering.length > 0) expected.push(covering.some(([, raw]) => raw) ? SCALED : BRIEF);
          } else if ('drop' in each) {
            // What waits may be given up with its pattern; that is for other tests.
            received.push(...one.events());
            if (terms.delete(each.drop)) one.say({ type: 'unsubscribe', topics: [each.drop] });
          } else {
            terms.set(each.pattern, each.raw);
            one.say({ type: 'subscribe', topics: [each.pattern], raw: each.raw });
          }
        }
        received.push(...one.events());
        expect(received).toEqual(expected);
        expect(other.events().every((data) => data.raw !== undefined)).toBe(true);
      }),
      { numRuns: 100, seed: 13 },
    );
  });
});
