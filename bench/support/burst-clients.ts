// A child process of bench/burst: fast subscribers that only count the frames that arrive, or slow ones that follow it all.
import { connect, type Socket } from 'node:net';
import { ReturningClient } from '../../test/support/returning-client.ts';
import { FrameCounter } from './frame-counter.ts';

/** What the bench asks: connect so many, or say when every one of them has so many frames. */
export type BurstOrder =
  | { readonly do: 'connect'; readonly port: number; readonly count: number; readonly greeting: string }
  | { readonly do: 'await'; readonly frames: number }
  | { readonly do: 'slow'; readonly port: number; readonly count: number }
  /** Read all that there is, and say what was heard of a topic, and what was told as missed. */
  | { readonly do: 'account'; readonly topic: string; readonly messages: number };

/** What it answers to `await`: frames of the fast subscribers with the fewest and the most. */
export interface Counts {
  readonly least: number;
  readonly most: number;
}

/** What it answers to `account`, for each slow subscriber. */
export interface Account {
  readonly heard: number;
  readonly missed: number;
  readonly state: unknown;
}

const counters: FrameCounter[] = [];
const sockets: Socket[] = [];
let awaited: number | undefined;

function report(): void {
  process.send?.({ done: true });
}

/** All have so many; a frame too many is as wrong as one too few, and is told. */
function check(): void {
  if (awaited === undefined || counters.some(({ frames }) => frames < (awaited ?? 0))) return;
  awaited = undefined;
  tellCounts();
}

function tellCounts(): void {
  const counts = counters.map(({ frames }) => frames);
  process.send?.({ least: Math.min(...counts), most: Math.max(...counts) } satisfies Counts);
}

function open(port: number, greeting: string): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  sockets.push(socket);
  const counter = new FrameCounter();
  counters.push(counter);
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  let head = Buffer.alloc(0) as Buffer;
  const greet = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    socket.off('data', greet);
    const payload = Buffer.from(greeting);
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
    counter.feed(head.subarray(end + 4));
    socket.on('data', (data: Buffer) => {
      counter.feed(data);
      check();
    });
  };
  socket.on('data', greet);
}

const slow: ReturningClient[] = [];
let pausing: NodeJS.Timeout | undefined;

/** They take a little now and then, far less than they are sent. */
function slowDown(): void {
  for (const client of slow) client.pause();
  pausing = setInterval(() => {
    for (const client of slow) client.resume();
    setTimeout(() => {
      if (pausing !== undefined) for (const client of slow) client.pause();
    }, 2);
  }, 1_000);
}

function accounts(topic: string): Account[] {
  return slow.map((client) => ({
    heard: client.events.get(topic)?.length ?? 0,
    missed: client.gaps.reduce((sum, gap) => sum + (gap.topic === topic ? gap.to - gap.from + 1 : 0), 0),
    state: client.view.document('devices/p1/state')?.n,
  }));
}

function accountFor(topic: string, messages: number): void {
  clearInterval(pausing);
  pausing = undefined;
  for (const client of slow) client.resume();
  let tries = 0;
  const look = setInterval(() => {
    const found = accounts(topic);
    const whole = found.every(
      ({ heard, missed, state }) => heard + missed === messages && state === messages,
    );
    if (!whole && ++tries < 300) return;
    clearInterval(look);
    process.send?.(found);
  }, 100);
}

process.on('message', (order: BurstOrder) => {
  if (order.do === 'slow') {
    const url = `ws://127.0.0.1:${order.port}/ws`;
    for (let count = 0; count < order.count; count++)
      slow.push(new ReturningClient({ url, topics: ['devices/#'] }));
    const synced = setInterval(() => {
      if (!slow.every((client) => client.synced)) return;
      clearInterval(synced);
      slowDown();
      report();
    }, 50);
  } else if (order.do === 'account') accountFor(order.topic, order.messages);
  else if (order.do === 'connect') {
    for (let count = 0; count < order.count; count++) open(order.port, order.greeting);
    report();
  } else {
    awaited = order.frames;
    check();
    setTimeout(() => {
      if (awaited !== undefined) tellCounts();
      awaited = undefined;
    }, 20_000).unref();
  }
});
process.on('disconnect', () => {
  for (const socket of sockets) socket.destroy();
  for (const client of slow) client[Symbol.dispose]();
});
