import { once } from 'node:events';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import { DEFAULT_SERIAL_SETTINGS } from '../../src/links/serial-address.ts';
import { dial } from '../../src/links/transports.ts';
import { readProjectFile } from '../support/project-files.ts';
import { hasPtys } from '../support/pty.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { serialAddress } from '../support/serial-address.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const FILE = 'examples/eastron-sdm/messages.yaml';
const BUS_FILE = 'examples/modbus-bus/messages.yaml';
const MESSAGES = new Map([[FILE, loadMessages(readProjectFile(FILE), FILE)]]);
const folder = mkdtempSync(join(tmpdir(), 'hw-shared-'));
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** CRC-16 of Modbus, bit by bit. */
function sealed(...bytes: readonly number[]): Buffer {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return Buffer.from([...bytes, crc & 0xff, crc >>> 8]);
}

const request = (start: number): Buffer => sealed(1, 4, 0, start, 0, 2);

function answer(start: number): Buffer {
  const value = Buffer.alloc(4);
  // The value says what was asked for.
  value.writeFloatBE(1_000 + start);
  return sealed(1, 4, 4, ...value);
}

/** A meter on a half-duplex line: it answers after a while, and notices whoever talks meanwhile. */
class Meter {
  readonly asked: number[] = [];
  collisions = 0;
  silent = false;
  readonly #server: Server;
  #busy = false;

  constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => undefined);
      closing.push(() => socket.destroy());
      socket.on('data', (chunk) => this.#heard(socket, chunk));
    });
    closing.push(() => this.#server.close());
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port; // A listening TCP server has an address of this kind.
  }

  #heard(socket: Socket, chunk: Buffer): void {
    if (this.#busy || chunk.length !== 8) this.collisions += 1;
    this.#busy = true;
    const start = chunk[3] ?? 0;
    this.asked.push(start);
    setTimeout(() => {
      this.#busy = false;
      if (!this.silent || start === 0) socket.write(answer(start));
    }, 5);
  }
}

async function shared(expose: string, more = ''): Promise<{ bridge: TestBridge; meter: Meter }> {
  const meter = new Meter();
  const port = await meter.listen();
  const bridge = await startBridge(
    `${more}
devices:
  - id: meter
    link: tcp:127.0.0.1:${port}
    line: serial
    gap: 50ms
    session: none
    request_timeout: 1s
    late_window: 1s
    messages: ${FILE}
    poll: [{ message: read_input, as: voltage, every: 20ms, fields: { address: 1, start: 0, count: 2 } }]
    expose: ${expose}
`,
    undefined,
    undefined,
    MESSAGES,
  );
  return { bridge, meter };
}

const stateOf = ({ bridge }: TestBridge): StateDocument =>
  // The topic carries documents of this kind.
  bridge.store.document('devices/meter/state') as StateDocument;
const placeOf = (bridge: TestBridge, index = 0) => stateOf(bridge).shared?.[index];
const portOf = (bridge: TestBridge, index = 0): number =>
  Number(placeOf(bridge, index)?.at.split(':').at(-1));
const isOpen = (bridge: TestBridge, index = 0) =>
  expect.poll(() => Number.isInteger(portOf(bridge, index)) && portOf(bridge, index) > 0).toBe(true);

/** A program at the exposed port. */
async function program(port: number): Promise<{ socket: Socket; heard: () => Buffer }> {
  const socket = connect(port, '127.0.0.1');
  closing.push(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, heard: () => Buffer.concat(chunks) };
}

