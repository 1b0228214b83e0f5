import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { systemClock } from '../../src/system/clock.ts';
import { busConfig, modbus } from '../support/bus-line.ts';

const protocol = modbus();
const POLL = 'poll: [{ message: read, fields: { start: 0, count: 1 }, every: 100ms }]';

describe('a DTU that dials in', () => {
  it('is the line of the devices behind it', async () => {
    const config = busConfig(
      `server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\nbuses: [{ id: dtu, match: { from: 127.0.0.1 }, gap: 50ms }]\ndevices:\n  - { id: a, bus: dtu, address: 1, messages: modbus.yaml, ${POLL} }\n  - { id: b, bus: dtu, address: 2, messages: modbus.yaml, ${POLL} }\n`,
    );
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using bridge = new Bridge({ config, clock: systemClock, log, version: 'test' });
    const { listeners } = await bridge.start();
    expect(bridge.store.document('buses/dtu/state')).toMatchObject({ link: { status: 'listening' } });
    const status = (id: string) => bridge.store.document(`devices/${id}/state`)?.status;
    const socket = connect(Number(listeners[0]?.split(':').at(-1)), '127.0.0.1');
    socket.on('data', (bytes) => {
      const address = bytes[0] ?? 0;
      socket.write(protocol.at(address).encodeReply('read', 0, { power: 100 * address }));
    });
    await once(socket, 'connect');
    for (const id of ['a', 'b']) await expect.poll(() => status(id), { timeout: 20_000 }).toBe('online');
    expect(bridge.store.document('devices/b/state')).toMatchObject({
      link: { status: 'connected', bus: 'dtu' },
      values: { read: { power: 200 } },
    });
    socket.destroy();
    await expect.poll(() => status('a'), { timeout: 20_000 }).toBe('offline');
    expect(bridge.store.document('buses/dtu/state')).toMatchObject({ link: { status: 'listening' } });
  });
});
