import { createServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server as SocketIoServer } from 'socket.io';
import { type WebSocket, WebSocketServer } from 'ws';
import { callerOf } from '../../src/access/caller.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { FeedServer } from '../../src/feed/transports/feed-server.ts';
import { JsonLinesServer } from '../../src/feed/transports/json-lines-server.ts';
import { SseServer } from '../../src/feed/transports/sse-server.ts';
import { textFrame } from '../../src/feed/transports/websocket.ts';
import { type Clock, systemClock } from '../../src/system/clock.ts';
import { versionOf } from './c-programs.ts';
import {
  clientFrame,
  data,
  EVENT,
  listen,
  localWay,
  Subscribers,
  SYNCED,
  type Telling,
  text,
  topicOf,
  upgradeTo,
  type Way,
} from './fan-out-way.ts';

/** Behind `data: `. */
const inData = ({ at, byte }: { at: number; byte: number }) => ({ at: at + 'data: '.length, byte });
const WIDE_OPEN = { connectsPerSecond: 1e6, connectBurst: 1e6, closeTimeoutMs: 100 };

/** A loop tells everybody before it returns. */
const atOnce = (publish: (n: number) => void): Telling => ({ publish, told: () => true });

/** The feed tells at the end of the turn, and many subscribers in several turns. */
function overFeed(store: FeedStore, server: FeedServer, transport: number, groups = 1, count = 1): Telling {
  const { audience } = server.subscriberRegistry.transports[transport] ?? {};
  if (audience === undefined) throw new Error('no such transport');
  let wanted = audience.tally.deliveries;
  return {
    publish: (n) => {
      wanted += count / groups;
      store.publishEvent(topicOf(n, groups), data(n));
    },
    told: () => audience.tally.deliveries >= wanted,
  };
}

/** Its beat never comes: no position is counted as a delivery, and nobody is pinged who would not answer. */
const clock: Clock = { ...systemClock, setTimer: () => ({ cancel: () => undefined }) };

function feed() {
  const store = new FeedStore({ epoch: 'bench', notify: 'followed' });
  const server = new FeedServer({ store, clock, host: '127.0.0.1', hosts: [], origins: [], ...WIDE_OPEN });
  return { store, server };
}

const subscribe = (topics: string): string => JSON.stringify({ type: 'subscribe', topics: [topics] });

/** With more than one group, each hears one topic of as many; else everybody hears all. */
function interests(groups: number): string[] {
  return groups === 1
    ? ['devices/+/messages']
    : Array.from({ length: groups }, (_, group) => topicOf(group, groups));
}

export async function overWebSocket(count: number, groups = 1): Promise<Way> {
  const { store, server } = feed();
  const http = createServer();
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
  const subscribers = await Subscribers.connect({
    port: await listen(http),
    count,
    framing: 'frames',
    head: upgradeTo('/ws'),
    greetings: interests(groups).map((topic) => clientFrame(subscribe(topic))),
    ready: SYNCED,
    counted: EVENT,
  });
  return localWay('heartwire', subscribers, overFeed(store, server, 0, groups, count), async () => {
    await server[Symbol.asyncDispose]();
    http.close();
  });
}

export async function overLines(count: number): Promise<Way> {
  const { store, server } = feed();
  const lines = new JsonLinesServer({
    subscriberRegistry: server.subscriberRegistry,
    host: '127.0.0.1',
    port: 0,
  });
  const subscribers = await Subscribers.connect({
    port: Number((await lines.start()).split(':')[1]),
    count,
    framing: 'lines',
    greetings: interests(1).map((topic) => Buffer.from(subscribe(topic)).toString('hex')),
    ready: SYNCED,
    counted: EVENT,
  });
  return localWay('heartwire, JSON lines', subscribers, overFeed(store, server, 1, 1, count), async () => {
    await server[Symbol.asyncDispose]();
    await lines[Symbol.asyncDispose]();
  });
}

export async function overSse(count: number): Promise<Way> {
  const { store, server } = feed();
  const streams = new SseServer(server.subscriberRegistry);
  const http = createServer(
    (request, response) =>
      void streams.open(
        request,
        response,
        {},
        callerOf(request),
        server.subscriberRegistry.auth.openGrant('127.0.0.1'),
      ),
  );
  const subscribers = await Subscribers.connect({
    port: await listen(http),
    count,
    framing: 'lines',
    head: 'GET /api/feed?topics=devices/+/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    greetings: [],
    ready: inData(SYNCED),
    counted: inData(EVENT),
  });
  return localWay(
    'heartwire, server-sent events',
    subscribers,
    overFeed(store, server, 1, 1, count),
    async () => {
      await server[Symbol.asyncDispose]();
      http.close();
    },
  );
}

/** The loop that everybody writes first: `send` to each, where it concerns them. */
export async function wsLoop(count: number, groups = 1): Promise<Way> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  const sockets: Array<{ readonly socket: WebSocket; readonly topic: string }> = [];
  server.on('connection', (socket) =>
    socket.on('message', (topic) => void sockets.push({ socket, topic: String(topic) })),
  );
  const wanted = groups === 1 ? ['*'] : interests(groups);
  const subscribers = await Subscribers.connect({
    port: await listen(http),
    count,
    framing: 'frames',
    head: upgradeTo('/ws'),
    greetings: wanted.map(clientFrame),
    counted: EVENT,
  });
  while (sockets.length < count) await sleep(10);
  const publish = (n: number): void => {
    const message = text(n, groups);
    const topic = topicOf(n, groups);
    for (const each of sockets) if (each.topic === '*' || each.topic === topic) each.socket.send(message);
  };
  return localWay(`${versionOf('ws')} loop`, subscribers, atOnce(publish), () => {
    for (const { socket } of sockets) socket.terminate();
    server.close();
    http.close();
  });
}

/** The least that can be done: what a tick brings is framed into one buffer, and written to every socket. */
export async function rawNet(count: number): Promise<Way> {
  const sockets = new Set<Socket>();
  const server = createTcpServer({ noDelay: true }, (socket) => void sockets.add(socket));
  const subscribers = await Subscribers.connect({
    port: await listen(server),
    count,
    framing: 'frames',
    greetings: [],
    counted: EVENT,
  });
  while (sockets.size < count) await sleep(10);
  let frames: Uint8Array[] = [];
  const flush = (): void => {
    const bytes = Buffer.concat(frames);
    frames = [];
    for (const socket of sockets) socket.write(bytes);
  };
  const publish = (n: number): void => {
    if (frames.length === 0) queueMicrotask(flush);
    frames.push(textFrame([text(n, 1)]));
  };
  return localWay(`raw net, Node ${process.version}`, subscribers, atOnce(publish), () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

export async function socketIo(count: number): Promise<Way> {
  const http = createServer();
  const io = new SocketIoServer(http, { transports: ['websocket'], pingInterval: 600_000 });
  const port = await listen(http);
  const subscribers = await Subscribers.connect({
    port,
    count,
    framing: 'frames',
    head: upgradeTo('/socket.io/?EIO=4&transport=websocket'),
    // `40` joins the default namespace, `40{...}` is the answer, `42[...]` is a message.
    greetings: [clientFrame('40')],
    ready: { at: 2, byte: 0x7b },
    counted: { at: 1, byte: 0x32 },
  });
  const publish = (n: number): void => {
    const payload = { topic: topicOf(n, 1), epoch: 'bench', rev: n, seq: n, data: data(n) };
    io.emit('event', { type: 'event', id: `r${n}`, timestamp: Date.now(), payload });
  };
  return localWay(versionOf('socket.io'), subscribers, atOnce(publish), async () => {
    await io.close();
  });
}
