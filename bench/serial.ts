import { InterByteTimeoutParser } from '@serialport/parser-inter-byte-timeout';
import { SerialPort } from 'serialport';
import type { Link } from '../src/links/link.ts';
import { dial } from '../src/links/transports.ts';
import { builtinProtocol } from '../src/protocol/builtin.ts';
import { encodeFrame } from '../src/protocol/codec.ts';
import { LineDecoder } from '../src/protocol/line-decoder.ts';
import { hasPtys, openPty, type Pty } from '../test/support/pty.ts';
import { serialAddress } from '../test/support/serial-address.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';

const definition = builtinProtocol();
const frame = encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 });

/** One way of using a port: calls `arrived` for every frame that came back. */
interface Line {
  send(): void;
  close(): Promise<void>;
}
type OpenLine = (path: string, arrived: () => void) => Promise<Line>;

/** The port of the library and nothing else: a frame has come when its bytes have. */
const bare: OpenLine = async (path, arrived) => {
  const port = await openBare(path);
  let held = 0;
  port.on('data', (chunk: Buffer) => {
    for (held += chunk.length; held >= frame.length; held -= frame.length) arrived();
  });
  return { send: () => void port.write(frame), close: () => closeBare(port) };
};

/** Our link with our framing, as the bridge uses them. */
const ours: OpenLine = async (path, arrived) => {
  const decoder = new LineDecoder(definition, {
    frame: arrived,
    discarded: (report) => {
      throw new Error(`${report.count} bytes were discarded on a line without damage`);
    },
    fault: () => undefined,
  });
  const link: Link = dial(serialAddress(path));
  let closed: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  await new Promise<void>((opened, failed) =>
    link.open({
      opened: () => opened(),
      data: (chunk) => decoder.push(chunk),
      idle: () => decoder.idle(),
      closed: (end) => {
        failed(new Error(end.detail));
        closed();
      },
    }),
  );
  return {
    send: () => void link.send(frame),
    close: () => {
      link.destroy();
      return gone;
    },
  };
};

/** The parser as the framer, which it is often used for. */
const parsed: OpenLine = async (path, arrived) => {
  const port = await openBare(path);
  port.pipe(new InterByteTimeoutParser({ interval: 50 })).on('data', arrived);
  return { send: () => void port.write(frame), close: () => closeBare(port) };
};

async function openBare(path: string): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  return port;
}

const closeBare = (port: SerialPort): Promise<void> => new Promise((resolve) => port.close(() => resolve()));

interface EchoedLine {
  roundTrip(): Promise<void>;
  close(): Promise<void>;
}

/** A line to a device that echoes what it reads. */
async function openEchoed(open: OpenLine): Promise<EchoedLine> {
  const pty = openPty();
  pty.onData((chunk) => pty.writeNow(chunk));
  let arrived: () => void = () => undefined;
  const line = await open(pty.path, () => arrived());
  return {
    roundTrip: () =>
      new Promise((resolve) => {
        arrived = resolve;
        line.send();
      }),
    close: async () => {
      await line.close();
      await pty.dispose();
    },
  };
}

/** Median time of one frame there and back in us, of each line; they take turns, so that the machine's load hits all alike. */
async function roundTrips(opens: readonly OpenLine[], turns: number): Promise<number[]> {
  const lines = await Promise.all(opens.map(openEchoed));
  const times = lines.map((): number[] => []);
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [which, line] of lines.entries()) {
      const before = performance.now();
      await line.roundTrip();
      times[which]?.push((performance.now() - before) * 1_000);
    }
  }
  for (const line of lines) await line.close();
  return times.map((each) => median(each.slice(turns / 10)));
}

const PORTS = 32;
const TICKS = 300;
const TICK_MS = 10;

/** CPU time of this process for one frame that arrives at one of many ports, in us; the devices' part included. */
async function cpuPerFrame(open: OpenLine): Promise<number> {
  const ptys: Pty[] = [];
  const lines: Line[] = [];
  let frames = 0;
  for (let port = 0; port < PORTS; port += 1) {
    const pty = openPty();
    ptys.push(pty);
    lines.push(await open(pty.path, () => (frames += 1)));
  }
  const before = process.cpuUsage();
  let ticks = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (ticks < TICKS) for (const pty of ptys) pty.writeNow(frame);
      ticks += 1;
      if (frames < PORTS * TICKS && ticks < TICKS * 3) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  const { user, system } = process.cpuUsage(before);
  if (frames !== PORTS * TICKS) throw new Error(`${frames} frames of ${PORTS * TICKS} arrived`);
  for (const line of lines) await line.close();
  for (const pty of ptys) await pty.dispose();
  return (user + system) / frames;
}

async function* run(): AsyncGenerator<BenchRow> {
  if (!hasPtys()) return;
  const [own = Number.NaN, peer = Number.NaN] = await roundTrips([ours, bare], 4_000);
  const us = (value: number): string => `${value.toFixed(0)} us`;
  yield {
    name: 'round trip over a pty, link and framing',
    figure: us(own),
    peer: `bare serialport ${us(peer)}`,
    ratio: `${(own / peer).toFixed(2)}x the time`,
    target: { text: '<= 1.2x', met: own / peer <= 1.2 },
  };
  const [framer = Number.NaN] = await roundTrips([parsed], 20);
  yield {
    name: 'round trip over a pty, link and framing',
    figure: us(own),
    peer: `inter-byte parser of 50 ms as framer ${us(framer)}`,
    ratio: `${(framer / own).toFixed(0)}x as fast`,
  };
  const cpu = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round < 3; round += 1) {
    cpu.ours.push(await cpuPerFrame(ours));
    cpu.bare.push(await cpuPerFrame(bare));
  }
  yield {
    name: `${PORTS} ports at ${1_000 / TICK_MS} frames/s, CPU per frame`,
    figure: us(median(cpu.ours)),
    peer: `bare serialport ${us(median(cpu.bare))}`,
    ratio: `${(median(cpu.ours) / median(cpu.bare)).toFixed(2)}x the time`,
  };
}

/** What the link, its sensor of silence and the framing cost on top of the serial library. */
export const bench: Bench = { about: 'serial ports, on ptys', run };
