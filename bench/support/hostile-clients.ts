// A child process of bench/hostile: subscribers that mean no good, of one kind at a time.
import { connect, type Socket } from 'node:net';
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
] as const;
export type HostileKind = (typeof HOSTILE_KINDS)[number];

export type HostileOrder =
  | { readonly do: 'start'; readonly kind: HostileKind; readonly port: number }
  | { readonly do: 'stop' };

const EVERYTHING = frame(JSON.stringify({ type: 'subscribe', topics: ['#'] }));
const BURST = 1_000;
const PATTERNS_EACH = 250;

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

function start(kind: HostileKind, port: number): void {
  stopped = false;
  switch (kind) {
    case 'never reading':
      many(20, port, (socket) => void socket.pause().write(EVERYTHING));
      return;
    case 'one byte a second':
      many(20, port, (socket) => {
        socket.pause().write(EVERYTHING);
        every(1_000, () => void socket.read(1));
      });
      return;
    case 'flooding':
      many(5, port, (socket) => pour(socket, frame('{"type":"echo","data":1}')));
      return;
    case 'bursts of pings': {
      const pings = Buffer.concat(Array.from({ length: BURST }, () => Buffer.from('898000000000', 'hex')));
      many(5, port, (socket) => pour(socket, pings));
      return;
    }
    case 'huge messages': {
      // It claims a gigabyte.
      const head = Buffer.from('81ff000000004000000000000000', 'hex');
      many(5, port, (socket) => {
        socket.write(head);
        pour(socket, Buffer.alloc(65_536, 0x61));
      });
      return;
    }
    case 'bad JSON':
      many(5, port, (socket) => pour(socket, frame('{"type":')));
      return;
    case 'bad UTF-8':
      many(5, port, (socket) => pour(socket, Buffer.from('818200000000c328', 'hex')));
      return;
    case '1,000 connects a second':
      every(10, () => {
        for (let count = 0; count < 10; count++) {
          attack(port, (socket) => void timers.add(setTimeout(() => socket.destroy(), 50)), {
            again: false,
          });
        }
      });
      return;
    case 'pipelined GET /metrics':
      return pipeline(port, ['/metrics']);
    case 'pipelined GETs of all routes':
      return pipeline(port, ROUTES);
    case 'pipelined upgrades':
      many(3, port, (socket) => socket.resume().write(GET('/api/devices').repeat(200) + upgradeTo('/ws')), {
        first: '',
      });
      return;
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
      return;
  }
}

function stop(): void {
  stopped = true;
  for (const timer of timers) clearInterval(timer);
  timers.clear();
  for (const socket of open) socket.destroy();
}

process.on('message', (order: HostileOrder) => {
  if (order.do === 'start') start(order.kind, order.port);
  else stop();
  process.send?.('done');
});
process.on('disconnect', () => process.exit());
