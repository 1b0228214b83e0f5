import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, type CloseReason } from '../../../src/contract/wire/close-code.ts';
import { DEFAULT_FEED_LIMITS, type FeedServerLimits } from '../../../src/feed/hub/limits.ts';
import type { TransportName } from '../../../src/feed/hub/transport.ts';
import { BridgeFace } from '../../support/bridge-face.ts';
import { DOORS, DoorClient } from '../../support/door-client.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { rawExchange } from '../../support/http.ts';
import { passSeconds } from '../../support/pass-seconds.ts';
import { ThrottlingProxy } from '../../support/throttling-proxy.ts';

const EVENTS = 'devices/d1/messages';
const BIG = 'x'.repeat(16_000);
/** One flush above the high-water mark, the events' 1 MiB, and the marks. */
const MOST_HELD = 64 * 1024 + 80 * 1024 + 1024 * 1024;

/** A bridge with a well-behaved subscriber over each transport, which sees all changes. */
class Stage {
  readonly clock: FakeClock;
  readonly face: BridgeFace;
  readonly witnesses: readonly DoorClient[];
  mostHeld = 0;
  #published = 0;

  private constructor(clock: FakeClock, face: BridgeFace, witnesses: readonly DoorClient[]) {
    this.clock = clock;
    this.face = face;
    this.witnesses = witnesses;
  }

  static async open(limits: Partial<FeedServerLimits> = {}): Promise<Stage> {
    const clock = new FakeClock();
    const face = await BridgeFace.open({ feed: { clock, closeTimeoutMs: 100, ...limits } });
    return new Stage(clock, face, await Promise.all(DOORS.map((door) => DoorClient.follow(door, face))));
  }