describe('a port that is given on', () => {
  it('a program and the bridge ask in turn, each gets its own answers, and nothing collides', async () => {
    const { bridge, meter } = await shared('[{ tcp: "127.0.0.1:0" }]');
    await using _ = bridge;
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    await isOpen(bridge);
    const { socket, heard } = await program(portOf(bridge));
    await expect.poll(() => placeOf(bridge)?.programs).toEqual([`127.0.0.1:${socket.localPort}`]);
    for (let turn = 1; turn <= 10; turn += 1) {
      const polls = meter.asked.filter((start) => start === 0).length;
      socket.write(request(12));
      await expect.poll(() => heard().length, { interval: 2 }).toBe(turn * 9);
      await expect
        .poll(() => meter.asked.filter((start) => start === 0).length, { interval: 2 })
        .toBeGreaterThan(polls);
    }
    expect(heard().equals(Buffer.concat(Array.from({ length: 10 }, () => answer(12))))).toBe(true);
    expect(meter.collisions).toBe(0);
    expect(JSON.stringify(stateOf(bridge).values)).not.toContain('1012');
    expect(JSON.stringify(stateOf(bridge).values)).toContain('voltage');
    expect(bridge.bridge.store.document('devices/meter/stats')).toMatchObject({
      unsolicited_replies: 0,
      discarded_bytes: 0,
    });
    socket.destroy();
    await expect.poll(() => placeOf(bridge)?.programs).toEqual([]);
  });

  it('a program that is not answered costs the bridge one wait, and its late answer is no other', async () => {
    const { bridge, meter } = await shared('[{ tcp: "127.0.0.1:0" }]');
    await using _ = bridge;
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    await isOpen(bridge);
    const { socket, heard } = await program(portOf(bridge));
    meter.silent = true;
    socket.write(request(12));
    await expect.poll(() => meter.asked.includes(12)).toBe(true);
    const polls = meter.asked.length;
    await expect.poll(() => meter.asked.length).toBeGreaterThan(polls);
    expect(heard().length).toBe(0);
    expect(stateOf(bridge).status).toBe('online');
    expect(meter.collisions).toBe(0);
  });

  it('read_only: it hears all that the device says, and says nothing', async () => {
    const { bridge, meter } = await shared('[{ tcp: "127.0.0.1:0", read_only: true }]');
    await using _ = bridge;
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    await isOpen(bridge);
    const { socket, heard } = await program(portOf(bridge));
    socket.write(request(12));
    await expect.poll(() => heard().length).toBeGreaterThan(40);
    expect(heard().subarray(0, 9).equals(answer(0))).toBe(true);
    expect(meter.asked).not.toContain(12);
    expect(placeOf(bridge)).toMatchObject({ read_only: true });
  });

  it('as RFC 2217 too: every byte, and the settings of the program', async () => {
    const { bridge } = await shared('[{ rfc2217: "127.0.0.1:0" }]');
    await using _ = bridge;
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    await isOpen(bridge);
    const settings = { ...DEFAULT_SERIAL_SETTINGS, baud: 9_600, parity: 'even' as const, dtr: true };
    const link = dial({ scheme: 'rfc2217', host: '127.0.0.1', port: portOf(bridge), settings });
    const recorded = new RecordedLink(link);
    closing.push(() => link.destroy());
    await expect.poll(() => recorded.end?.detail ?? recorded.opened).toBe(true);
    link.send(request(255));
    await expect.poll(() => recorded.arrived).toBe(9);
    expect(recorded.bytes().equals(answer(255))).toBe(true);
  });

  it.runIf(hasPtys())('as a pty under a name that stays, and goes with the bridge', async () => {
    const path = join(folder, 'meter');
    const { bridge, meter } = await shared(`[{ pty: ${path} }]`);
    await expect.poll(() => placeOf(bridge)).toEqual({ at: `pty ${path}`, programs: [] });
    await expect.poll(() => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()).toBe(true);
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    const link = dial(serialAddress(path));
    const recorded = new RecordedLink(link);
    await expect.poll(() => recorded.end?.detail ?? recorded.opened).toBe(true);
    link.send(request(13));
    await expect.poll(() => recorded.arrived).toBe(9);
    expect(recorded.bytes().equals(answer(13))).toBe(true);
    expect(meter.collisions).toBe(0);
    link.destroy();
    await expect.poll(() => recorded.end).toBeDefined();
    await bridge[Symbol.asyncDispose]();
    await expect.poll(() => lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('a place that can not be had is a reason in the state, and the device goes on', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'no pty');
    const server = createServer();
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // A listening TCP server has an address of this kind.
    const { bridge } = await shared(`[{ tcp: "127.0.0.1:${port}" }, { pty: ${path} }]`);
    await using _ = bridge;
    await expect.poll(() => placeOf(bridge)?.reason).toBe('address_in_use');
    if (hasPtys()) await expect.poll(() => placeOf(bridge, 1)?.reason).toBe('expose_failed');
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    expect(readFileSync(path, 'utf8')).toBe('no pty');
  });

  it('a program that sends without end, and one that never reads, harm nobody', async () => {
    const { bridge, meter } = await shared(
      '[{ tcp: "127.0.0.1:0" }, { tcp: "127.0.0.1:0", read_only: true }]',
    );
    await using _ = bridge;
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    await isOpen(bridge);
    await isOpen(bridge, 1);
    const deaf = await program(portOf(bridge, 1));
    deaf.socket.pause();
    const loud = await program(portOf(bridge));
    for (let at = 0; at < 200; at += 1) loud.socket.write(Buffer.alloc(10_000, 1));
    const polls = meter.asked.filter((start) => start === 0).length;
    await expect
      .poll(() => meter.asked.filter((start) => start === 0).length, { timeout: 5_000 })
      .toBeGreaterThan(polls + 2);
    expect(stateOf(bridge).status).toBe('online');
  });

  it('the trace has what was said in both directions, marked, and as no bytes of the bridge', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hw-shared-trace-'));
    closing.push(() => rmSync(dir, { recursive: true }));
    const { bridge } = await shared(
      '[{ tcp: "127.0.0.1:0" }]\n    record: true',
      `recording: { dir: ${dir} }`,
    );
    await expect.poll(() => stateOf(bridge)?.status).toBe('online');
    await isOpen(bridge);
    const { socket, heard } = await program(portOf(bridge));
    const name = `127.0.0.1:${socket.localPort}`;
    socket.write(request(12));
    await expect.poll(() => heard().length).toBe(9);
    await bridge[Symbol.asyncDispose]();
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((each) =>
      each.endsWith('.trace'),
    );
    const trace = files.map((each) => readFileSync(join(dir, each), 'utf8')).join('');
    expect(trace).toContain(`shared ${name} > ${request(12).toString('hex')}`);
    expect(trace).toContain(`shared ${name} < ${answer(12).toString('hex')}`);
    expect(trace).not.toMatch(/c\d+ < 010404447d/);
  });

  it('of a bus: the program and the devices on it ask in turn', async () => {
    const meter = new Meter();
    const port = await meter.listen();
    await using bridge = await startBridge(
      `buses:
  - { id: line, link: "tcp:127.0.0.1:${port}", gap: 50ms, timeout: 300ms, expose: [{ tcp: "127.0.0.1:0" }] }
devices:
  - { id: meter, bus: line, address: 1, messages: ${BUS_FILE}, late_window: 100ms, poll: [{ message: read_input, every: 20ms, fields: { start: 0, count: 2 } }] }
`,
      undefined,
      undefined,
      new Map([[BUS_FILE, loadMessages(readProjectFile(BUS_FILE), BUS_FILE)]]),
    );
    const place = () =>
      // The topic carries documents of this kind.
      (bridge.bridge.store.document('buses/line/state') as { shared?: StateDocument['shared'] } | undefined)
        ?.shared?.[0];
    await expect.poll(() => Number(place()?.at.split(':').at(-1))).toBeGreaterThan(0);
    await expect.poll(() => meter.asked.length).toBeGreaterThan(1);
    const { socket, heard } = await program(Number(place()?.at.split(':').at(-1)));
    for (let turn = 1; turn <= 3; turn += 1) {
      socket.write(request(12));
      await expect.poll(() => heard().length, { interval: 2 }).toBe(turn * 9);
    }
    expect(meter.collisions).toBe(0);
    await expect.poll(() => place()?.programs).toEqual([`127.0.0.1:${socket.localPort}`]);
  });
});
