import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchOptions, BenchRow } from './support/bench.ts';
import { CSubscribers } from './support/c-subscribers.ts';
import { ANSWER, type Speech } from './support/device-frames.ts';
import type { LoadOrder, LoadReport } from './support/device-load.ts';
import type { DeviceServerReport, ServerKind, ServerOrder } from './support/device-servers.ts';
import { clientFrame, EVENT, SYNCED, upgradeTo } from './support/fan-out-way.ts';

const DEVICES = 1_000;
/** Frames of each device a second: every step is tried, up to the one that the machine does not carry. */
const STEPS = { usual: [10, 30, 100], large: [10, 20, 30, 50, 70, 100, 130] } as const;
const MS = 3_000;
/** The step at which the loop delay of the bridge is at most so many times that of the sink. */
const MEASURED_STEP = 30;
const MOST_DELAY = 3;
/** A source that takes this much longer than it should is what is measured, and not the server. */
const SOURCE_SLACK = 1.1;
/** What is on its way has this long to arrive. */
const PATIENCE_MS = 20_000;
/** Subscribers, and the frames of each device a second that all of them get. */
const SUBSCRIBERS = 10;
const SUBSCRIBED_STEP = 10;
/** As close as the two processes can be asked. */
const REAL_TIME_MS = 200;

const child = (name: string, ...argv: string[]): ChildProcess =>
  fork(fileURLToPath(import.meta.url).replace(/many-devices(\.[jt]s)$/, `support/${name}$1`), argv);

async function next<Report>(from: ChildProcess): Promise<Report> {
  // Each child sends but one kind of report at a time.
  return (await once(from, 'message'))[0] as Report;
}

interface Carried {
  readonly load: LoadReport;
  readonly p99Ms: number;
  readonly cpuUs: number;
  /** Frames that never came, and heartbeats that were never answered. */
  readonly lost: number;
  readonly unanswered: number;
  /** Why subscribers did not get every message once; absent where they did. */
  readonly missed?: string | undefined;
  /** From the last frame sent to the last one received and answered. */
  readonly lagMs: number;
}

/** A server and the devices that dial in to it, each in a process of its own. */
class Way {
  readonly #server: ChildProcess;
  readonly #load = child('device-load');
  readonly #speech: Speech;
  #clients: CSubscribers | undefined;
  #group = 0;
  #feedPort = 0;

  private constructor(kind: ServerKind, speech: Speech) {
    this.#speech = speech;
    this.#server = child('device-servers', kind, speech);
  }

  static async open(kind: ServerKind, speech: Speech): Promise<Way> {
    const way = new Way(kind, speech);
    const { port, feedPort } = await next<DeviceServerReport>(way.#server);
    way.#feedPort = feedPort;
    await way.#order<'done'>({ do: 'connect', port, devices: DEVICES, speech });
    return way;
  }

  /** From now on every frame goes to them, too. */
  async subscribe(clients: CSubscribers, handshake: boolean): Promise<void> {
    const topics = ['devices/+/messages'];
    this.#group = await clients.connect({
      port: this.#feedPort,
      count: SUBSCRIBERS,
      framing: 'frames',
      counted: EVENT,
      ...(handshake && {
        head: upgradeTo('/ws'),
        greetings: [clientFrame(JSON.stringify({ type: 'subscribe', topics }))],
        ready: SYNCED,
      }),
    });
    this.#clients = clients;
  }

  async carry(perSecond: number): Promise<Carried> {
    const before = await this.#ask('report');
    const load = await this.#order<LoadReport>({ do: 'send', perSecond, ms: MS });
    const sentAt = performance.now();
    const wanted = this.#speech === 'heartbeat' ? load.sent : 0;
    let server = await this.#ask('count');
    let answered = 0;
    for (;;) {
      answered = (await this.#order<LoadReport>({ do: 'count' })).answeredBytes / ANSWER.length;
      if (server.frames - before.frames >= load.sent && answered >= wanted) break;
      if (performance.now() - sentAt > PATIENCE_MS) break;
      await sleep(10);
      server = await this.#ask('count');
    }
    const missed = await this.#clients?.received(this.#group, load.sent * SUBSCRIBERS).then(
      () => undefined,
      (error: unknown) =>
        `subscribers got ${/\d+ of \d+ messages/.exec(String(error))?.[0] ?? String(error)}`,
    );
    const lagMs = performance.now() - sentAt;
    const { frames, p99Ms, cpuMs } = await this.#ask('report');
    const lost = load.sent - (frames - before.frames);
    const cpuUs = ((cpuMs - before.cpuMs) * 1_000) / load.sent;
    return { load, p99Ms, cpuUs, lost, unanswered: wanted - answered, missed, lagMs };
  }

  close(): void {
    this.#load.disconnect();
    this.#server.disconnect();
  }

  #ask(order: ServerOrder): Promise<DeviceServerReport> {
    const report = next<DeviceServerReport>(this.#server);
    this.#server.send(order);
    return report;
  }

  #order<Report>(order: LoadOrder): Promise<Report> {
    const report = next<Report>(this.#load);
    this.#load.send(order);
    return report;
  }
}

