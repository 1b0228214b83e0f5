import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bridge } from '../src/app/bridge.ts';
import { loadConfig } from '../src/config/load.ts';
import { loadMessages } from '../src/config/messages/load-messages.ts';
import { systemClock } from '../src/system/clock.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';

const LIVING = 7;
const ROUNDS = 5;
/** The dead device has its first pauses behind it. */
const WARM_UP_MS = 800;
const MS = 2_000;
const TARGET = 0.95;

const MESSAGES = `version: 1
protocol:
  framing: { type: length, length: u8, max_frame: 16 }
  address: { type: u8, at: 0 }
messages:
  - name: read
    from: host
    fields: [{ name: function, type: u8, value: 4 }, { name: start, type: u16, value: 0 }]
    reply: { fields: [{ name: function, type: u8, value: 4 }, { name: value, type: u16 }] }
`;

/** A gateway with slaves behind it: one answer to each question, but for those that are dead. */
class Gateway {
  readonly asked = new Map<number, number>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes) => {
      const address = bytes[1] ?? 0;
      this.asked.set(address, (this.asked.get(address) ?? 0) + 1);
      if (address <= LIVING) socket.write(Uint8Array.of(4, address, 4, 0, 42));
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

/** Polls a second of each device on a bus with so many, where the line never rests. */
async function measure(devices: number): Promise<readonly number[]> {
  const gateway = new Gateway();
  const port = await gateway.listen();
  const { protocol } = loadMessages(MESSAGES, 'm.yaml');
  if (protocol === undefined) throw new Error('the messages of the bench are wrong');
  const entries = Array.from(
    { length: devices },
    (_, index) =>
      `  - { id: d${index + 1}, bus: line, address: ${index + 1}, messages: m.yaml, poll: [{ message: read, every: 10ms }] }`,
  );
  const text = [
    'server: { port: 0 }',
    `buses: [{ id: line, link: "tcp:127.0.0.1:${port}", turnaround: 1ms, timeout: 20ms }]`,
    `devices:\n${entries.join('\n')}`,
  ].join('\n');
  const { config } = loadConfig(text, 'devices.yaml', new Map([['m.yaml', { protocol, problems: [] }]]));
  if (config === undefined) throw new Error('the configuration of the bench is wrong');
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  await using bridge = new Bridge({ config, clock: systemClock, log, version: 'bench' });
  await bridge.start();
  await sleep(WARM_UP_MS);
  const before = new Map(gateway.asked);
  const begunAt = performance.now();
  await sleep(MS);
  const seconds = (performance.now() - begunAt) / 1_000;
  gateway.close();
  return Array.from(
    { length: devices },
    (_, index) => ((gateway.asked.get(index + 1) ?? 0) - (before.get(index + 1) ?? 0)) / seconds,
  );
}

const sum = (rates: readonly number[]): number => rates.reduce((all, rate) => all + rate, 0);

async function* run(): AsyncGenerator<BenchRow> {
  const alone: number[] = [];
  const beside: number[] = [];
  const spreads: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const without = await measure(LIVING);
    const living = (await measure(LIVING + 1)).slice(0, LIVING);
    alone.push(sum(without));
    beside.push(sum(living));
    spreads.push(Math.min(...living) / Math.max(...living));
  }
  const ratio = median(beside.map((rate, round) => rate / (alone[round] ?? rate)));
  yield {
    name: `${LIVING} devices on a bus beside one that is dead`,
    figure: `${median(beside).toFixed(0)} polls/s (least to most: ${median(spreads).toFixed(2)})`,
    peer: `without it: ${median(alone).toFixed(0)} polls/s`,
    ratio: ratio.toFixed(3),
    target: { text: `>= ${TARGET}`, met: ratio >= TARGET },
  };
}

/** What a device that does not answer costs the others on its line. */
export const bench: Bench = {
  about: `${LIVING} devices behind one gateway, each polled as often as the line allows: what they get while an eighth on the same line is dead`,
  run,
};
