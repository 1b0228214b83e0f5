import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type BenchRow, median } from './support/bench.ts';
import { AnsweringServer, polledBridge } from './support/polled-bridge.ts';

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
  readonly server = new AnsweringServer(() => {
    this.asked += 1;
    if (this.manner === 'answers') return REPLY;
    return this.manner === 'answers exceptions' ? EXCEPTION : undefined;
  });
}

function bridgeOf(ports: readonly number[]) {
  const devices = ports.map(
    (port, index) =>
      `  - { id: d${index}, link: "tcp:127.0.0.1:${port}", messages: m.yaml, poll: [{ message: read, every: 25ms }] }`,
  );
  const lines = [
    'defaults: { session: none, turnaround: 0ms, request_timeout: 500ms, reconnect: { max: 1s } }',
    `devices:\n${devices.join('\n')}`,
  ];
  return polledBridge(lines, MESSAGES);
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
  const ports = await Promise.all(slaves.map((slave) => slave.server.listen()));
  await using bridge = bridgeOf(ports);
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
    for (const slave of slaves) slave.server.close();
  }
}

/** What one device that does not answer, or refuses, costs the others. */
export const bench: Bench = {
  about: `${DEVICES} devices, each on a link of its own and polled every 25 ms: what the other seven get while one is dead or answers every question with an exception`,
  run,
};
