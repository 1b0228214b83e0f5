import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-polled-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A device that answers each chunk in this way. */
class Answering implements AsyncDisposable {
  connections = 0;
  asked = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server;

  constructor(answer: (nth: number) => Uint8Array) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write(answer(this.asked++)));
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port; // A listening TCP server has an address of this kind.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function bridgeTo(port: number, keys: string, messages: string): Promise<Bridge> {
  await writeFile(join(dir, 'messages.yaml'), messages);
  const device = `{ id: m, link: "tcp:127.0.0.1:${port}", session: none, messages: messages.yaml, ${keys} }`;
  await writeFile(join(dir, 'devices.yaml'), `server: { port: 0 }\ndevices: [${device}]\n`);
  const { config } = await readConfig(join(dir, 'devices.yaml'), 'devices.yaml');
  if (config === undefined) throw new Error('no configuration');
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return new Bridge({ config, clock: systemClock, log, version: '0.0.0-test' });
}

it('bytes that a deviceListener sends between replies cost neither a reply nor the link', {
  timeout: 20_000,
}, async () => {
  await using device = new Answering((nth) =>
    Uint8Array.from([...new Array(nth % 4).fill(0xff), 0, 9, 0, 4, 5, 3, 0, nth & 0xff]),
  );
  const port = await device.listen();
  await using bridge = await bridgeTo(
    port,
    'poll: [{ message: read, every: 20ms }]',
    `version: 1
protocol: { framing: { type: length, length: u16be, at: 2, max_frame: 60 } }
messages:
  - name: read
    from: host
    fields: [{ name: head, type: u32, value: 0x00090003 }, { name: ask, type: u24, value: 0x050301 }]
    reply: { fields: [{ name: head, type: u32, value: 0x00090004 }, { name: what, type: u16, value: 0x0503 }, { name: value, type: u16 }] }
`,
  );
  const { url } = await bridge.start();
  await using watcher = await DeviceWatcher.connect(url, ['devices/+/state', 'devices/+/stats']);
  await expect
    .poll(() => JSON.stringify(watcher.document('devices/m/state')?.values), { timeout: 15_000 })
    .toMatch(/"value":(?:1[2-9]|[2-9]\d)/);
  expect(device.connections).toBe(1);
  expect(watcher.document('devices/m/stats')).toMatchObject({ timeouts: 0, unsolicited_replies: 0 });
});

it('the first answer on a serial line counts where we asked first', { timeout: 20_000 }, async () => {
  await using device = new Answering(() => Buffer.from('12.5\n'));
  const port = await device.listen();
  await using bridge = await bridgeTo(
    port,
    'line: serial, request_timeout: 10m, silence: 1h, poll: [{ message: volt, every: 10m }]',
    `version: 1
protocol: { framing: { type: delimiter, delimiter: "\\n", max_frame: 64 } }
messages:
  - name: volt
    from: host
    fields: [{ name: query, type: text, value: "VOLT?" }]
    reply: { fields: [{ name: text, type: text, length: rest }] }
`,
  );
  const { url } = await bridge.start();
  await using watcher = await DeviceWatcher.connect(url, ['devices/+/state']);
  await watcher.sees('m', 'online, link connected');
  expect(watcher.document('devices/m/state')).toMatchObject({ values: { volt: { text: '12.5' } } });
  expect(device.asked).toBe(1);
});
