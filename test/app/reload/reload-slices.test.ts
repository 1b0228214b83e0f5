import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/protocol/codec.ts';
import { reload } from '../../support/reload.ts';
import { startBridge, type TestBridge } from '../../support/test-bridge.ts';

const IMEI = '490154203237518';
const REGISTER = encodeFrame({
  name: 'register',
  kind: 'request',
  fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: IMEI },
});
const MANY = 300;

/** Many devices, and the one that dials in last of all. */
const fleet = (
  silence: string,
  last = `{ id: last, match: { imei: "${IMEI}" }, heartbeat: { interval: ${silence} } }`,
) => {
  const others = Array.from(
    { length: MANY },
    (_, at) =>
      `  - { id: o${at}, session: none, silence: ${silence}, match: { from: 10.0.${at >> 8}.${at & 255} } }\n`,
  );
  return `listeners: [{ link: "tcp-listen:127.0.0.1:0", unknown: accept }]\ndevices:\n${others.join('')}  - ${last}\n`;
};

const statusOf = ({ bridge }: TestBridge, id: string) => {
  const document = bridge.store.document(`devices/${id}/state`);
  return document?.status;
};

async function dialIn(port: number) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.resume();
  await once(socket, 'connect');
  socket.write(REGISTER);
  return socket;
}

function countTurns() {
  let turn = 0;
  let next = setImmediate(function again() {
    turn++;
    next = setImmediate(again);
  });
  return { now: () => turn, [Symbol.dispose]: () => clearImmediate(next) };
}

describe('a reload that changes every device', () => {
  it('is applied with turns of the loop between, and meets devices that dial in meanwhile', async () => {
    await using bridge = await startBridge(fleet('30s'));
    const first = await dialIn(bridge.devicePort);
    await expect.poll(() => statusOf(bridge, 'last')).toBe('online');
    using turns = countTurns();
    const applying = reload(bridge, fleet('40s'));
    const second = await dialIn(bridge.devicePort);
    const outcome = await applying;
    expect(turns.now()).toBeGreaterThan(2);
    expect(outcome.diff?.devices.changed.length).toBe(MANY + 1);
    await expect.poll(() => first.closed).toBe(true);
    second.destroy();
    const third = await dialIn(bridge.devicePort);
    await expect.poll(() => statusOf(bridge, 'last')).toBe('online');
    expect(bridge.bridge.directory.get('last')?.settings.heartbeat.intervalMs).toBe(40_000);
    expect([...bridge.bridge.directory.all()].length).toBe(MANY + 1);
    third.destroy();
  }, 30_000);

  it('gives its name to the device that is configured where another had it', async () => {
    const unnamed = '{ id: other, session: none, match: { from: 10.9.9.9 } }';
    await using bridge = await startBridge(fleet('30s', unnamed));
    const socket = await dialIn(bridge.devicePort);
    await expect.poll(() => statusOf(bridge, IMEI)).toBe('online');
    await reload(bridge, fleet('40s', `{ id: "${IMEI}", match: { imei: "${IMEI}" } }`));
    await expect.poll(() => socket.closed).toBe(true);
    const again = await dialIn(bridge.devicePort);
    await expect.poll(() => statusOf(bridge, IMEI)).toBe('online');
    expect(bridge.bridge.directory.isConfigured(IMEI)).toBe(true);
    expect(statusOf(bridge, 'other')).toBeUndefined();
    again.destroy();
  }, 30_000);

  it('lets go of all of them where the bridge ends meanwhile', async () => {
    const bridge = await startBridge(fleet('30s'));
    const applying = reload(bridge, fleet('40s'));
    await bridge[Symbol.asyncDispose]();
    await applying;
    expect([...bridge.bridge.directory.all()].length).toBe(MANY + 1);
  }, 30_000);
});
