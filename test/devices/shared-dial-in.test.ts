import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import { readProjectFile } from '../support/project-files.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';
import { gt06 } from '../support/trackers.ts';

const FILE = 'examples/gt06/messages.yaml';
const SDM = 'examples/eastron-sdm/messages.yaml';
const MESSAGES = new Map([FILE, SDM].map((file) => [file, loadMessages(readProjectFile(file), file)]));
const IMEI = '0490154203237518';
const LOGIN = gt06(`01${IMEI}0001`);
const STATUS = gt06('1340065e00010002');

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const bridgeOf = (expose: string, more = ''): Promise<TestBridge> =>
  startBridge(
    `listeners: [{ link: "tcp-listen:127.0.0.1:0", messages: ${FILE} }]
devices:
  - { id: truck, match: { identity: "${IMEI}" }, messages: ${FILE}, expose: ${expose} ${more}}
`,
    undefined,
    undefined,
    MESSAGES,
  );

const stateOf = ({ bridge }: TestBridge, id = 'truck'): StateDocument =>
  // The topic carries documents of this kind.
  bridge.store.document(`devices/${id}/state`) as StateDocument;
const placeOf = (bridge: TestBridge, id = 'truck') => stateOf(bridge, id)?.shared?.[0];

async function placePort(bridge: TestBridge, id = 'truck'): Promise<number> {
  const port = (): number => Number(placeOf(bridge, id)?.at.split(':').at(-1));
  await expect.poll(port).toBeGreaterThan(0);
  return port();
}

interface Peer {
  readonly socket: Socket;
  /** All that came, as hex. */
  readonly came: () => string;
}

async function dialled(port: number): Promise<Peer> {
  const socket = connect(port, '127.0.0.1');
  closing.push(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, came: () => Buffer.concat(chunks).toString('hex') };
}

const hex = (...frames: readonly Uint8Array[]): string => Buffer.concat(frames).toString('hex');

async function tracker(bridge: TestBridge): Promise<Peer> {
  const device = await dialled(bridge.devicePort);
  device.socket.write(LOGIN);
  await expect.poll(device.came).toBe(hex(gt06('010001')));
  return device;
}

describe('the port of a device that dials in, given on', () => {
  it('is open while the device is away, says so, and leads nowhere then', async () => {
    await using bridge = await bridgeOf('[{ tcp: "127.0.0.1:0" }]');
    const program = await dialled(await placePort(bridge));
    await expect.poll(() => placeOf(bridge)?.programs).toHaveLength(1);
    expect(placeOf(bridge)).toMatchObject({ reason: 'link_not_open' });
    program.socket.write('lost');
    const device = await tracker(bridge);
    await expect.poll(() => placeOf(bridge)).not.toHaveProperty('reason');
    // What was sent while it was away never reaches it.
    program.socket.write('here');
    await expect.poll(device.came).toBe(hex(gt06('010001')) + hex(Buffer.from('here')));
    expect(stateOf(bridge)).toMatchObject({ status: 'online' });
  });

  it('shows a program all that the device says, and the bridge goes on as before', async () => {
    await using bridge = await bridgeOf('[{ tcp: "127.0.0.1:0", read_only: true }]');
    const program = await dialled(await placePort(bridge));
    await expect.poll(() => placeOf(bridge)?.programs).toHaveLength(1);
    const device = await tracker(bridge);
    device.socket.write(STATUS);
    await expect.poll(program.came).toBe(hex(STATUS));
    await expect.poll(device.came).toBe(hex(gt06('010001'), gt06('130002')));
    expect(stateOf(bridge)).toMatchObject({ values: { status: { gsm: 94 } } });
    program.socket.write('not to be sent');
    device.socket.write(STATUS);
    await expect.poll(device.came).toBe(hex(gt06('010001'), gt06('130002'), gt06('130002')));
  });

  it('stays with the device when it comes back, and with a newer link that takes over', async () => {
    await using bridge = await bridgeOf('[{ tcp: "127.0.0.1:0" }]');
    const program = await dialled(await placePort(bridge));
    await expect.poll(() => placeOf(bridge)?.programs).toHaveLength(1);
    const first = await tracker(bridge);
    first.socket.destroy();
    await expect.poll(() => placeOf(bridge)).toMatchObject({ reason: 'link_not_open' });
    const second = await tracker(bridge);
    await expect.poll(() => placeOf(bridge)).not.toHaveProperty('reason');
    const third = await tracker(bridge);
    await expect.poll(() => second.socket.closed).toBe(true);
    expect(placeOf(bridge)).not.toHaveProperty('reason');
    program.socket.write('to the newest');
    await expect.poll(third.came).toContain(hex(Buffer.from('to the newest')));
    expect(placeOf(bridge)?.programs).toHaveLength(1);
  });

  it('takes turns with the bridge where it is polled', async () => {
    await using bridge = await startBridge(
      `listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
devices:
  - id: meter
    match: { from: 127.0.0.1 }
    session: none
    line: serial
    gap: 50ms
    request_timeout: 1s
    late_window: 1s
    messages: ${SDM}
    poll: [{ message: read_input, as: voltage, every: 20ms, fields: { address: 1, start: 0, count: 2 } }]
    expose: [{ tcp: "127.0.0.1:0" }]
`,
      undefined,
      undefined,
      MESSAGES,
    );
    const program = await dialled(await placePort(bridge, 'meter'));
    const meter = await dialled(bridge.devicePort);
    let collisions = 0;
    const asked: number[] = [];
    meter.socket.on('data', (chunk: Buffer) => {
      if (chunk.length !== 8) collisions++;
      const start = chunk[3] ?? 0;
      asked.push(start);
      meter.socket.write(answerOf(start));
    });
    await expect.poll(() => stateOf(bridge, 'meter')?.status).toBe('online');
    for (let turn = 1; turn <= 3; turn++) {
      const polls = asked.filter((start) => start === 0).length;
      program.socket.write(sealed(1, 4, 0, 12, 0, 2));
      await expect.poll(program.came).toBe(hex(answerOf(12)).repeat(turn));
      await expect.poll(() => asked.filter((start) => start === 0).length).toBeGreaterThan(polls);
    }
    expect(collisions).toBe(0);
    expect(JSON.stringify(stateOf(bridge, 'meter').values)).not.toContain('1012');
  });
});

/** CRC-16 of Modbus, bit by bit. */
function sealed(...bytes: readonly number[]): Buffer {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return Buffer.from([...bytes, crc & 0xff, crc >>> 8]);
}

/** The value says what was asked for. */
function answerOf(start: number): Buffer {
  const value = Buffer.alloc(4);
  value.writeFloatBE(1_000 + start);
  return sealed(1, 4, 4, ...value);
}
