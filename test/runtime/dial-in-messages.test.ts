import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config/read.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { Bridge } from '../../src/runtime/bridge.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const MESSAGES = `version: 1
messages:
  - name: telemetry
    id: 0x10
    from: device
    reply: status
    fields: [{ name: temperature, type: i16, scale: 0.01, unit: "°C" }]
`;

it('a device that dials in says what is declared at the top of the file, in the frames of its register', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-dial-in-'));
  try {
    await writeFile(join(dir, 'messages.yaml'), MESSAGES);
    const text =
      'server: { port: 0 }\nmessages: messages.yaml\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n';
    await writeFile(join(dir, 'devices.yaml'), text);
    const { config, problems } = await readConfig(join(dir, 'devices.yaml'));
    expect(problems).toEqual([]);
    if (config === undefined) throw new Error('no configuration');
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0-test' });
    const { listeners } = await bridge.start();
    const socket = connect(Number(listeners[0]?.split(':').at(-1)), '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (bytes) => received.push(bytes));
    await once(socket, 'connect');
    const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };
    const telemetry = Buffer.from('0000000310090a', 'hex');
    socket.write(Buffer.concat([encodeFrame({ name: 'register', kind: 'request', fields }), telemetry]));
    const state = () => bridge.store.document('devices/490154203237518/state');
    await expect.poll(() => state()?.values).toEqual({ telemetry: { temperature: 23.14 } });
    // The register's reply, then that of the telemetry.
    await expect.poll(() => Buffer.concat(received).toString('hex')).toBe('00000002000000000002' + '1000');
    socket.destroy();
  } finally {
    await rm(dir, { recursive: true });
  }
});
