import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { FeedStore } from '../src/feed/core/store.ts';
import { FeedServer } from '../src/feed/transports/feed-server.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';
import type { ClientsOrder } from './support/feed-clients.ts';

const SUBSCRIBERS = 100;
const ROUNDS = 7;
/** Deliveries of one round are alike for all rows. */
const MESSAGES_PER_ROUND = 400;
const TOPIC = 'devices/p1/messages';
/** As many frames as come before the first round: welcome, snapshot, synced. */
const GREETING_FRAMES = { feed: 3, ws: 0 };

/** One way of telling many subscribers, with the subscribers in a process of their own. */
interface Way {
  publish(n: number): void;
  readonly clients: ChildProcess;
  close(): Promise<void>;
}

function message(n: number): { name: string; values: Record<string, number | string> } {
  return {
    name: 'telemetry',
    values: { n, temperature: 20 + (n % 100) / 10, mode: 'heating', uptime: n * 3 },
  };
}

async function ask(clients: ChildProcess, order: ClientsOrder): Promise<void> {
  const answer = once(clients, 'message');
  clients.send(order);
  await answer;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address with a port.
  return (server.address() as AddressInfo).port;
}

async function subscribers(port: number, greeting: string): Promise<ChildProcess> {
  const own = fileURLToPath(import.meta.url);
  const clients = fork(own.replace(/fan-out(\.[jt]s)$/, 'support/feed-clients$1'));
  await ask(clients, { do: 'connect', port, count: SUBSCRIBERS, greeting });
  return clients;
}

async function feedWay(): Promise<Way> {
  const store = new FeedStore({ epoch: 'bench', notify: 'followed' });
  const feed = new FeedServer({ store, host: '127.0.0.1', hosts: [], origins: [], closeTimeoutMs: 100 });
  const http = createServer();
  http.on('upgrade', (request, socket, head) => feed.handleUpgrade(request, socket, head));
  const port = await listen(http);
  const clients = await subscribers(port, '{"type":"subscribe","topics":["devices/+/messages"]}');
  await ask(clients, { do: 'await', frames: SUBSCRIBERS * GREETING_FRAMES.feed });
  return {
    publish: (n) => store.publishEvent(TOPIC, message(n)),
    clients,
    close: async () => {
      clients.disconnect();
      await feed[Symbol.asyncDispose]();
      http.close();
    },
  };
}

async function wsWay(): Promise<Way> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  const sockets = new Set<WebSocket>();
  server.on('connection', (socket) => sockets.add(socket));
  const port = await listen(http);
  const clients = await subscribers(port, '{"type":"hello"}');
  return {
    publish: (n) => {
      const timestamp = Date.now();
      const payload = { topic: TOPIC, epoch: 'bench', rev: n, seq: n, data: message(n) };
      const text = JSON.stringify({ type: 'event', id: `r${n}`, timestamp, payload });
      for (const socket of sockets) socket.send(text);
    },
    clients,
    close: async () => {
      clients.disconnect();
      for (const socket of sockets) socket.terminate();
      server.close();
      http.close();
    },
  };
}

/** CPU of this process per delivery, in us, user and system. */
async function round(way: Way, perTick: number): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < MESSAGES_PER_ROUND; ) {
    for (let count = 0; count < perTick; count++) way.publish(n++);
    await turn();
    // So that the subscribers keep up; waiting costs no CPU.
    await sleep(1);
  }
  await ask(way.clients, { do: 'await', frames: MESSAGES_PER_ROUND * SUBSCRIBERS });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (MESSAGES_PER_ROUND * SUBSCRIBERS);
}

async function* run(): AsyncGenerator<BenchRow> {
  const feed = await feedWay();
  const ws = await wsWay();
  try {
    for (const [perTick, most] of [
      [1, 0.75],
      [10, 0.12],
    ] as const) {
      const figures: { feed: number[]; ws: number[] } = { feed: [], ws: [] };
      await round(feed, perTick);
      await round(ws, perTick);
      for (let count = 0; count < ROUNDS; count++) {
        figures.feed.push(await round(feed, perTick));
        figures.ws.push(await round(ws, perTick));
      }
      const own = median(figures.feed);
      const peer = median(figures.ws);
      yield {
        name: `${SUBSCRIBERS} subscribers, ${perTick} per tick`,
        figure: `${own.toFixed(2)} us CPU a delivery`,
        peer: `ws.send loop ${peer.toFixed(2)} us`,
        ratio: (own / peer).toFixed(3),
        target: { text: `<= ${most}`, met: own <= most * peer },
      };
    }
  } finally {
    await feed.close();
    await ws.close();
  }
}

/** What it costs to tell many subscribers the same. */
export const bench: Bench = {
  about:
    'CPU of the bridge per message and subscriber; subscribers in a process of their own, ways alternating',
  run,
};
