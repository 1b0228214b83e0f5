import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { SessionMemory } from '../../src/feed/core/session-memory.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { ModelPass, modelAudience, modelSession } from '../support/model-session.ts';

/** One session over a sink that takes as much as the test lets it. */
class Stage {
  readonly store = new FeedStore({ epoch: 'e' });
  readonly sink = {
    unsent: 0,
    write: (bytes: Uint8Array): number => {
      this.#text += new TextDecoder().decode(bytes);
      return 0;
    },
  };
  monoMs = 0;
  #text = '';
  readonly #audience = modelAudience(this.store, () => this.#now);
  readonly #pass = new ModelPass(this.#audience);
  readonly #subscriber = this.#audience.admit(this.sink);
  readonly #session = modelSession(
    this.#audience,
    this.#subscriber,
    new SessionMemory('s', 'c', 't'),
    this.#now,
  );

  get #now() {
    return { monoMs: this.monoMs, wallMs: this.monoMs };
  }

  say(message: JsonObject): void {
    this.#session.receive(JSON.stringify(message), this.#now);
  }

  /** What is written now, message by message. */
  flush(): readonly JsonObject[] {
    this.#text = '';
    this.#subscriber.remind(this.#now);
    for (let round = 0; round < 3; round++) this.#pass.flush(9, this.#now);
    return this.#text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}

const SINCE = (rev: number): JsonObject => ({ since: { e: rev } });

/** Of events, the `rev`; of `synced`, its position as text. */
const seqsOf = (messages: readonly JsonObject[]): unknown[] =>
  messages.flatMap<unknown>(({ type, payload }) => {
    // Messages of a server have an object there.
    const { rev, position } = payload as { rev?: number; position?: { e: number } };
    if (type === 'synced') return [`up to ${position?.e}`];
    return type === 'event' ? [rev] : [];
  });

const typesOf = (messages: readonly JsonObject[]): unknown[] => messages.map(({ type }) => type);

describe('a session', () => {
  it('is sent again what it did not acknowledge only once its sink has drained', () => {
    const stage = new Stage();
    stage.say({ type: 'subscribe', topics: ['a'], ack: true });
    stage.store.publishEvent('a', { n: 1 });
    expect(typesOf(stage.flush())).toContain('event');
    stage.sink.unsent = 17 * 1024;
    stage.monoMs = 31_000;
    expect(typesOf(stage.flush())).toEqual([]);
    stage.sink.unsent = 16 * 1024;
    expect(typesOf(stage.flush())).toEqual(['event']);
  });

  it('gets an alarm before the events that wait for an acknowledgement to go', () => {
    const stage = new Stage();
    stage.say({ type: 'subscribe', topics: ['devices/#'], ack: true });
    for (let n = 0; n < 40; n++) stage.store.publishEvent('devices/d1/messages', { n });
    expect(seqsOf(stage.flush())).toContain(32);
    stage.store.publishEvent('devices/d1/alarms', {});
    stage.say({ type: 'ack', ids: ['r1.e', 'r2.e'] });
    expect(seqsOf(stage.flush())).toEqual([41, 33]);
  });

  it('gets an event to acknowledge that is larger than all that may wait for it', () => {
    const stage = new Stage();
    stage.say({ type: 'subscribe', topics: ['a'], ack: true });
    stage.flush();
    stage.store.publishEvent('a', { n: 1 });
    stage.store.publishEvent('a', { text: 'x'.repeat(1024 * 1024) });
    const sent = stage.flush();
    expect(typesOf(sent)).toEqual(['gap', 'event']);
    expect(seqsOf(sent)).toEqual([2]);
  });

  it('finds what it missed at about the same cost, whatever else it follows', () => {
    const costMs = (others: number): number => {
      const stage = new Stage();
      for (let n = 0; n < 20_000; n++) stage.store.publishEvent(`devices/d${n % 50}/messages`, { n });
      stage.sink.unsent = 65 * 1024;
      const topics = (group: number) => Array.from({ length: 50 }, (_, n) => `other/${group}/${n}`);
      for (let group = 0; group < others; group++)
        stage.say({ type: 'subscribe', topics: topics(group), ...SINCE(10_000 + group) });
      const before = performance.now();
      stage.say({ type: 'subscribe', topics: ['devices/#'], ...SINCE(0) });
      stage.say({ type: 'unsubscribe', topics: ['devices/#'] });
      return performance.now() - before;
    };
    const least = (others: number) => Math.min(...[1, 2, 3].map(() => costMs(others)));
    expect(least(5)).toBeLessThan(20 * least(0));
  });

  it('learns that the rest of its request is complete when the other part is given up', () => {
    const stage = new Stage();
    for (const topic of ['a/1', 'b/1']) stage.store.publishState(topic, { topic });
    stage.sink.unsent = 65 * 1024;
    stage.say({ type: 'subscribe', id: '1', topics: ['a/#', 'none'] });
    stage.say({ type: 'subscribe', id: '2', topics: ['a/#', 'b/#'] });
    stage.say({ type: 'unsubscribe', topics: ['a/#'] });
    stage.sink.unsent = 0;
    const payloads = stage.flush().flatMap(({ type, payload }) => (type === 'synced' ? [payload] : []));
    expect(payloads).toMatchObject([
      { reply_to: '1', topics: ['none'] },
      { reply_to: '2', topics: ['b/#'] },
    ]);
  });

  it('gets past events in their order, and no position beyond those that were not sent', () => {
    const stage = new Stage();
    for (const topic of ['b', 'a', 'a', 'a']) stage.store.publishEvent(topic, {});
    stage.say({ type: 'subscribe', topics: ['a'], ...SINCE(0) });
    stage.say({ type: 'subscribe', topics: ['b'], ...SINCE(0) });
    stage.say({ type: 'subscribe', topics: ['none'] });
    expect(seqsOf(stage.flush())).toEqual([1, 'up to 1', 2, 3, 4, 'up to 4', 'up to 4']);
  });

  it('gets the older past of an overlapping pattern, and none of it twice', () => {
    const stage = new Stage();
    for (let n = 0; n < 3; n++) stage.store.publishEvent('a/x', { n });
    stage.say({ type: 'subscribe', topics: ['#'] });
    stage.say({ type: 'subscribe', topics: ['a/#'], ...SINCE(2) });
    stage.say({ type: 'subscribe', topics: ['a/+'], ...SINCE(1) });
    stage.say({ type: 'subscribe', topics: ['a/x'], ...SINCE(0) });
    expect(seqsOf(stage.flush()).filter((each) => typeof each === 'number')).toEqual([1, 2, 3]);
  });
});
