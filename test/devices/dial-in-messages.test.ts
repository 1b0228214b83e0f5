import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { readConfig } from '../../src/config/read.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { systemClock } from '../../src/system/clock.ts';

const TELEMETRY = `version: 1
messages:
  - name: telemetry
    id: 0x10
    from: device
    reply: status
    fields: [{ name: temperature, type: i16, scale: 0.01, unit: "°C" }]
`;
const JOURNAL = `messages:
  - { name: journal, id: 0x10, from: device, fields: [{ name: line, type: text, length: u8 }] }
`;
const METER = `protocol:
  framing: { type: gap, checksum: { algorithm: crc-16/modbus, order: little } }
messages:
  - name: read
    from: host
    reply: { fields: [{ name: power, type: u16 }] }
    fields: [{ name: unit, type: u8 }]
`;
const IMEIS = ['490154203237518', '869858030720693'] as const;

let dir = '';
const sockets: Socket[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-dial-in-'));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rm(dir, { recursive: true });
});

async function start(devices: string): Promise<{ bridge: Bridge; ports: number[] }> {
  const files = { 'messages.yaml': TELEMETRY, 'journal.yaml': JOURNAL, 'meter.yaml': METER };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  await writeFile(join(dir, 'devices.yaml'), `server: { port: 0 }\n${devices}`);
  const { config, problems } = await readConfig(join(dir, 'devices.yaml'));
  expect(problems).toEqual([]);
  if (config === undefined) throw new Error('no configuration');
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0-test' });
  const { listeners } = await bridge.start();
  return { bridge, ports: listeners.map((address) => Number(address.split(':').at(-1))) };
}

/** A peer, and what it receives. */
async function peer(port: number | undefined): Promise<{ socket: Socket; received(): string }> {
  const socket = connect(port ?? 0, '127.0.0.1');
  sockets.push(socket);
  const chunks: Buffer[] = [];
  socket.on('data', (bytes) => chunks.push(bytes));
  await once(socket, 'connect');
  return { socket, received: () => Buffer.concat(chunks).toString('hex') };
}

const register = (imei: string) =>
  encodeFrame({
    name: 'register',
    kind: 'request',
    fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei },
  });
const hex = (text: string) => Buffer.from(text, 'hex');

it('a device that dials in says what is declared at the top of the file, in the frames of its register', async () => {
  const { bridge, ports } = await start(
    'messages: messages.yaml\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n',
  );
  await using _ = bridge;
  const { socket, received } = await peer(ports[0]);
  socket.write(Buffer.concat([register(IMEIS[0]), hex('0000000310090a')]));
  const state = () => bridge.store.document(`devices/${IMEIS[0]}/state`);
  await expect.poll(() => state()?.values).toEqual({ telemetry: { temperature: 23.14 } });
  // The register's reply, then that of the telemetry.
  await expect.poll(received).toBe('00000002000000000002' + '1000');
});

it('two devices with files of their own use one id for different messages at the same time', async () => {
  const { bridge, ports } = await start(`devices:
  - { id: oven, match: { imei: "${IMEIS[0]}" }, messages: messages.yaml }
  - { id: scribe, match: { imei: "${IMEIS[1]}" }, messages: journal.yaml }
listeners: [{ link: "tcp-listen:127.0.0.1:0", unknown: refuse }]
`);
  await using _ = bridge;
  const [oven, scribe] = [await peer(ports[0]), await peer(ports[0])];
  const values = (id: string) => bridge.store.document(`devices/${id}/state`)?.values;
  // The register and what stands behind it in one segment, by turns.
  oven.socket.write(Buffer.concat([register(IMEIS[0]), hex('0000000310090a')]));
  scribe.socket.write(Buffer.concat([register(IMEIS[1]), hex('000000071005'), Buffer.from('hello')]));
  await expect.poll(() => values('scribe')).toEqual({ journal: { line: 'hello' } });
  await expect.poll(() => values('oven')).toEqual({ telemetry: { temperature: 23.14 } });
  oven.socket.write(hex('00000003100064'));
  scribe.socket.write(Buffer.concat([hex('000000041002'), Buffer.from('ok')]));
  await expect.poll(() => values('scribe')).toEqual({ journal: { line: 'ok' } });
  await expect.poll(() => values('oven')).toEqual({ telemetry: { temperature: 1 } });
});

it('a device that only answers dials in, is polled, and is read by the silence between its frames', async () => {
  const { bridge, ports } = await start(`devices:
  - id: meter
    match: { from: 127.0.0.1 }
    session: none
    messages: meter.yaml
    line: serial
    gap: 60ms
    poll: [{ message: read, every: 1s, fields: { unit: 1 } }]
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
`);
  await using _ = bridge;
  const { socket, received } = await peer(ports[0]);
  // The unit and its CRC.
  await expect.poll(received).toMatch(/^01..../);
  const framing = makeFraming({ type: 'gap', checksum: { algorithm: 'crc-16/modbus', order: 'little' } });
  socket.write(framing.encode(Uint8Array.of(0x03, 0xe8)));
  const state = () => bridge.store.document('devices/meter/state');
  await expect.poll(() => state()?.values).toEqual({ read: { power: 1_000 } });
  expect(state()).toMatchObject({ status: 'online' });
});
