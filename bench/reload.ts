import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Bridge } from '../src/app/bridge.ts';
import { ConfigReader } from '../src/app/reload/config-reader.ts';
import { readConfig } from '../src/config/read.ts';
import { systemClock } from '../src/system/clock.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';

const DEVICES = 1_000;
const ROUNDS = 7;
const CALM_MS = 1_500;
/** What a reload may hold the event loop for. */
const MOST_MS = 20;

/**
 * Time of the loop's own thread, in ms: where Node tells it, what other programs take of the machine is left out of it.
 * Elsewhere it is the wall clock.
 */
function threadMs(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  if (threadCpuUsage === undefined) return performance.now();
  const { user, system } = threadCpuUsage.call(process);
  return (user + system) / 1_000;
}

/** The longest turn of the event loop. */
class LongestTurn {
  #longestMs = 0;
  #last = threadMs();
  #stopped = false;

  constructor() {
    const turn = (): void => {
      const now = threadMs();
      this.#longestMs = Math.max(this.#longestMs, now - this.#last);
      this.#last = now;
      if (!this.#stopped) setImmediate(turn);
    };
    setImmediate(turn);
  }

  take(): number {
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }

  stop(): void {
    this.#stopped = true;
  }
}

const MESSAGES = `version: 1
protocol: { framing: { type: length } , id: u8 }
messages:
${Array.from(
  { length: 50 },
  (_, at) =>
    `  - { name: m${at}, id: ${at}, from: device, fields: [{ name: a, type: u16, unit: V }, { name: b, type: f32 }] }\n`,
).join('')}`;

interface Change {
  readonly name: string;
  /** The text of the configuration before and after, in turns. */
  text(odd: boolean): string;
}

function fleet(silence: (at: number) => string): string {
  const devices = Array.from(
    { length: DEVICES },
    (_, at) =>
      `  - { id: d${at}, session: none, messages: messages.yaml, silence: ${silence(at)}, match: { from: 10.0.${at >> 8}.${at & 255} } }\n`,
  );
  return `server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\ndevices:\n${devices.join('')}`;
}

const CHANGES: readonly Change[] = [
  { name: 'nothing is different', text: () => fleet(() => '30s') },
  { name: 'one device changes', text: (odd) => fleet((at) => (at === 7 && odd ? '40s' : '30s')) },
  { name: 'every device changes', text: (odd) => fleet(() => (odd ? '40s' : '30s')) },
  {
    name: 'every device is wrong',
    text: (odd) => (odd ? fleet(() => '30s').replaceAll('silence', 'slience') : fleet(() => '30s')),
  },
];

async function* run(): AsyncGenerator<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-bench-'));
  const file = join(folder, 'devices.yaml');
  writeFileSync(join(folder, 'messages.yaml'), MESSAGES);
  writeFileSync(
    file,
    fleet(() => '30s'),
  );
  const { config, problems } = await readConfig(file);
  if (config === undefined) throw new Error(JSON.stringify(problems.slice(0, 3)));
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log: quiet, version: 'bench' });
  const { url } = await bridge.start();
  const subscriber = new WebSocket(`${url.replace('http', 'ws')}/ws`, { perMessageDeflate: false });
  await once(subscriber, 'open');
  subscriber.send('{"type":"subscribe","topics":["#"]}');
  using reader = new ConfigReader();
  const turns = new LongestTurn();
  try {
    for (const change of CHANGES) {
      const [calm, during]: [number[], number[]] = [[], []];
      for (let round = 0; round <= ROUNDS; round++) {
        turns.take();
        await sleep(CALM_MS);
        const before = turns.take();
        writeFileSync(file, change.text(round % 2 === 0));
        await bridge.apply(await reader.read(file));
        const longest = turns.take();
        // The first round warms up.
        if (round > 0) calm.push(before);
        if (round > 0) during.push(longest);
      }
      const [without, beside] = [median(calm), median(during)];
      yield {
        name: change.name,
        figure: `longest turn ${beside.toFixed(1)} ms, worst ${Math.max(...during).toFixed(1)} ms`,
        peer: `without ${without.toFixed(1)} ms`,
        ratio: (beside / without).toFixed(2),
        target: { text: `<= ${MOST_MS} ms`, met: beside <= MOST_MS },
      };
    }
  } finally {
    turns.stop();
    subscriber.terminate();
    await bridge[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

/** How long a reload of the configuration holds everybody up. */
export const bench: Bench = {
  about: `longest turn of the event loop while ${DEVICES} devices are reloaded, and without a reload, in turns`,
  run,
};
