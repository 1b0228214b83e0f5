import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { cProgram, root, versionOf } from './c-programs.ts';
import type { FrameOrder, GroupOrder } from './c-subscribers.ts';
import { clientFrame, EVENT, SYNCED, upgradeTo } from './fan-out-way.ts';
import { end, freePort, onProcessor, type Processor } from './processes.ts';
import { AFTER, BEFORE, COUNTER_AT, DEVICE, EVENT_BYTES, FRAME, type RivalKind } from './telemetry-frame.ts';

/** A server in a process of its own that a device talks to, and that passes on what it says. */
export interface Rival {
  readonly name: string;
  readonly pid: number;
  readonly devicePort: number;
  /** What the device says first, in hex; it is answered. */
  readonly greeting: string | undefined;
  readonly frame: FrameOrder;
  readonly subscribers: Omit<GroupOrder, 'count'>;
  close(): Promise<void>;
}

const COUNTED_FRAME: FrameOrder = {
  hex: FRAME.toString('hex'),
  counter: `be32:${COUNTER_AT}`,
  before: '"uptime":',
};

const MESSAGES = `
enums: { mode: { 0: idle, 1: heating, 2: cooling } }
messages:
  - name: telemetry
    id: 0x10
    from: device
    fields:
      - { name: uptime, type: u32, unit: s }
      - { name: temperature, type: i16, scale: 0.01, unit: "°C", limits: { warn: [-50, 150] } }
      - { name: humidity, type: u8, unit: "%" }
      - { name: mode, type: u8, enum: mode }
      - { name: voltage, type: u16, scale: 0.001, unit: V }
      - { name: current, type: i16, unit: mA }
  - name: readings
    id: 0x11
    from: device
    fields:
      - { name: energy, type: u32, scale: 0.001, unit: kWh }
      - { name: voltage_l1, type: f32, unit: V }
      - { name: voltage_l2, type: f32, unit: V }
      - { name: voltage_l3, type: f32, unit: V }
      - { name: current_l1, type: f32, unit: A }
      - { name: current_l2, type: f32, unit: A }
      - { name: current_l3, type: f32, unit: A }
      - { name: power, type: u32, unit: W }
      - { name: phase, type: u8 }
`;

/** Resolves when something listens there. */
async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

export interface ProgramPorts {
  readonly pid: number;
  readonly port: number;
  readonly devicePort: number;
  close(): Promise<void>;
}

/**
 * `heartwire run` of this checkout, or of another `dist/`, as users start it. Devices that beat rarely are kept, unless
 * the listener says more.
 */
