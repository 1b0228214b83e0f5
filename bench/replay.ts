import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FeedStore } from '../src/feed/core/store.ts';
import { parseTrace } from '../src/links/trace-file.ts';
import { encodeFrame } from '../src/protocol/codec.ts';
import { replayTraces } from '../src/replay/replay-traces.ts';
import { formatEvent, formatHead } from '../src/trace/format-trace.ts';
import type { Bench, BenchRow } from './support/bench.ts';

const HOUR_S = 3_600;
const DEVICES = 1_000;
const BEAT_S = 3;
const PIECE = 64 * 1024;
const MIB = 1024 * 1024;

const REGISTER = encodeFrame({
  name: 'register',
  kind: 'request',
  fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
});
const REGISTERED = encodeFrame({ name: 'register', kind: 'reply', error: 0 });
const HEARTBEAT = encodeFrame({ name: 'heartbeat', kind: 'request' });
const HEARTBEAT_REPLY = encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 });

/** An hour of a device that beats so often, as text that is made while it is read; nobody holds it. */
async function* hourOf(device: string, everyUs: number, peak: Peak | undefined): AsyncGenerator<Uint8Array> {
  const at = (atUs: number, fact: Parameters<typeof formatEvent>[0]['fact']) =>
    formatEvent({ atUs, connection: 'c1', fact });
  let text = formatHead({ startMs: Date.UTC(2026, 0, 1), meta: { device, role: 'server' } });
  text += at(0, { kind: 'life', word: 'open', detail: '10.0.0.7:51234' });
  text += at(0, { kind: 'in', bytes: REGISTER }) + at(500, { kind: 'out', bytes: REGISTERED });
  for (let us = everyUs; us < HOUR_S * 1e6; us += everyUs) {
    text += at(us, { kind: 'in', bytes: HEARTBEAT }) + at(us + 400, { kind: 'out', bytes: HEARTBEAT_REPLY });
    if (text.length < PIECE) continue;
    peak?.look();
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

/** The most memory in use after a collection, early and later on. */
class Peak {
  early = 0;
  late = 0;
  #looks = 0;
  readonly #collect: () => void;

  constructor() {
    // As --expose-gc does, so that nobody has to remember it.
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect !== 'function') throw new Error('garbage cannot be collected on request here');
    this.#collect = () => void collect();
  }

  look(): void {
    this.#looks++;
    if (this.#looks % 64 !== 0) return;
    this.#collect();
    const { heapUsed, external } = process.memoryUsage();
    if (this.#looks <= 256) this.early = Math.max(this.early, heapUsed + external);
    else this.late = Math.max(this.late, heapUsed + external);
  }
}

async function* run(): AsyncGenerator<BenchRow> {
  const peak = new Peak();
  const everyUs = (BEAT_S * 1e6) / DEVICES;
  yield* measured('one trace with the frames of 1,000 devices', [hourOf('p0', everyUs, peak)]);
  const growth = (peak.late - peak.early) / MIB;
  yield {
    name: 'memory, after the first 16 MiB of it',
    figure: `${(peak.late / MIB).toFixed(1)} MiB`,
    peer: `within them ${(peak.early / MIB).toFixed(1)} MiB`,
    ratio: `${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MiB`,
    target: { text: 'constant: no more than 8 MiB more', met: growth <= 8 },
  };
  const all = Array.from({ length: DEVICES }, (_, index) => hourOf(`p${index}`, BEAT_S * 1e6, undefined));
  yield* measured('1,000 traces of one device each', all);
}

async function* measured(
  name: string,
  pieces: readonly AsyncIterable<Uint8Array>[],
): AsyncGenerator<BenchRow> {
  const began = performance.now();
  const sources = [];
  for (const [index, each] of pieces.entries())
    sources.push(await parseTrace(`p${index}.trace`, each, () => undefined));
  let messages = 0;
  const store = new FeedStore({ epoch: 'replay' });
  store.listen(({ kind }) => {
    if (kind === 'event') messages++;
  });
  const { events, durationMs } = await replayTraces(sources, { store });
  const ms = performance.now() - began;
  if (messages < HOUR_S / BEAT_S) throw new Error(`only ${messages} messages came out`);
  yield {
    name,
    figure: `${((messages / ms) * 1_000).toFixed(0)} frames/s of the peer, ${((events / ms) * 1_000).toFixed(0)} lines/s`,
    peer: `real time: ${(durationMs / 1_000).toFixed(0)} s`,
    ratio: `${(durationMs / ms).toFixed(0)}x as fast`,
  };
}

/** How fast an hour is replayed. */
export const bench: Bench = {
  about: 'replaying one hour of heartbeats every 3 s of 1,000 devices, text to messages',
  run,
};
