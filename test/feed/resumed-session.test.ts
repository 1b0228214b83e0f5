import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { SessionMemory } from '../../src/feed/core/session-memory.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { ModelPass, modelAudience, modelSession } from '../support/model-session.ts';

const NOW = { monoMs: 0, wallMs: 0 };

/** Sessions one after the other, and what is written to them. */
class Stage {
  readonly store = new FeedStore({ epoch: 'e' });
  readonly #audience = modelAudience(this.store, () => NOW);
  readonly #pass = new ModelPass(this.#audience);
  #text = '';
  #made = 0;
  /** Of the sink that was made last. */
  unsent = 0;

  come(parked?: SessionMemory) {
    const stage = this;
    const subscriber = this.#audience.admit({
      get unsent() {
        return stage.unsent;
      },
      write: (bytes) => {
        this.#text += new TextDecoder().decode(bytes);
        return stage.unsent;
      },
    });
    this.#audience.join(subscriber, NOW);
    const session = modelSession(
      this.#audience,
      subscriber,
      new SessionMemory(`s${++this.#made}`, 'c', 't'),
      NOW,
      parked,
    );
    const say = (message: JsonObject) => session.receive(JSON.stringify(message), NOW);
    return { session, say, go: () => this.#audience.detach(subscriber) };
  }

  /** A client that got three events, acknowledged none, and went. */
  leaveUnacknowledged(): SessionMemory {
    const { session, say, go } = this.come();
    say({ type: 'subscribe', topics: ['a/#'], ack: true });
    this.flush();
    for (let n = 0; n < 3; n++) this.store.publishEvent('a/messages', { n });
    this.flush();
    go();
    return session.memory;
  }

  /** What is written now: the numbers of events, and what else may matter here. */
  flush(): unknown[] {
    this.#text = '';
    for (let round = 0; round < 3; round++) {
      this.#audience.sendPositions();
      this.#pass.flush(9, NOW);
    }
    const found = this.#text.matchAll(
      /"type":"event","id":"r(\d)\.e"|"position":\{"e":(\d)\}|"type":"(broadcast)"/g,
    );
    return [...found].map(([, event, position, other]) => {
      if (event !== undefined) return Number(event);
      return position === undefined ? other : { position: Number(position) };
    });
  }
}

describe('a session that is resumed with events that were not acknowledged', () => {
  it('gets no position beyond them before they are sent again', () => {
    const stage = new Stage();
    const parked = stage.leaveUnacknowledged();
    const { say } = stage.come(parked);
    say({ type: 'resume', session: parked.secret });
    say({ type: 'subscribe', topics: ['a/#'], ack: true, since: { e: 0 } });
    const sent = stage.flush();
    expect(sent.filter((each) => typeof each === 'number')).toEqual([1, 2, 3]);
    for (const [index, each] of sent.entries()) {
      if (typeof each !== 'object' || each === null || !('position' in each)) continue;
      expect(sent.slice(0, index)).toEqual(expect.arrayContaining([1, 2, 3].slice(0, Number(each.position))));
    }
    expect(sent.at(-1)).toEqual({ position: 3 });
  });

  it('is sent them again though something waits for it already', () => {
    const stage = new Stage();
    const parked = stage.leaveUnacknowledged();
    stage.unsent = 65 * 1024;
    const { say } = stage.come(parked);
    stage.store.publishBroadcast('c', 1);
    expect(stage.flush()).toEqual(['broadcast']);
    stage.store.publishBroadcast('c', 2);
    expect(stage.flush()).toEqual([]);
    say({ type: 'resume', session: parked.secret });
    stage.unsent = 0;
    expect(stage.flush()).toEqual(expect.arrayContaining(['broadcast', 1, 2, 3]));
  });
});
