import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type FeedItem } from '../../src/client/index.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const YAML = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]';
const TOPIC = 'devices/a/messages';
const COUNT = 25;

/** A bridge, and after it another one at the same address: a restart. */
const start = (port = 0): Promise<TestBridge> => startBridge(YAML, `{ port: ${port} }`);

function publish({ bridge }: TestBridge, from: number): void {
  for (let n = from; n < from + COUNT; n++) bridge.store.publishEvent(TOPIC, { n });
}

const numbers = (from: number): number[] => Array.from({ length: COUNT }, (_, index) => from + index);

/** What docs/reference/feed.md asks of a client, and not a word more: an id that it had is acknowledged and ignored. */
class PlainClient {
  readonly taken: number[] = [];
  acknowledged = 0;
  readonly #ids = new Set<string>();
  #socket: WebSocket | undefined;

  async connect(url: string): Promise<void> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    this.#socket = socket;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => send({ type: 'subscribe', topics: [TOPIC], ack: true }));
      socket.on('message', (text) => {
        const message = JSON.parse(String(text));
        if (message.type === 'synced') resolve();
        if (message.type !== 'event') return;
        send({ type: 'ack', ids: [message.id] });
        this.acknowledged += 1;
        if (this.#ids.has(message.id)) return;
        this.#ids.add(message.id);
        this.taken.push(message.payload.data.n);
      });
    });
  }

  close(): void {
    this.#socket?.close();
  }
}

describe('events after a restart of the bridge', () => {
  it('are all new to the client of this project, and to one that keeps to the document', async () => {
    let bridge = await start();
    const { url } = bridge;
    const plain = new PlainClient();
    const dealt: Record<string, number[]> = { acked: [], unacked: [] };
    const into = (name: string) => (item: FeedItem) => {
      if (item.kind === 'event') dealt[name]?.push(Number(item.data.n));
    };
    // Two clients: of one, a pattern has the terms that any of its subscriptions asked for.
    const backOff = { firstMs: 20, mostMs: 50 };
    using acking = connect(url, { WebSocket, backOff });
    using other = connect(url, { WebSocket, backOff });
    const subscriptions = [
      acking.subscribe(TOPIC, { ack: true, onItem: into('acked') }),
      other.subscribe(TOPIC, { onItem: into('unacked') }),
    ];
    try {
      await Promise.all([plain.connect(url), ...subscriptions.map(({ ready }) => ready)]);
      publish(bridge, 1);
      const first = numbers(1);
      await expect.poll(() => [plain.taken, dealt.acked, dealt.unacked]).toEqual([first, first, first]);

      await bridge[Symbol.asyncDispose]();
      for (const client of [acking, other]) await expect.poll(() => client.status.state).toBe('stale');
      bridge = await start(Number(new URL(url).port));
      for (const client of [acking, other]) client.retryNow();
      await Promise.all([plain.connect(url), acking.connected(), other.connected()]);
      publish(bridge, 1_001);
      const both = [...first, ...numbers(1_001)];
      await expect.poll(() => [plain.taken, dealt.acked, dealt.unacked]).toEqual([both, both, both]);
      expect(plain.acknowledged).toBe(2 * COUNT);
    } finally {
      plain.close();
      await bridge[Symbol.asyncDispose]();
    }
  });

  it('have ids that no event of the former life had', async () => {
    const ids = async (): Promise<readonly string[]> => {
      await using bridge = await start();
      const heard: string[] = [];
      bridge.bridge.store.follow([TOPIC]);
      const off = bridge.bridge.store.listen((change) => {
        if ('id' in change) heard.push(change.id);
      });
      publish(bridge, 1);
      bridge.bridge.store.publishBroadcast('c', 'all');
      off();
      return heard;
    };
    const lives = [await ids(), await ids()];
    expect(lives.map(({ length }) => length)).toEqual([COUNT + 1, COUNT + 1]);
    expect(new Set(lives.flat()).size).toBe(2 * (COUNT + 1));
  });
});