export async function startProgram(
  dist = join(root, 'dist'),
  more: {
    readonly server?: string;
    readonly listener?: string;
    readonly node?: readonly string[];
    /** Further keys of the file. */
    readonly keys?: string;
    /** `gateway`: it has no devices, and nothing listens at `devicePort`. */
    readonly command?: 'run' | 'gateway';
    readonly processor?: Processor;
  } = {},
): Promise<ProgramPorts> {
  const { command: name = 'run', keys = '' } = more;
  const folder = await mkdtemp(join(tmpdir(), 'heartwire-bench-'));
  const port = await freePort();
  let devicePort = await freePort();
  // The system may give the same one again.
  while (devicePort === port) devicePort = await freePort();
  await writeFile(join(folder, 'messages.yaml'), MESSAGES);
  await writeFile(
    join(folder, 'devices.yaml'),
    `server: { port: ${port}${more.server ?? ''} }\nmessages: messages.yaml\n${keys}\n` +
      `listeners: [{ link: "tcp-listen:127.0.0.1:${devicePort}"${more.listener ?? ', heartbeat: { interval: 60s }'} }]\n`,
  );
  const program = join(dist, 'bin', 'heartwire.js');
  const command = [process.execPath, ...(more.node ?? []), program, name, '--quiet', '--no-watch'];
  const child = spawn(...onProcessor(more.processor ?? 'server', command), {
    cwd: folder,
    // A log of thousands of devices is no part of a table.
    stdio: 'ignore',
  });
  if (name === 'run') await listening(devicePort);
  await listening(port);
  return {
    pid: child.pid ?? 0,
    port,
    devicePort,
    async close() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The first frame of the device, in hex. */
export const REGISTER = Buffer.from(
  encodeFrame({
    name: 'register',
    kind: 'request',
    fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: DEVICE },
  }),
).toString('hex');

/** The real program: a device that registers, declared messages, and the feed over WebSockets. */
export async function heartwire(dist?: string): Promise<Rival> {
  return programRival(dist === undefined ? 'heartwire' : 'heartwire before', await startProgram(dist));
}

export function programRival(name: string, { pid, port, devicePort, close }: ProgramPorts): Rival {
  return {
    name,
    pid,
    devicePort,
    greeting: REGISTER,
    frame: COUNTED_FRAME,
    subscribers: {
      port,
      framing: 'frames',
      head: upgradeTo('/ws'),
      greetings: [clientFrame(JSON.stringify({ type: 'subscribe', topics: ['devices/+/messages'] }))],
      ready: SYNCED,
      counted: EVENT,
    },
    close,
  };
}

type Wire = Omit<GroupOrder, 'count' | 'port'>;

const OVER_WEBSOCKET: Wire = { framing: 'frames', head: upgradeTo('/'), counted: EVENT };
/** Frames without a handshake. */
const OVER_TCP: Wire = { framing: 'frames', ready: EVENT, counted: EVENT };
/** The length of the payload of a relayed frame. */
const RELAYED = { at: 3, byte: FRAME.length - 4 };

/** A server that prints its ports when it listens. */
export async function startPrinted(
  command: readonly string[],
  processor: Processor = 'server',
): Promise<{ readonly pid: number; readonly ports: readonly number[]; close(): Promise<void> }> {
  const child = spawn(...onProcessor(processor, command), { stdio: ['pipe', 'pipe', 'inherit'] });
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return { pid: child.pid ?? 0, ports: String(value).split(' ').map(Number), close: () => end(child) };
}

async function printed(
  name: string,
  command: readonly string[],
  wire: Wire,
  frame = COUNTED_FRAME,
  processor?: Processor,
): Promise<Rival> {
  const { pid, ports, close } = await startPrinted(command, processor);
  const [devicePort = 0, port = 0] = ports;
  return {
    name,
    pid,
    devicePort,
    greeting: undefined,
    frame,
    subscribers: { port, ...wire },
    close,
  };
}

/** Whether the package can be loaded here. */
export function installed(name: string): boolean {
  try {
    versionOf(name);
    return true;
  } catch {
    return false;
  }
}

/** A server in Node; undefined where the package that it needs is not installed. */
export async function nodeRival(kind: RivalKind, processor?: Processor): Promise<Rival | undefined> {
  const own = fileURLToPath(import.meta.url).replace(/rivals(\.[jt]s)$/, 'rival-server$1');
  const command = [process.execPath, own, kind];
  // What a relay passes on is no text, so the last of it is not looked into.
  const frame: FrameOrder = { hex: FRAME.toString('hex') };
  switch (kind) {
    case 'ws':
      return printed(`${versionOf('ws')} loop`, command, OVER_WEBSOCKET, COUNTED_FRAME, processor);
    case 'net':
      return printed(`raw net, Node ${process.version}`, command, OVER_TCP);
    case 'uws':
      if (!installed('uWebSockets.js')) return undefined;
      return printed(versionOf('uWebSockets.js'), command, OVER_WEBSOCKET);
    case 'relay':
      return printed('raw relay, Node', command, { framing: `fixed:${FRAME.length}`, ready: RELAYED }, frame);
    case 'padded':
      return printed(
        'raw relay of as many bytes',
        command,
        { framing: `fixed:${EVENT_BYTES}`, ready: RELAYED },
        frame,
      );
  }
}

/** The same in C; undefined where it cannot be compiled. */
export async function cRival(): Promise<Rival | undefined> {
  const program = cProgram('peer-server');
  if ('missing' in program) return undefined;
  const args = [String(FRAME.length), String(COUNTER_AT), BEFORE, AFTER];
  return printed(`epoll in C, ${program.compiler}`, [program.path, ...args], OVER_WEBSOCKET);
}
