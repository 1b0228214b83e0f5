// A child process of bench/hostile: a feed with its usual limits that tells something at an even rate.
import { createServer } from 'node:http';
import { FeedStore } from '../../src/feed/store.ts';
import { FeedServer } from '../../src/runtime/feed-server.ts';
import { listen } from './fan-out-way.ts';

/** What it tells at first, and whenever it is asked. */
export interface HostileReport {
  readonly port: number;
  readonly rssMiB: number;
}

const EVERY_MS = 5;

const store = new FeedStore({ epoch: 'bench', tell: 'followed' });
const feed = new FeedServer({ store, host: '127.0.0.1', hosts: [], origins: [] });
const http = createServer();
http.on('upgrade', (request, socket, head) => feed.handleUpgrade(request, socket, head));
http.on('clientError', (_error, socket) => socket.destroy());
const port = await listen(http);
setInterval(() => {
  const at = performance.timeOrigin + performance.now();
  store.publishEvent('devices/p1/messages', { at, filler: 'x'.repeat(500) });
}, EVERY_MS);
const report = (): void => {
  process.send?.({ port, rssMiB: process.memoryUsage().rss / 1024 / 1024 } satisfies HostileReport);
};
process.on('message', report);
process.on('disconnect', () => process.exit());
report();
