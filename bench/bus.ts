import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type BenchRow, median } from './support/bench.ts';
import { AnsweringServer, polledBridge } from './support/polled-bridge.ts';

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
class Gateway extends AnsweringServer {
  readonly asked: Map<number, number>;

  constructor() {
    const asked = new Map<number, number>();
    super((request) => {
      const address = request[1] ?? 0;
      asked.set(address, (asked.get(address) ?? 0) + 1);
      return address <= LIVING ? Uint8Array.of(4, address, 4, 0, 42) : undefined;
    });
    this.asked = asked;
  }
}

/** Polls a second of each device on a bus with so many, where the line never rests. */
async function measure(devices: number): Promise<readonly number[]> {
  const gateway = new Gateway();
  const port = await gateway.listen();
  const entries = Array.from(
    { length: devices },
    (_, index) =>
      `  - { id: d${index + 1}, bus: line, address: ${index + 1}, messages: m.yaml, poll: [{ message: read, every: 10ms }] }`,
  );
  const lines = [
    `buses: [{ id: line, link: "tcp:127.0.0.1:${port}", turnaround: 1ms, timeout: 20ms }]`,
    `devices:\n${entries.join('\n')}`,
  ];
  await using bridge = polledBridge(lines, MESSAGES);
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
