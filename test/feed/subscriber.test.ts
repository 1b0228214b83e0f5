import { describe, expect, it } from 'vitest';
import { Audience } from '../../src/feed/core/audience.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import type { Sink, Subscriber } from '../../src/feed/core/subscriber.ts';
import { Subscriptions } from '../../src/feed/core/subscriptions.ts';
import { plainFramer } from '../support/plain-framer.ts';

const NOW = { monoMs: 0, wallMs: 0 };

class RecordingSink implements Sink {
  unsent = 0;
  readonly writes: Uint8Array[] = [];
  readonly #keeps: boolean;

  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  write(bytes: Uint8Array): number {
    this.writes.push(bytes);
    if (this.#keeps) this.unsent += bytes.length;
    return this.unsent;
  }

  get bytes(): number {
    return this.writes.reduce((sum, { length }) => sum + length, 0);
  }

  get text(): string {
    return this.writes.map((each) => new TextDecoder().decode(each)).join('');
  }
}

class Stage {
  readonly store = new FeedStore({ epoch: 'e' });
  readonly audience = new Audience(this.store, plainFramer, {
    pending: () => undefined,
    paced: () => undefined,
    overfull: () => this.audience.settle(NOW),
  });

  join(keeps: boolean, ...patterns: string[]): { sink: RecordingSink; subscriber: Subscriber } {
    const sink = new RecordingSink(keeps);
    const subscriber = this.audience.admit(sink);
    this.audience.assign(subscriber, new Subscriptions(patterns), NOW);
    return { sink, subscriber };
  }

