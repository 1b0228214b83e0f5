import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { systemClock } from '../../src/system/clock.ts';
import { busConfig, modbus } from '../support/bus-line.ts';

const protocol = modbus();
const POLL = 'poll: [{ message: read, fields: { start: 0, count: 1 }, every: 100ms }]';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A DTU that says its text, with slaves that say this power. */
async function dial(listener: string | undefined, text: string, power: number) {
  const socket = connect(Number(listener?.split(':').at(-1)), '127.0.0.1');
  let said = '';
  socket.on('data', (bytes) => {
    const answer = /^(?:OK|NO)/.exec(bytes.toString('latin1'))?.[0] ?? '';
    said += answer;
    const asked = bytes[answer.length];
    if (asked !== undefined)
      socket.write(protocol.at(asked).encodeReply('read', 0, { power: power + asked }));
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return { socket, said: () => said };
}

describe('a DTU that registers', () => {
  const config = busConfig(
    `server: { port: 0 }
listeners: [{ link: "tcp-listen:127.0.0.1:0", messages: dtu.yaml, gap: 50ms, unknown: refuse }]
buses:
  - { id: north, match: { identity: "0007" }, gap: 50ms, timeout: 500ms }
  - { id: south, match: { identity: "0008" }, gap: 50ms, timeout: 500ms }
devices:
  - { id: n1, bus: north, address: 1, messages: dtu.yaml, ${POLL} }
  - { id: n2, bus: north, address: 2, messages: dtu.yaml, ${POLL} }
  - { id: s1, bus: south, address: 1, messages: dtu.yaml, ${POLL} }
`,
  );

  it('is the bus of its text, of several behind one address, and a newer connection takes over', async () => {
    await using bridge = new Bridge({ config, clock: systemClock, log, version: 'test' });
    const { listeners } = await bridge.start();
    const value = (id: string) =>
      (bridge.store.document(`devices/${id}/state`)?.values as { read?: { power?: number } } | undefined)
        ?.read?.power;
    // Its text may come in pieces.
    const north = await dial(listeners[0], 'DT', 100);
    north.socket.write('U-0007');
    const south = await dial(listeners[0], 'DTU-0008', 200);
    for (const [id, power] of [
      ['n1', 101],
      ['n2', 102],
      ['s1', 201],
    ] as const)
      await expect.poll(() => value(id), { timeout: 20_000 }).toBe(power);
    expect([north.said(), south.said()]).toEqual(['OK', 'OK']);
    expect(bridge.store.document('buses/north/state')).toMatchObject({ link: { status: 'connected' } });
    const newer = await dial(listeners[0], 'DTU-0007', 300);
    await expect.poll(() => value('n1'), { timeout: 20_000 }).toBe(301);
    await expect
      .poll(() => north.socket.destroyed || north.socket.readableEnded, { timeout: 20_000 })
      .toBe(true);
    expect(value('s1')).toBe(201);
    newer.socket.destroy();
    await expect
      .poll(() => bridge.store.document('devices/n2/state')?.status, { timeout: 20_000 })
      .toBe('offline');
    expect(bridge.store.document('buses/north/state')).toMatchObject({ link: { status: 'listening' } });
    south.socket.destroy();
  });

  it('is refused by its text where no bus has it, and closed where it says none', async () => {
    await using bridge = new Bridge({ config, clock: systemClock, log, version: 'test' });
    const { listeners } = await bridge.start();
    const stranger = await dial(listeners[0], 'DTU-0009', 0);
    await expect.poll(() => stranger.said(), { timeout: 20_000 }).toBe('NO');
    const silly = await dial(listeners[0], 'GET / HTTP/1.1\r\n', 0);
    await expect
      .poll(() => silly.socket.readableEnded || silly.socket.destroyed, { timeout: 20_000 })
      .toBe(true);
    expect(bridge.store.document('devices/n1/state')?.status).toBe('unknown');
    stranger.socket.destroy();
  });
});

describe('a DTU that dials in', () => {
  it('is the line of the devices behind it', async () => {
    const config = busConfig(
      `server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\nbuses: [{ id: dtu, match: { from: 127.0.0.1 }, gap: 50ms }]\ndevices:\n  - { id: a, bus: dtu, address: 1, messages: modbus.yaml, ${POLL} }\n  - { id: b, bus: dtu, address: 2, messages: modbus.yaml, ${POLL} }\n`,
    );
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
