import { describe, expect, it } from 'vitest';
import type { FeedSession } from '../../src/feed/session.ts';
import { SessionMemory } from '../../src/feed/session-memory.ts';
import type { SessionLine } from '../../src/feed/session-surroundings.ts';
import { FeedStore } from '../../src/feed/store.ts';
import type { JsonObject } from '../../src/feed/wire/json.ts';
import { ModelPass, modelAudience, modelSession } from '../support/model-session.ts';

const NOW = { monoMs: 0, wallMs: 0 };

describe('a session that is resumed with events that were not acknowledged', () => {
  it('is told no position beyond them before they are sent again', () => {
    const store = new FeedStore({ epoch: 'e' });
    const audience = modelAudience(store, () => NOW);
    const pass = new ModelPass(audience);
    let text = '';
    const come = (memory: SessionMemory, parked?: SessionMemory) => {
      const subscriber = audience.admit({
        unsent: 0,
        write: (bytes) => {
          text += new TextDecoder().decode(bytes);
          return 0;
        },
      });
      const session = modelSession(audience, subscriber, memory, NOW, parked);
      return { subscriber, session };
    };
    const ask = (session: FeedSession<SessionLine>, more: JsonObject = {}) =>
      session.receive(JSON.stringify({ type: 'subscribe', topics: ['a/#'], ack: true, ...more }), NOW);

    const first = come(new SessionMemory('first', 'c'));
    ask(first.session);
    pass.flush(9, NOW);
    for (let n = 0; n < 3; n++) store.publishEvent('a/messages', { n });
    pass.flush(9, NOW);
    audience.dismiss(first.subscriber);
    text = '';

    const second = come(new SessionMemory('second', 'c'), first.session.memory);
    second.session.receive('{"type":"resume","session":"first"}', NOW);
    ask(second.session, { since: { e: 0 } });
    for (let round = 0; round < 3; round++) {
      audience.tellPositions();
      pass.flush(9, NOW);
    }
    const told = [...text.matchAll(/"type":"event","id":"r(\d)"|"position":\{"e":(\d)\}/g)].map(
      ([, event, position]) => (event === undefined ? { position: Number(position) } : Number(event)),
    );
    expect(told.filter((each) => typeof each === 'number')).toEqual([1, 2, 3]);
    for (const [index, each] of told.entries())
      if (typeof each !== 'number')
        expect(told.slice(0, index)).toEqual(expect.arrayContaining([1, 2, 3].slice(0, each.position)));
    expect(told.at(-1)).toEqual({ position: 3 });
  });
});
