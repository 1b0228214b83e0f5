// A child process of bench/crowd: a server that holds very many subscribers, of the feed or of bare `ws`.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { FeedStore } from '../../src/feed/core/store.ts';
import { FeedServer } from '../../src/feed/transports/feed-server.ts';
import { data, listen, text, topicOf } from './fan-out-way.ts';

export type CrowdOrder =
  | { readonly do: 'start'; readonly kind: 'heartwire' | 'ws' }
  /** Say how much memory is in use, once nothing is left to be collected. */
  | { readonly do: 'weigh' }
  /** Tell everybody something so many times, a while apart. */
  | { readonly do: 'broadcast'; readonly times: number };

export interface CrowdReport {
  readonly port?: number;
  /** Held by JavaScript, in bytes, and of the whole process. */
  readonly held?: number;
  readonly rss?: number;
  /** The longest time for which the loop did not turn, in ms, for each broadcast. */
  readonly stallsMs?: readonly number[];
}

const BETWEEN_BROADCASTS_MS = 300;

let publish: (n: number) => void = () => undefined;
let told = 0;

async function start(kind: 'heartwire' | 'ws'): Promise<number> {
  const http = createServer();
  if (kind === 'heartwire') {
    const store = new FeedStore({ epoch: 'bench', notify: 'followed' });
    const feed = new FeedServer({
      store,
      host: '127.0.0.1',
      hosts: [],
      origins: [],
      connectsPerSecond: 1e6,
      connectBurst: 1e6,
      // The subscribers only count, and would not answer.
      pingIntervalMs: 600_000,
    });
    http.on('upgrade', (request, socket, head) => feed.handleUpgrade(request, socket, head));
    publish = (n) => store.publishEvent(topicOf(n, 1), data(n));
  } else {
    const server = new WebSocketServer({ server: http, perMessageDeflate: false, clientTracking: false });
    const sockets = new Set<WebSocket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      // The least that a server of its own would do: hear what comes, and notice who goes.
      socket.on('message', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    publish = (n) => {
      const message = text(n, 1);
      for (const socket of sockets) socket.send(message);
    };
  }
  return await listen(http);
}

async function weigh(): Promise<CrowdReport> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await sleep(100);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}

/** The longest time between two turns of the loop, in ms, within so long a time. */
function longestGap(forMs: number): Promise<number> {
  return new Promise((resolve) => {
    const beganAt = performance.now();
    let last = beganAt;
    let longest = 0;
    const turn = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (now - beganAt > forMs) resolve(longest);
      else setImmediate(turn);
    };
    turn();
  });
}

async function broadcast(times: number): Promise<CrowdReport> {
  const stallsMs: number[] = [];
  for (let count = 0; count < times; count++) {
    globalThis.gc?.();
    const gap = longestGap(BETWEEN_BROADCASTS_MS);
    setTimeout(() => publish(told++), 10);
    stallsMs.push(await gap);
  }
  return { stallsMs };
}

async function carryOut(order: CrowdOrder): Promise<CrowdReport> {
  switch (order.do) {
    case 'start':
      return { port: await start(order.kind) };
    case 'weigh':
      return await weigh();
    case 'broadcast':
      return await broadcast(order.times);
  }
}

process.on('message', (order: CrowdOrder) => {
  void carryOut(order).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());
