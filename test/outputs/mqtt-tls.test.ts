import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasOpenssl, makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { BrokerWatcher, hasMosquitto, Mosquitto } from '../support/mosquitto.ts';
import { OutputWorld } from '../support/output-world.ts';

const LATE = { timeout: 30_000 };

let folder: string;
let world: OutputWorld;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-mqtt-tls-'));
  world = new OutputWorld();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe.runIf(hasMosquitto && hasOpenssl)('a broker over TLS', { timeout: 60_000 }, () => {
  const start = async (tlsPort: number, served: { readonly cert: string; readonly key: string }) =>
    Mosquitto.start(
      `user root\nallow_anonymous true\nlistener ${tlsPort} 127.0.0.1\ncertfile ${served.cert}\nkeyfile ${served.key}`,
    );

  it('gets states where its certificate is known, and the name is its own', async () => {
    const served = makeCertificate(folder, 'broker');
    const port = await freePort();
    await using broker = await start(port, served);
    await world.apply(`  - mqtt: { url: "mqtts://localhost:${port}", ca_file: ${served.cert} }`);
    world.state('a');
    await using watcher = await BrokerWatcher.connect(broker.url);
    await expect.poll(() => watcher.last.get('heartwire/devices/a/availability'), LATE).toBe('online');
    expect(world.shown()).toMatchObject({ status: 'ready', lost: 0 });
  });

  it.each([
    ['the certificate of another authority', 'localhost', /certificate/],
    ['another name', 'broker.test', /broker\.test/],
  ])('with %s gets nothing', async (what, host, detail) => {
    const served = makeCertificate(folder, 'broker');
    const known = what === 'another name' ? served : makeCertificate(folder, 'other');
    const port = await freePort();
    await using broker = await start(port, served);
    await world[Symbol.asyncDispose]();
    world = new OutputWorld({
      lookup: (_name, options, callback) =>
        options.all === true
          ? callback(null, [{ address: '127.0.0.1', family: 4 }])
          : callback(null, '127.0.0.1', 4),
    });
    await world.apply(`  - mqtt: { url: "mqtts://${host}:${port}", ca_file: ${known.cert} }`);
    world.state('a');
    await expect
      .poll(() => world.shown(), LATE)
      .toMatchObject({ status: 'backoff', detail: expect.stringMatching(detail), sent: 0, lost: 0 });
    await using watcher = await BrokerWatcher.connect(broker.url);
    await watcher.client.publishAsync('end', 'x', { qos: 1 });
    await expect.poll(() => [...watcher.last.keys()], LATE).toEqual(['end']);
  });
});

/** A broker that knows nothing newer than 3.1.1: it refuses a CONNECT of 5 as those do, and passes on the rest. */
async function oldBroker(
  target: number,
): Promise<{ readonly port: number; readonly levels: number[]; readonly server: Server }> {
  const levels: number[] = [];
  const server = createServer((near: Socket) => {
    near.on('error', () => near.destroy());
    near.once('data', (first: Buffer) => {
      // Behind the fixed header, whose length takes one byte here, stands the name `MQTT` with its length.
      const level = first[first.indexOf('MQTT') + 4] ?? 0;
      levels.push(level);
      // CONNACK: unacceptable protocol version.
      if (level !== 4) return void near.end(Buffer.of(0x20, 2, 0, 1));
      const far = connect(target, '127.0.0.1');
      far.on('error', () => near.destroy());
      far.on('close', () => near.destroy());
      near.on('close', () => far.destroy());
      far.write(first);
      near.pipe(far).pipe(near);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address with a port.
  return { port: (server.address() as AddressInfo).port, levels, server };
}

describe.runIf(hasMosquitto)('a broker that speaks 3.1.1 only', { timeout: 60_000 }, () => {
  it('gets states, and gives commands', async () => {
    await using broker = await Mosquitto.start();
    const { port, levels, server } = await oldBroker(broker.port);
    await world[Symbol.asyncDispose]();
    const asked: unknown[] = [];
    world = new OutputWorld({
      command: async (command) => {
        asked.push(command);
        return { ok: true, result: { done: true } };
      },
    });
    await world.apply(`  - mqtt: { url: "mqtt://127.0.0.1:${port}", commands: true }`);
    world.state('a');
    await using watcher = await BrokerWatcher.connect(broker.url);
    await expect.poll(() => watcher.last.get('heartwire/devices/a/availability'), LATE).toBe('online');
    expect(levels).toEqual([5, 4]);
    expect(world.shown()).toMatchObject({ status: 'ready', lost: 0 });
    await watcher.client.publishAsync('heartwire/devices/a/commands/go', '{"n":1}', { qos: 1 });
    await expect
      .poll(() => watcher.json('heartwire/devices/a/results/go'), LATE)
      .toEqual({ ok: true, result: { done: true } });
    expect(asked).toMatchObject([{ device: 'a', message: 'go', fields: { n: 1 } }]);
    await world[Symbol.asyncDispose]();
    server.close();
  });
});
