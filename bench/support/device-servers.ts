// A child process of bench/many-devices: a bridge that devices dial in to, or a bare server that counts their bytes, and
// writes an answer for every heartbeat, all of one read together. A relay passes on a text for each frame to subscribers.
import { createServer, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { textFrame } from '../../src/feed/transports/websocket.ts';
import { systemClock } from '../../src/system/clock.ts';
import { ANSWER, FRAME_BYTES, protocol, type Speech } from './device-frames.ts';
import { listen } from './fan-out-way.ts';
import { AFTER, BEFORE } from './telemetry-frame.ts';

export type ServerKind = 'bridge' | 'sink' | 'relay';
export type ServerOrder = 'count' | 'report';

/** What it tells at first, and whenever it is asked. */
export interface DeviceServerReport {
  readonly port: number;
  /** For subscribers; 0 where there are none. */
  readonly feedPort: number;
  /** Frames received since the start, the first one of each device excepted. */
  readonly frames: number;
  /** Of the loop, since the last `report`. */
  readonly p99Ms: number;
  readonly cpuMs: number;
  readonly rssMiB: number;
}

const [kind, speech] = process.argv.slice(2) as [ServerKind, Speech];
/** What each device says first. */
const REGISTER_BYTES = 56;
const delay = monitorEventLoopDelay({ resolution: 1 });
let countFrames = (): number => 0;
let feedPort = 0;

async function startBridge(): Promise<number> {
  const { config, problems } = loadConfig(
    'server: { port: 0 }\nmessages: bench\nlisteners: [{ link: "tcp-listen:127.0.0.1:0", max_devices: 5000 }]',
    'bench.yaml',
    new Map([['bench', { protocol, problems: [] }]]),
  );
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0' });
  const { port, listeners } = await bridge.start();
  feedPort = port;
  countFrames = () => {
    let frames = 0;
    for (const { reading } of bridge.directory.all()) {
      frames += reading.counts.frames_in - reading.counts.invalid - reading.counts.unknown;
    }
    return frames;
  };
  return Number(listeners[0]?.split(':').at(-1));
}

/** What a turn brings is joined, and written to each subscriber at its end. */
async function startFeed(): Promise<(frames: number) => void> {
  const subscribers = new Set<Socket>();
  const outside = createServer({ noDelay: true }, (socket) => {
    subscribers.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => subscribers.delete(socket));
  });
  feedPort = await listen(outside);
  let frames: Uint8Array[] = [];
  const flush = (): void => {
    const bytes = Buffer.concat(frames);
    frames = [];
    for (const each of subscribers) each.write(bytes);
  };
  return (count) => {
    if (frames.length === 0 && count > 0) setImmediate(flush);
    for (let n = 0; n < count; n++) frames.push(textFrame([`${BEFORE}${1_000_000 + n}${AFTER}`]));
  };
}

async function startSink(): Promise<number> {
  const passOn = kind === 'relay' ? await startFeed() : undefined;
  let bytes = 0;
  const size = FRAME_BYTES[speech];
  const answers = Buffer.concat(new Array(16_384).fill(ANSWER));
  const server = createServer({ noDelay: true }, (socket) => {
    bytes -= REGISTER_BYTES;
    socket.on('error', () => socket.destroy());
    // The first thing that each of them says is its register; from there on every whole frame is answered once.
    let own = -REGISTER_BYTES;
    let answered = 0;
    socket.on('data', (chunk: Buffer) => {
      own += chunk.length;
      bytes += chunk.length;
      if (speech === 'telemetry' && passOn === undefined) return;
      const due = Math.floor(own / size) - answered;
      if (due <= 0) return;
      answered += due;
      if (passOn !== undefined) passOn(due);
      else socket.write(answers.subarray(0, due * ANSWER.length));
    });
  });
  countFrames = () => Math.floor(bytes / size);
  return listen(server);
}

const port = await (kind === 'bridge' ? startBridge() : startSink());

function report(order: ServerOrder): void {
  const { user, system } = process.cpuUsage();
  // The monitor counts the time between its own ticks, of one ms.
  const p99Ms = delay.percentile(99) / 1e6 - 1;
  const rssMiB = process.memoryUsage.rss() / 1024 / 1024;
  const cpuMs = (user + system) / 1_000;
  process.send?.({
    port,
    feedPort,
    frames: countFrames(),
    p99Ms,
    cpuMs,
    rssMiB,
  } satisfies DeviceServerReport);
  if (order === 'report') delay.reset();
}

process.on('message', report);
process.on('disconnect', () => process.exit());
delay.enable();
report('report');
