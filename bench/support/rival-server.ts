// A child process of bench/fan-out and bench/relay: a server in Node that tells all its subscribers what a device says.
// It prints `DEVICE_PORT SUBSCRIBER_PORT`, and ends with its standard input.
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { textFrame } from '../../src/feed/transports/websocket.ts';
import { listen } from './fan-out-way.ts';
import { AFTER, BEFORE, counterOf, EVENT_BYTES, FRAME, type RivalKind } from './telemetry-frame.ts';

/** What a server has for the device, and where its subscribers connect. */
interface Server {
  readonly port: number;
  said(chunk: Buffer): void;
}

const text = (uptime: number): string => `${BEFORE}${uptime}${AFTER}`;

function texts(chunk: Buffer): readonly string[] {
  return Array.from({ length: Math.floor(chunk.length / FRAME.length) }, (_, n) => text(counterOf(chunk, n)));
}

/** The loop that everybody writes first: `send` to each. */
async function ws(): Promise<Server> {
  const http = createHttpServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  const sockets = new Set<WebSocket>();
  server.on('connection', (socket) => void sockets.add(socket));
  return {
    port: await listen(http),
    said: (chunk) => {
      for (const message of texts(chunk)) for (const socket of sockets) socket.send(message);
    },
  };
}

/** The greeting says that the subscriber is accepted, which is later than that it is connected. */
function subscribersOn(greeting: Uint8Array): {
  readonly sockets: ReadonlySet<Socket>;
  readonly port: Promise<number>;
} {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.write(greeting);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  return { sockets, port: listen(server) };
}

/** The least that can be done: what a turn brings is framed into one buffer, and written to every socket. */
async function net(): Promise<Server> {
  const { sockets, port } = subscribersOn(textFrame([text(0)]));
  let frames: Uint8Array[] = [];
  const flush = (): void => {
    const bytes = Buffer.concat(frames);
    frames = [];
    for (const socket of sockets) socket.write(bytes);
  };
  return {
    port: await port,
    said: (chunk) => {
      if (frames.length === 0) setImmediate(flush);
      for (const message of texts(chunk)) frames.push(textFrame([message]));
    },
  };
}

/** What is needed of uWebSockets.js, which npm does not have. */
interface UwsApp {
  ws(pattern: string, handlers: { open(socket: { subscribe(topic: string): void }): void }): UwsApp;
  listen(host: string, port: number, done: (socket: unknown) => void): UwsApp;
  publish(topic: string, message: string, binary: boolean): void;
}

async function uws(): Promise<Server> {
  const name = 'uWebSockets.js';
  // A package without types in this checkout; it is used as its documents say.
  const library = (await import(name)).default as {
    App(): UwsApp;
    us_socket_local_port(of: unknown): number;
  };
  const app = library.App().ws('/*', { open: (socket) => socket.subscribe('all') });
  const listener = await new Promise((done) => app.listen('127.0.0.1', 0, done));
  return {
    port: library.us_socket_local_port(listener),
    said: (chunk) => {
      for (const message of texts(chunk)) app.publish('all', message, false);
    },
  };
}

/** Passes on what comes, without a look at it. */
async function relay(passOn: (chunk: Buffer) => Buffer): Promise<Server> {
  const { sockets, port } = subscribersOn(passOn(FRAME));
  return {
    port: await port,
    said: (chunk) => {
      const bytes = passOn(chunk);
      for (const socket of sockets) socket.write(bytes);
    },
  };
}

function start(kind: RivalKind): Promise<Server> {
  switch (kind) {
    case 'ws':
      return ws();
    case 'net':
      return net();
    case 'uws':
      return uws();
    case 'relay':
      return relay((chunk) => chunk);
    case 'padded':
      return relay((chunk) => Buffer.concat([chunk], EVENT_BYTES));
  }
}

const server = await start(process.argv[2] as RivalKind);
const device = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => server.said(chunk));
});
console.log(`${await listen(device)} ${server.port}`);
process.stdin.on('end', () => process.exit()).resume();