  /** A change is published, and every client that reads has its turn. */
  async publish(text = ''): Promise<void> {
    this.#published += 1;
    this.face.store.publishEvent(EVENTS, { n: this.#published, text });
    this.face.store.publishState('devices/d1/state', { n: this.#published, text });
    await turn();
    this.mostHeld = Math.max(this.mostHeld, this.face.heldBytes);
  }

  /** Until a subscriber that does not read is full: the system's own buffers come first. */
  async fill(): Promise<void> {
    for (let round = 0; this.face.heldBytes <= 64 * 1024; round++) {
      if (round > 4_000) throw new Error('the subscriber never fell behind');
      await this.publish(BIG);
    }
  }

  pass(seconds: number): Promise<void> {
    return passSeconds(this.clock, this.face, seconds, this.witnesses);
  }

  /** A client that ended its own direction may still read: one ping reaches its system, and the next one fails. */
  async untilOnlyWitnesses(): Promise<void> {
    await expect
      .poll(async () => {
        await this.pass(1);
        return this.face.subscribers;
      })
      .toBe(DOORS.length);
  }

  /** How the hostile client ended, by the metrics. */
  async ended(door: TransportName, reason: string): Promise<void> {
    await expect.poll(() => this.face.endings(door), { timeout: 5_000 }).toEqual({ [reason]: 1 });
    expect(this.face.subscribers).toBe(DOORS.length);
  }

  /** No other client has noticed anything, and nothing is left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.publish();
      for (const { door, view, types, messages } of this.witnesses) {
        await expect.poll(() => view.events.get(EVENTS)?.length, { timeout: 10_000 }).toBe(this.#published);
        expect([door, view.gaps, view.breaches]).toEqual([door, [], []]);
        expect(types).not.toContain('closing');
        expect(messages.filter(({ type }) => type === 'error')).toEqual([]);
      }
      await expect.poll(() => this.face.heldBytes).toBe(0);
      expect(this.mostHeld).toBeLessThan(MOST_HELD);
    } finally {
      for (const witness of this.witnesses) witness[Symbol.dispose]();
      await this.face[Symbol.asyncDispose]();
    }
  }
}

/** What breaks the rules of WebSocket itself is answered by the close frame alone. */
const BELOW_MESSAGES: readonly CloseReason[] = ['message_too_large', 'invalid_utf8'];

/** A closing message with its code, and, where there is one, a close frame with the same. */
async function isTold(client: DoorClient, reason: CloseReason): Promise<void> {
  await client.closed;
  const { code } = CLOSE_CODES[reason];
  if (client.door === 'websocket') expect(client.closeCode).toBe(code);
  if (client.door === 'websocket' && BELOW_MESSAGES.includes(reason)) return;
  expect(client.closing).toMatchObject({ code, reason });
}

const SPEAKING = DOORS.filter((door) => door !== 'sse');

describe.each(DOORS)('a subscriber over %s', (door) => {
  it('that never reads is closed after 30 s, and learns why when it reads after all', async () => {
    await using stage = await Stage.open({ closeTimeoutMs: 20_000 });
    using client = await DoorClient.follow(door, stage.face);
    client.socket.pause();
    await stage.fill();
    for (let round = 0; round < 300; round++) await stage.publish(BIG);
    await stage.pass(29);
    expect(stage.face.subscribers).toBe(DOORS.length + 1);
    await stage.pass(2);
    client.socket.resume();
    await isTold(client, 'slow_consumer');
    await stage.ended(door, 'slow_consumer');
  });

  it('at one byte a second is closed after 30 s without a byte, and need not agree', async () => {
    await using stage = await Stage.open();
    const lines = door === 'json_lines';
    await using proxy = await ThrottlingProxy.start(lines ? stage.face.linesPort : stage.face.port);
    using client = await DoorClient.follow(door, { port: proxy.port, linesPort: proxy.port });
    proxy.bytesPerSecond = 1;
    await stage.fill();
    await stage.pass(31);
    // The end in order has its time, and no more.
    stage.clock.advance(100);
    await stage.ended(door, 'slow_consumer');
    expect(client.closing).toBeUndefined();
  });

  it('that holds the most goes first where all together hold too much', async () => {
    await using stage = await Stage.open({ maxHeldBytes: 200 * 1024, closeTimeoutMs: 20_000 });
    using client = await DoorClient.follow(door, stage.face);
    client.socket.pause();
    for (let round = 0; stage.face.subscribers > DOORS.length; round++) {
      if (round > 4_000) throw new Error('the budget was never spent');
      await stage.publish(BIG);
    }
    client.socket.resume();
    await isTold(client, 'slow_consumer');
    await stage.ended(door, 'slow_consumer');
    expect(stage.mostHeld).toBeLessThan(300 * 1024);
  });

  it('that is reset by its network is counted as lost', async () => {
    await using stage = await Stage.open();
    using client = await DoorClient.follow(door, stage.face);
    client.socket.resetAndDestroy();
    await stage.ended(door, 'lost');
  });
});

/** What a subscriber may send, and why it is closed for it. */
const MANNERS: ReadonlyArray<readonly [string, (client: DoorClient) => void, CloseReason]> = [
  [
    'floods',
    (client) => {
      for (let count = 0; count < 500; count++) client.say({ type: 'ping' });
    },
    'rate_limited',
  ],
  [
    'floods, and does not read what it is answered',
    (client) => {
      client.socket.pause();
      for (let count = 0; count < 20_000; count++) client.say({ type: 'ping', timestamp: count });
      client.socket.resume();
    },
    'rate_limited',
  ],
  [
    'sends a message that is too large',
    (client) => client.say({ type: 'echo', payload: BIG.repeat(5) }),
    'message_too_large',
  ],
  [
    'sends a message without an end',
    (client) => {
      const endless = Buffer.from(`{"type":"echo","payload":"${BIG.repeat(60)}`);
      if (client.door === 'websocket') client.frame(0x81, endless, 2 ** 40);
      else client.socket.write(endless);
    },
    'message_too_large',
  ],
  [
    'sends what is no JSON',
    (client) => {
      client.say({ type: 'ping' });
      for (let count = 0; count < 21; count++) client.say('{"type":');
    },
    'too_many_errors',
  ],
  [
    'sends what is no UTF-8',
    (client) => client.sayBytes(Buffer.from('{"type":"echo","payload":"\xc3\x28"}', 'latin1')),
    'invalid_utf8',
  ],
  [
    'asks for 10,000 patterns',
    (client) => {
      for (let message = 0; message < 40; message++) {
        const topics = Array.from({ length: 250 }, (_, n) => `devices/${message}-${n}/state`);
        client.say({ type: 'subscribe', topics });
      }
    },
    'too_many_errors',
  ],
];

describe.each(SPEAKING)('a subscriber over %s', (door) => {
  it.each(MANNERS)('that %s is closed with the right code', async (_manner, misbehave, reason) => {
    await using stage = await Stage.open({ closeTimeoutMs: 2_000 });
    using client = await DoorClient.follow(door, stage.face);
    misbehave(client);
    for (let round = 0; round < 20; round++) await stage.publish();
    await isTold(client, reason);
    await stage.ended(door, reason);
  });
});

describe('a subscriber over websocket', () => {
  it('that bursts pings and never reads costs nothing, and goes on when it reads', async () => {
    await using stage = await Stage.open();
    using client = await DoorClient.follow('websocket', stage.face);
    client.socket.pause();
    const burst = Buffer.concat(Array.from({ length: 500 }, () => Buffer.from('898000000000', 'hex')));
    for (let count = 0; count < 40; count++) {
      client.socket.write(burst);
      await stage.publish();
    }
    client.socket.resume();
    client.say({ type: 'ping', id: 'behind them all' });
    await client.until(() => client.view.replies.has('behind them all'));
    expect(client.pongs).toBeGreaterThan(0);
    expect(client.pongs).toBeLessThanOrEqual(20_000);
    client.socket.destroy();
    await stage.ended('websocket', 'lost');
  });
});

describe('a subscriber over sse', () => {
  it('that floods its connection with further requests is served on, and costs nothing', async () => {
    await using stage = await Stage.open();
    using client = await DoorClient.follow('sse', stage.face);
    const request = 'GET /api/feed?topics=%23 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const requests = Buffer.from(request.repeat(2 ** 20 / request.length));
    // More than the system holds for a connection without a reader.
    for (let count = 0; count < 24; count++) {
      client.socket.write(requests);
      await stage.publish();
    }
    // Until no more of it is taken, which is long before the end.
    for (let left = Number.POSITIVE_INFINITY; client.socket.writableLength < left; ) {
      left = client.socket.writableLength;
      for (let round = 0; round < 50; round++) await stage.publish();
    }
    expect(client.socket.writableLength).toBeGreaterThan(0);
    const { length } = stage.witnesses[0]?.view.events.get(EVENTS) ?? [];
    await client.until(() => (client.view.events.get(EVENTS)?.length ?? 0) >= length);
    expect(stage.face.subscribers).toBe(DOORS.length + 1);
    // Nothing is read from it any more, its end neither.
    client.socket.destroy();
    await stage.untilOnlyWitnesses();
  });

  it.each([
    ['an address of 100,000 bytes', 'x'.repeat(100_000), 431],
    ['10,000 patterns', Array.from({ length: 10_000 }, (_, n) => `d/${n}`).join(), 431],
    ['257 patterns', Array.from({ length: 257 }, (_, n) => n).join(), 400],
    ['text that is no UTF-8', '%c3%28', 400],
  ])('that asks for %s learns so', async (_what, topics, status) => {
    await using stage = await Stage.open();
    const text = `GET /api/feed?topics=${topics} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
    expect(await rawExchange(stage.face.port, text)).toContain(`HTTP/1.1 ${status} `);
    expect(stage.face.subscribers).toBe(DOORS.length);
  });
});

describe('a thousand connections at once', () => {
  it.each(DOORS)('over %s are welcomed, or learn when to come back', async (door) => {
    await using stage = await Stage.open();
    const clients = Array.from({ length: 1_050 }, () => DoorClient.knock(door, stage.face, ['nothing']));
    const welcomed = () => clients.filter(({ types }) => types[0] === 'welcome').length;
    const refused = () =>
      clients.filter(({ head, closing }) =>
        door === 'json_lines'
          ? closing?.code === CLOSE_CODES.draining.code && (closing.retry_after_ms ?? 0) >= 1_000
          : /^HTTP\/1\.1 (?:503|429) [\s\S]*Retry-After: \d+\r\n/.test(head),
      ).length;
    while (welcomed() + refused() < clients.length)
      for (let round = 0; round < 20; round++) await stage.publish();
    // Its clock stands still: no room comes free meanwhile.
    const room = DEFAULT_FEED_LIMITS.connectBurst - DOORS.length;
    expect(welcomed() + refused()).toBe(1_050);
    // A stream is a request as well, whose rate the clock of the HTTP server measures.
    if (door === 'sse') expect(welcomed()).toBeLessThanOrEqual(room);
    else expect(welcomed()).toBe(room);
    for (const client of clients) client.socket.destroy();
    await stage.untilOnlyWitnesses();
  });
});
