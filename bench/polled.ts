import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bridge } from '../src/app/bridge.ts';
import { loadConfig } from '../src/config/load.ts';
import { type LoadedMessages, loadMessages } from '../src/config/messages/load-messages.ts';
import { systemClock } from '../src/system/clock.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';

const DEVICES = 8;
const ROUNDS = 11;
const WARM_UP_MS = 300;
const MS = 1_500;
const TARGET = 0.95;

/** What the eighth device does with a question. */
type Manner = 'answers' | 'is dead' | 'answers exceptions';

/** Registers of a slave: function 4, and the exception to it. */
const MESSAGES = `version: 1
protocol: { framing: { type: length, length: u8, max_frame: 16 } }
messages:
  - name: read
    from: host
    fields: [{ name: function, type: u8, value: 4 }, { name: start, type: u16, value: 0 }]
    reply: { fields: [{ name: function, type: u8, value: 4 }, { name: value, type: u16 }] }
  - name: exception
    from: device
    rejects: { request: any, code: reason }
    fields: [{ name: function, type: u8, value: 0x84 }, { name: reason, type: u8 }]
`;
const REPLY = Uint8Array.of(3, 4, 0, 42);
const EXCEPTION = Uint8Array.of(2, 0x84, 2);

/** One device: counts what it is asked. */
class Slave {
  manner: Manner = 'answers';
  asked = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', () => {
      this.asked += 1;
      if (this.manner === 'answers') socket.write(REPLY);
      else if (this.manner === 'answers exceptions') socket.write(EXCEPTION);
    });
  });

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

function configured(ports: readonly number[], messages: LoadedMessages) {
  const { protocol } = messages;
  if (protocol === undefined) throw new Error('the messages of the bench are wrong');
  const devices = ports.map(
    (port, index) =>
      `  - { id: d${index}, link: "tcp:127.0.0.1:${port}", messages: m.yaml, poll: [{ message: read, every: 25ms }] }`,
  );
  const text = [
    'server: { port: 0 }',
    'defaults: { session: none, turnaround: 0ms, request_timeout: 500ms, reconnect: { max: 1s } }',
    `devices:\n${devices.join('\n')}`,
  ].join('\n');
  const { config } = loadConfig(text, 'devices.yaml', new Map([['m.yaml', { protocol, problems: [] }]]));
  if (config === undefined) throw new Error('the configuration of the bench is wrong');
  return config;
}

/** Polls a second of the seven that live, and of the eighth. */
interface Rates {
  readonly living: number;
  readonly eighth: number;
}

async function measure(slaves: readonly Slave[], manner: Manner): Promise<Rates> {
  const [eighth, ...living] = slaves.toReversed();
  if (eighth === undefined) throw new Error('there are no devices');
  eighth.manner = manner;
  await sleep(WARM_UP_MS);
  const counted = () => living.reduce((sum, { asked }) => sum + asked, 0);
  const before = { living: counted(), eighth: eighth.asked, at: performance.now() };
  await sleep(MS);
  const seconds = (performance.now() - before.at) / 1_000;
  return { living: (counted() - before.living) / seconds, eighth: (eighth.asked - before.eighth) / seconds };
}

async function* run(): AsyncGenerator<BenchRow> {
  const slaves = Array.from({ length: DEVICES }, () => new Slave());
  const ports = await Promise.all(slaves.map((slave) => slave.listen()));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const config = configured(ports, loadMessages(MESSAGES, 'm.yaml'));
  await using bridge = new Bridge({ config, clock: systemClock, log, version: 'bench' });
  await bridge.start();
  try {
    for (const manner of ['is dead', 'answers exceptions'] as const) {
      const ratios: number[] = [];
      const all: number[] = [];
      const some: Rates[] = [];
      // In turn, so that whatever else the machine does hits both alike.
      for (let round = 0; round < ROUNDS; round++) {
        const whole = await measure(slaves, 'answers');
        const part = await measure(slaves, manner);
        all.push(whole.living);
        some.push(part);
        ratios.push(part.living / whole.living);
      }
      const ratio = median(ratios);
      yield {
        name: `7 of ${DEVICES} polled devices while the eighth ${manner}`,
        figure: `${median(some.map(({ living }) => living)).toFixed(0)} polls/s (the eighth: ${median(some.map(({ eighth }) => eighth)).toFixed(1)})`,
        peer: `all live: ${median(all).toFixed(0)} polls/s`,
        ratio: ratio.toFixed(3),
        target: { text: `>= ${TARGET}`, met: ratio >= TARGET },
      };
    }
  } finally {
    for (const slave of slaves) slave.close();
  }
}

/** What one device that does not answer, or refuses, costs the others. */
export const bench: Bench = {
  about: `${DEVICES} devices, each on a link of its own and polled every 25 ms: what the other seven get while one is dead or answers every question with an exception`,
  run,
};
