// A child process of bench/hostile: subscribers that mean no good, of one kind at a time.
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { clientFrame, upgradeTo } from './fan-out-way.ts';

export const HOSTILE_KINDS = [
  'never reading',
  'one byte a second',
  'flooding',
  'bursts of pings',
  'huge messages',
  'bad JSON',
  'bad UTF-8',
  '1,000 connects a second',
  '10,000 subscriptions',
  'pipelined GET /metrics',
  'pipelined GETs of all routes',
  'pipelined upgrades',
  'names without an answer',
  'unfinished handshakes',
] as const;
export type HostileKind = (typeof HOSTILE_KINDS)[number];

export type HostileOrder =
  | {
      readonly do: 'start';
      readonly kind: HostileKind;
      readonly port: number;
      readonly tlsPort?: number | undefined;
    }
  | { readonly do: 'stop' };

const EVERYTHING = frame(JSON.stringify({ type: 'subscribe', topics: ['#'] }));
const BURST = 1_000;
const PATTERNS_EACH = 250;
const HANDSHAKES_A_TICK = 2;

const open = new Set<Socket>();
const timers = new Set<NodeJS.Timeout>();
let stopped = false;

function frame(payload: string | Uint8Array): Buffer {
  return Buffer.from(clientFrame(payload), 'hex');
}

/** A frame with a length in two bytes. */
function longFrame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, body]);
}

function every(ms: number, act: () => void): void {
  timers.add(setInterval(act, ms));
}

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
/** Every route with a body of its own. */
const ROUTES = [
  '/',
  '/api/devices',
  '/api/devices/p7',
  '/api/devices/+',
  '/asyncapi.json',
  '/metrics',
  '/readyz',
];
const REQUESTS_A_WRITE = 200;

/** Three connections ask for the same again and again, without waiting for an answer. */
function pipeline(port: number, paths: readonly string[]): void {
  const lines = Array.from({ length: REQUESTS_A_WRITE }, (_, at) => GET(paths[at % paths.length] ?? '/'));
  const bytes = Buffer.from(lines.join(''));
  many(3, port, (socket) => pour(socket, bytes), { first: '' });
}

let silent: Datagrams | undefined;

/** A name server that takes every question and says nothing. */
async function nameServer(): Promise<string> {
  silent = createSocket('udp4');
  silent.on('message', () => undefined);
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  return `127.0.0.1:${silent.address().port}`;
}

/** How a client of TLS begins. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  const taken = once(server, 'connection');
  const client = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }).on(
    'error',
    () => undefined,
  );
  const [socket] = (await taken) as [Socket];
  const [hello] = (await once(
    socket.on('error', () => undefined),
    'data',
  )) as [Buffer];
  client.destroy();
  server.close();
  return hello;
}

/** Connections that begin a handshake, some with a part of their first message, and never go on. */
async function unfinished(port: number): Promise<void> {
  const hello = await clientHello();
  let count = 0;
  every(10, () => {
    for (let each = 0; each < HANDSHAKES_A_TICK; each++) {
      const first = hello.subarray(0, count++ % 2 === 0 ? hello.length : 50);
      attack(port, (socket) => void socket.resume().write(first), { again: false, first: '' });
    }
  });
}

interface Attack {
  /** Whether it comes back when it is closed. */
  readonly again?: boolean;
  readonly first?: string;
}

/** Opens one, and another one whenever it is closed. */
function attack(port: number, act: (socket: Socket) => void, how: Attack = {}): void {
  const { again = true, first = upgradeTo('/ws') } = how;
  const socket = connect({ port, host: '127.0.0.1' });
  open.add(socket);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    open.delete(socket);
    if (again && !stopped) timers.add(setTimeout(() => !stopped && attack(port, act, how), 100));
  });
  if (first !== '') socket.write(first);
  act(socket);
}

function many(count: number, port: number, act: (socket: Socket) => void, how: Attack = {}): void {
  for (let index = 0; index < count; index++) attack(port, act, how);
}

/** Writes the same over and over, as fast as it is taken. */
function pour(socket: Socket, bytes: Uint8Array): void {
  socket.resume();
  const more = (): void => {
    while (!stopped && !socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

async function start(kind: HostileKind, port: number, tlsPort = 0): Promise<string | undefined> {
  stopped = false;
  switch (kind) {
    case 'never reading':
      many(20, port, (socket) => void socket.pause().write(EVERYTHING));
      return undefined;
    case 'one byte a second':
      many(20, port, (socket) => {
        socket.pause().write(EVERYTHING);
        every(1_000, () => void socket.read(1));
      });
      return undefined;
    case 'flooding':
      many(5, port, (socket) => pour(socket, frame('{"type":"echo","data":1}')));
      return undefined;
    case 'bursts of pings': {
      const pings = Buffer.concat(Array.from({ length: BURST }, () => Buffer.from('898000000000', 'hex')));
      many(5, port, (socket) => pour(socket, pings));
      return undefined;
    }
    case 'huge messages': {
      // It claims a gigabyte.
      const head = Buffer.from('81ff000000004000000000000000', 'hex');
      many(5, port, (socket) => {
        socket.write(head);
        pour(socket, Buffer.alloc(65_536, 0x61));
      });
      return undefined;
    }
    case 'bad JSON':
      many(5, port, (socket) => pour(socket, frame('{"type":')));
      return undefined;
    case 'bad UTF-8':
      many(5, port, (socket) => pour(socket, Buffer.from('818200000000c328', 'hex')));
      return undefined;
    case '1,000 connects a second':
      every(10, () => {
        for (let count = 0; count < 10; count++) {
          attack(port, (socket) => void timers.add(setTimeout(() => socket.destroy(), 50)), {
            again: false,
          });
        }
      });
      return undefined;
    case 'names without an answer':
      return nameServer();
    case 'unfinished handshakes':
      await unfinished(tlsPort);
      return undefined;
    case 'pipelined GET /metrics':
      pipeline(port, ['/metrics']);
      return undefined;
    case 'pipelined GETs of all routes':
      pipeline(port, ROUTES);
      return undefined;
    case 'pipelined upgrades':
      many(3, port, (socket) => socket.resume().write(GET('/api/devices').repeat(200) + upgradeTo('/ws')), {
        first: '',
      });
      return undefined;
    case '10,000 subscriptions':
      many(40, port, (socket) => {
        socket.resume();
        let round = 0;
        every(500, () => {
          const topics = Array.from({ length: PATTERNS_EACH }, (_, index) => `other/${index}/+`);
          const type = round++ % 2 === 0 ? 'subscribe' : 'unsubscribe';
          socket.write(longFrame(JSON.stringify({ type, topics })));
        });
      });
      return undefined;
  }
}

function stop(): void {
  stopped = true;
  for (const timer of timers) clearInterval(timer);
  timers.clear();
  for (const socket of open) socket.destroy();
  silent?.close();
  silent = undefined;
}

/** Answers with the name server that it serves, or with nothing. */
process.on('message', async (order: HostileOrder) => {
  let server: string | undefined;
  if (order.do === 'start') server = await start(order.kind, order.port, order.tlsPort);
  else stop();
  process.send?.(server ?? '');
});
process.on('disconnect', () => process.exit());
