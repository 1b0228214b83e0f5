// A child process of bench/storm: subscribers to everything, or devices that dial in all at once, with bare sockets.
import { connect, type Socket } from 'node:net';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { clientFrame, upgradeTo } from './fan-out-way.ts';

export type StormOrder =
  | { readonly do: 'subscribe'; readonly port: number; readonly count: number }
  /** One more subscriber, who looks how long each message took. */
  | { readonly do: 'watch'; readonly port: number }
  /** How long they took since the last time. */
  | { readonly do: 'delays' }
  /** All of them dial at once; one that has no answer within its patience hangs up, and counts as lost. */
  | { readonly do: 'storm'; readonly port: number; readonly count: number; readonly patienceMs: number }
  /** Devices that dial, wait a little and hang up, over and over; and of all that, how many got an answer. */
  | {
      readonly do: 'churn';
      readonly port: number;
      readonly count: number;
      readonly patienceMs: number;
      readonly ms: number;
    };

export interface StormReport {
  /** From dialling to the answer to the register, one for each that had one. */
  readonly tookMs: readonly number[];
  readonly lost: number;
}

const SUBSCRIBE = Buffer.from(
  clientFrame(JSON.stringify({ type: 'subscribe', id: 's', topics: ['devices/#'] })),
  'hex',
);
const APPID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const heap = Buffer.alloc(64 * 1024);
const kept: Socket[] = [];

const imeiOf = (index: number): string => String(200_000_000_000_000 + index);

/** One after the other: it is not their coming that is measured. What they are told is not looked at. */
async function subscribe(port: number, count: number): Promise<StormReport> {
  for (let index = 0; index < count; index++) {
    const onread = { buffer: heap, callback: () => true };
    const socket = connect({ port, host: '127.0.0.1', onread });
    socket.on('error', () => socket.destroy());
    socket.write(upgradeTo('/ws'));
    socket.write(SUBSCRIBE);
    kept.push(socket);
    await new Promise((done) => socket.once('connect', done));
  }
  return { tookMs: [], lost: 0 };
}

let delaysMs: number[] = [];

async function watch(port: number): Promise<StormReport> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => socket.destroy());
  socket.write(upgradeTo('/ws'));
  socket.write(SUBSCRIBE);
  let rest = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    const now = performance.timeOrigin + performance.now();
    const parts = (rest + text).split('"at":');
    for (const part of parts.slice(1)) {
      const at = /^[\d.]+(?=,)/.exec(part)?.[0];
      if (at !== undefined) delaysMs.push(now - Number(at));
    }
    // What was cut within a number is read with the next chunk.
    rest = /"at":[\d.]*$|"(?:a(?:t"?)?)?$/.exec(rest + text)?.[0] ?? '';
  });
  await new Promise((done) => socket.once('connect', done));
  return { tookMs: [], lost: 0 };
}

function delays(): StormReport {
  const tookMs = delaysMs;
  delaysMs = [];
  return { tookMs, lost: 0 };
}

/** Resolves with the time from dialling to the answer; undefined where there was none. */
function register(
  port: number,
  index: number,
  patienceMs: number,
): { socket: Socket; answered: Promise<number | undefined> } {
  const beganAt = performance.now();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => socket.destroy());
  socket.write(
    encodeFrame({ name: 'register', kind: 'request', fields: { appid: APPID, imei: imeiOf(index) } }),
  );
  const answered = new Promise<number | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), patienceMs);
    socket.once('data', () => {
      clearTimeout(timer);
      resolve(performance.now() - beganAt);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
  return { socket, answered };
}

const report = (took: ReadonlyArray<number | undefined>): StormReport => {
  const tookMs = took.filter((each) => each !== undefined);
  return { tookMs, lost: took.length - tookMs.length };
};

async function storm(port: number, count: number, patienceMs: number): Promise<StormReport> {
  const devices = Array.from({ length: count }, (_, index) => register(port, index, patienceMs));
  const took = await Promise.all(devices.map(({ answered }) => answered));
  for (const { socket } of devices) socket.destroy();
  return report(took);
}

async function churn(port: number, count: number, patienceMs: number, ms: number): Promise<StormReport> {
  const endsAt = performance.now() + ms;
  const took: Array<number | undefined> = [];
  const live = async (index: number): Promise<void> => {
    while (performance.now() < endsAt) {
      const { socket, answered } = register(port, index, patienceMs);
      took.push(await answered);
      // It goes as soon as it was let in, or has had enough, and comes again.
      socket.destroy();
      await new Promise((next) => setTimeout(next, 100));
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => live(index)));
  return report(took);
}

function perform(order: StormOrder): Promise<StormReport> {
  switch (order.do) {
    case 'subscribe':
      return subscribe(order.port, order.count);
    case 'watch':
      return watch(order.port);
    case 'delays':
      return Promise.resolve(delays());
    case 'storm':
      return storm(order.port, order.count, order.patienceMs);
    case 'churn':
      return churn(order.port, order.count, order.patienceMs, order.ms);
  }
}

process.on('message', (order: StormOrder) => {
  void perform(order).then((done) => process.send?.(done));
});
process.on('disconnect', () => process.exit());
