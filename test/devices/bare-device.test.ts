import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';

const MESSAGES = `version: 1
protocol: { id: u8, error: i8, framing: { type: slip } }
messages:
  - name: read
    id: 3
    from: host
    reply: { fields: [{ name: power, type: u16, unit: W, limits: { warn: [null, 1000] } }] }
    fields: [{ name: unit, type: u8 }, { type: reserved, length: 4 }]
  - name: set
    id: 6
    from: host
    reply: status
    confirms: { power: read.power }
    fields: [{ name: power, type: u16 }, { type: reserved, length: 4 }]
`;

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-bare-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A meter that only answers, in SLIP frames; written by hand, and never with an escape. */
class Meter implements AsyncDisposable {
  power = 230;
  silent = false;
  readonly asked: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const frames = bytes
        .toString('hex')
        .split('c0')
        .filter((frame) => frame !== '');
      for (const frame of frames) this.#answer(socket, frame);
    });
  });

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port; // A listening TCP server has an address of this kind.
  }

  #answer(socket: Socket, frame: string): void {
    this.asked.push(frame);
    if (this.silent) return;
    if (frame.startsWith('06')) this.power = Number.parseInt(frame.slice(2, 6), 16);
    const body = frame.startsWith('06') ? '0600' : `0300${this.power.toString(16).padStart(4, '0')}`;
    socket.write(Buffer.from(`c0${body}c0`, 'hex'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('a device that only answers, in frames of its own', () => {
  it('is polled, watched, commanded and missed', { timeout: 20_000 }, async () => {
    await using meter = new Meter();
    const port = await meter.listen();
    await writeFile(join(dir, 'meter.yaml'), MESSAGES);
    await writeFile(
      join(dir, 'devices.yaml'),
      `server: { port: 0 }
devices:
  - id: meter-1
    link: tcp:127.0.0.1:${port}
    session: none
    silence: 600ms
    request_timeout: 100ms
    messages: meter.yaml
    poll: [{ message: read, every: 50ms, fields: { unit: 1 } }]
    reconnect: { initial: 100ms, max: 100ms }
`,
    );
    const { config, problems } = await readConfig(join(dir, 'devices.yaml'), 'devices.yaml');
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    if (config === undefined) throw new Error('no configuration');
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0-test' });
    const { url } = await bridge.start();
    await using watcher = await DeviceWatcher.connect(url, ['devices/+/state', 'devices/+/alarms']);
    await watcher.sees('meter-1', 'online, link connected');
    const state = () => watcher.document('devices/meter-1/state');
    await expect.poll(() => state()?.values).toEqual({ read: { power: 230 } });
    expect(meter.asked[0]).toBe('030100000000');

    watcher.send({ type: 'command', id: 'c', device: 'meter-1', message: 'set', fields: { power: 1_200 } });
    const reply = await watcher.reply('c');
    expect(reply).toMatchObject({ type: 'response', payload: { result: { observed: true } } });
    expect(meter.asked.filter((frame) => frame.startsWith('06'))).toEqual(['0604b000000000']);
    await expect.poll(() => state()?.quality).toEqual({ 'read.power': 'warn' });
    const alarms = watcher.messages.filter(({ type }) => type === 'event');
    expect(alarms.map(({ payload }) => payload)).toMatchObject([
      {
        topic: 'devices/meter-1/alarms',
        data: { level: 'warn', value: 1_200, limit: 1_000, direction: 'above' },
      },
    ]);

    meter.silent = true;
    await watcher.sees('meter-1', 'offline (silent), link backoff (silent)');
    expect(state()?.quality).toEqual({ 'read.power': 'stale' });
    meter.silent = false;
    watcher.forget();
    await watcher.sees('meter-1', 'online, link connected');
    await expect.poll(() => state()?.quality).toEqual({ 'read.power': 'warn' });
  });
});

describe('an instrument that answers lines', () => {
  const SCPI = `version: 1
protocol: { framing: { type: delimiter, delimiter: "\\n", max_frame: 256 } }
messages:
  - name: identity
    from: host
    fields: [{ name: query, type: text, value: "*IDN?" }]
    reply: { fields: [{ name: text, type: text, length: rest }] }
  - name: voltage
    from: host
    fields: [{ name: query, type: text, value: "MEAS:VOLT?" }]
    reply: { fields: [{ name: text, type: text, length: rest }] }
`;
  const ANSWERS = new Map([
    ['*IDN?', 'ACME,PSU3005'],
    ['MEAS:VOLT?', '12.5'],
  ]);

  it('answers what it was asked, though nothing in the answer says what that was', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => socket.write(`${ANSWERS.get(String(bytes).trim())}\n`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // A listening TCP server has an address of this kind.
    await writeFile(join(dir, 'scpi.yaml'), SCPI);
    await writeFile(
      join(dir, 'devices.yaml'),
      `server: { port: 0 }
devices:
  - id: psu
    link: tcp:127.0.0.1:${port}
    session: none
    messages: scpi.yaml
    poll: [{ message: voltage, every: 50ms }]
`,
    );
    const { config } = await readConfig(join(dir, 'devices.yaml'), 'devices.yaml');
    if (config === undefined) throw new Error('no configuration');
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0-test' });
    const { url } = await bridge.start();
    await using watcher = await DeviceWatcher.connect(url, ['devices/+/state']);
    await watcher.sees('psu', 'online, link connected');
    const values = () => watcher.document('devices/psu/state')?.values;
    await expect.poll(values).toEqual({ voltage: { text: '12.5' } });
    watcher.send({ type: 'command', id: 'c', device: 'psu', message: 'identity' });
    expect(await watcher.reply('c')).toMatchObject({
      payload: { result: { fields: { text: 'ACME,PSU3005' } } },
    });
    await expect.poll(values).toEqual({ identity: { text: 'ACME,PSU3005' }, voltage: { text: '12.5' } });
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