/** What is to be known of one step: nothing is said of what is as it should be. */
function inWords({ load, p99Ms, cpuUs, lost, unanswered, missed, lagMs }: Carried): string {
  const { sent, writes, tookMs } = load;
  return [
    `${lost === 0 ? 'none' : lost} lost`,
    ...(unanswered === 0 ? [] : [`${unanswered} unanswered`]),
    ...(missed === undefined ? [] : [missed]),
    `loop delay p99 ${p99Ms.toFixed(1)} ms`,
    `${cpuUs.toFixed(1)} us CPU a frame`,
    ...(tookMs > MS * SOURCE_SLACK ? [`the source took ${(tookMs / 1_000).toFixed(1)} s instead of 3`] : []),
    ...(sent > 1.1 * writes ? [`${(sent / writes).toFixed(1)} frames a write`] : []),
    ...(lagMs > REAL_TIME_MS ? [`the last one ${(lagMs / 1_000).toFixed(1)} s late`] : []),
  ].join(', ');
}

const inRealTime = ({ load, lagMs }: Carried): boolean => load.tookMs + lagMs < MS * SOURCE_SLACK;

function target(
  speech: Speech,
  perSecond: number,
  ours: Carried,
  theirs: Carried,
): NonNullable<BenchRow['target']> {
  const complete = ours.lost === 0 && ours.unanswered === 0;
  if (speech === 'heartbeat' || perSecond > 100) return { text: 'none lost', met: complete };
  const inTime = complete && inRealTime(ours);
  if (perSecond !== MEASURED_STEP) return { text: 'none lost, in real time', met: inTime };
  const met = inTime && ours.p99Ms <= MOST_DELAY * theirs.p99Ms;
  return { text: `none lost, in real time, delay <= ${MOST_DELAY}x`, met };
}

async function* compare(speech: Speech, steps: readonly number[]): AsyncGenerator<BenchRow> {
  const sink = await Way.open('sink', speech);
  const bridge = await Way.open('bridge', speech);
  try {
    for (const perSecond of steps) {
      const theirs = await sink.carry(perSecond);
      const ours = await bridge.carry(perSecond);
      yield {
        name: `${DEVICES} devices, ${perSecond} ${speech === 'telemetry' ? 'telemetry frames' : 'heartbeats'} a second`,
        figure: `${ours.load.sent} frames: ${inWords(ours)}`,
        peer: `raw net ${speech === 'telemetry' ? 'sink' : 'server that answers'}: ${inWords(theirs)}`,
        ratio: `${(ours.p99Ms / theirs.p99Ms).toFixed(2)} (delay), ${(ours.cpuUs / theirs.cpuUs).toFixed(2)} (CPU)`,
        target: target(speech, perSecond, ours, theirs),
      };
    }
  } finally {
    bridge.close();
    sink.close();
  }
}

/** The same with subscribers, who get every message. */
async function* subscribed(): AsyncGenerator<BenchRow> {
  const clients = CSubscribers.start();
  if (typeof clients === 'string') {
    yield { name: 'skipped: with subscribers', figure: '-', peer: clients, ratio: '-' };
    return;
  }
  const relay = await Way.open('relay', 'telemetry');
  const bridge = await Way.open('bridge', 'telemetry');
  try {
    await relay.subscribe(clients, false);
    await bridge.subscribe(clients, true);
    const theirs = await relay.carry(SUBSCRIBED_STEP);
    const ours = await bridge.carry(SUBSCRIBED_STEP);
    yield {
      name: `${DEVICES} devices, ${SUBSCRIBED_STEP} telemetry frames a second, ${SUBSCRIBERS} subscribers in C`,
      figure: `${ours.load.sent} frames: ${inWords(ours)}`,
      peer: `raw net relay that joins texts as long: ${inWords(theirs)}`,
      ratio: `${(ours.p99Ms / theirs.p99Ms).toFixed(2)} (delay), ${(ours.cpuUs / theirs.cpuUs).toFixed(2)} (CPU)`,
      target: { text: 'none lost', met: ours.lost === 0 && ours.missed === undefined },
    };
  } finally {
    bridge.close();
    relay.close();
    await clients.close();
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  const steps = large ? STEPS.large : STEPS.usual;
  yield* compare('telemetry', steps);
  yield* compare('heartbeat', steps);
  yield* subscribed();
}

/** What very many devices that talk at once cost. */
export const bench: Bench = {
  about: `${DEVICES} devices dial in and talk: declared telemetry, which the bridge decodes and publishes, beside a server that only reads; heartbeats, which it answers, beside one that answers each read`,
  run,
};