  pass(): void {
    for (const subscriber of this.audience.pass()) subscriber.flush(NOW);
  }
}

describe('a subscriber with a large backlog', () => {
  it('is written some of it in each pass, however fast it takes it, and misses nothing meanwhile', () => {
    const stage = new Stage();
    const text = 'x'.repeat(1_000);
    for (let n = 0; n < 3_000; n++) stage.store.publishState(`a/${n}`, { text });
    const { sink, subscriber } = stage.join(false, 'a/+', 'b');
    subscriber.startSnapshot(['a/+', 'b'], '1');
    let most = 0;
    let passes = 0;
    for (; stage.audience.pending; passes++) {
      const before = sink.bytes;
      if (passes < 5) stage.store.publishEvent('b', { passes });
      stage.pass();
      most = Math.max(most, sink.bytes - before);
      // Nothing is read from it before it has what it asked for.
      expect(subscriber.full).toBe(!sink.text.includes('"synced"'));
    }
    expect(most).toBeLessThan(150_000);
    expect(passes).toBeLessThan(60);
    expect(sink.text.match(/"state":/g)).toHaveLength(3_000);
    expect(sink.text.match(/"passes":/g)).toHaveLength(5);
    expect(sink.text.match(/"synced"/g)).toHaveLength(1);
  });
});

describe('subscribers in step', () => {
  it('get everything of a turn in one write, and the very same bytes', () => {
    const stage = new Stage();
    const [a, b] = [stage.join(false, 'a', 'b'), stage.join(false, 'b', 'a')];
    const other = stage.join(false, 'c');
    for (let n = 0; n < 10; n++) stage.store.publishState('a', { n });
    stage.pass();
    expect(a.sink.writes).toHaveLength(1);
    expect(b.sink.writes[0]).toBe(a.sink.writes[0]);
    expect(a.sink.text.match(/"type":"update"/g)).toHaveLength(10);
    expect(other.sink.writes).toHaveLength(0);
  });

  it('go on hearing all when one with the same patterns goes twice', () => {
    const stage = new Stage();
    const { subscriber } = stage.join(false, 'a');
    stage.audience.detach(subscriber);
    const { sink } = stage.join(false, 'a');
    stage.audience.detach(subscriber);
    stage.store.publishBroadcast('c', 'hello');
    stage.store.publishState('a', { n: 1 });
    stage.audience.sendPositions();
    stage.pass();
    const sent = [...sink.text.matchAll(/\{"type":"(\w+)"/g)].map(([, type]) => type);
    expect(sent).toEqual(['broadcast', 'update', 'position']);
  });

  it('get what is for them alone in the same write, behind what came before it', () => {
    const stage = new Stage();
    const { sink, subscriber } = stage.join(false, 'a');
    stage.store.publishState('a', { n: 1 });
    subscriber.send('pong', {}, NOW);
    stage.store.publishState('a', { n: 2 });
    stage.pass();
    expect(sink.writes).toHaveLength(1);
    expect(sink.text.match(/"rev":\d|"pong"/g)).toEqual(['"rev":1', '"pong"', '"rev":2']);
  });

  it('hear once what several of their patterns cover, and nothing that none covers', () => {
    const stage = new Stage();
    const { sink } = stage.join(false, 'a/+', 'a/#', 'a/b');
    stage.store.publishEvent('a/b', {});
    stage.store.publishEvent('b', {});
    stage.pass();
    expect(sink.text.match(/"event"/g)).toHaveLength(1);
  });

  it('are written what they took over of a turn in which too much happened, though nothing follows', () => {
    const stage = new Stage();
    const { sink } = stage.join(false, '#');
    for (let n = 0; n < 4_096; n++) stage.store.publishEvent(n < 4_000 ? 'a' : 'b', {});
    expect(stage.audience.pending).toBe(true);
    while (stage.audience.pending) stage.pass();
    expect(sink.text.match(/"topic":"b"/g)).toHaveLength(96);
  });

  it('are not written more than they may hold by a turn in which very much happens', () => {
    const stage = new Stage();
    const { sink, subscriber } = stage.join(true, '#');
    for (let n = 0; n < 10_000; n++) stage.store.publishEvent('a', { n, text: 'x'.repeat(100) });
    stage.pass();
    expect(sink.unsent).toBeLessThan(3 * 64 * 1024);
    expect(subscriber.held).toBeLessThan(1024 * 1024 + 3 * 64 * 1024);
  });
});

describe('subscribers that are behind', () => {
  it('are all written the same bytes of the present document, whatever they missed', () => {
    const stage = new Stage();
    const all = [stage.join(true, 'a'), stage.join(true, 'a')];
    stage.store.publishState('a', { big: 'x'.repeat(70_000) });
    stage.pass();
    for (let n = 0; n < 100; n++) {
      stage.store.publishState('a', { n });
      stage.pass();
    }
    for (const { sink, subscriber } of all) {
      expect(subscriber.full).toBe(true);
      expect(sink.writes).toHaveLength(1);
      sink.unsent = 0;
      stage.audience.wake(subscriber);
    }
    stage.pass();
    const [first, second] = all.map(({ sink }) => sink.writes);
    expect(first).toHaveLength(2);
    expect(second?.[1]).toBe(first?.[1]);
    expect(new TextDecoder().decode(first?.[1])).toContain('"full":true,"state":{"n":99}');
    stage.store.publishState('a', { n: 100 });
    stage.pass();
    expect(new TextDecoder().decode(first?.[2])).toContain('"patch":{"n":100}');
  });

  it('lose their oldest events beyond 1,000, and learn which', () => {
    const stage = new Stage();
    const { sink, subscriber } = stage.join(true, '#');
    stage.store.publishState('s', { big: 'x'.repeat(70_000) });
    stage.pass();
    for (let n = 0; n < 1_500; n++) stage.store.publishEvent('a', { n });
    stage.pass();
    sink.unsent = 0;
    sink.writes.length = 0;
    while (subscriber.held > 0) {
      sink.unsent = 0;
      stage.audience.wake(subscriber);
      stage.pass();
      sink.unsent = 0;
    }
    expect(sink.text).toContain('"topic":"a","epoch":"e","from_seq":1,"to_seq":500,"reason":"slow_consumer"');
    const seqs = [...sink.text.matchAll(/"type":"event".*?"seq":(\d+)/g)].map(([, seq]) => Number(seq));
    expect(seqs).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 501));
    expect(sink.text.indexOf('"gap"')).toBeLessThan(sink.text.indexOf('"type":"event"'));
  });

  it('get no position beyond a loss that was not sent yet', () => {
    const stage = new Stage();
    const { sink, subscriber } = stage.join(true, '#');
    stage.store.publishState('s', { big: 'x'.repeat(70_000) });
    stage.pass();
    for (let n = 0; n < 1_500; n++) stage.store.publishEvent(n % 2 === 0 ? 'a' : 'b', { n });
    stage.pass();
    subscriber.startSnapshot(['nothing'], 'x');
    sink.unsent = 0;
    sink.writes.length = 0;
    stage.pass();
    const synced = sink.text.indexOf('"synced"');
    expect(sink.text.indexOf('"topic":"a","epoch":"e","from_seq":1,')).toBeLessThan(synced);
    expect(sink.text.indexOf('"topic":"b","epoch":"e","from_seq":1,')).toBeGreaterThan(synced);
    // The first event of b, which is lost, has rev 3.
    expect(sink.text.slice(synced)).toContain('"position":{"e":2}');
  });
});
