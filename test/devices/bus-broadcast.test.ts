import { describe, expect, it } from 'vitest';
import { performCommand } from '../../src/devices/commands.ts';
import { DeviceDirectory } from '../../src/devices/device-directory.ts';
import { BusLine, busConfig, meters, modbus, type Slaves } from '../support/bus-line.ts';

const protocol = modbus();
const ANSWER_MS = 30;

/** Reads are answered; what goes to all is not. */
const slaves: Slaves = (request) =>
  request[0] === 0 || request[1] !== 4
    ? []
    : [{ afterMs: ANSWER_MS, bytes: protocol.at(request[0] ?? 0).encodeReply('read', 0, { power: 7 }) }];

async function settled(line: BusLine, ms: number): Promise<void> {
  line.clock.advance(ms);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe('a command to all devices of a bus', () => {
  it('goes out with the next turn, awaits nothing, and is done when it is written', async () => {
    const line = new BusLine(meters(3, 100), slaves).open();
    line.clock.advance(1_005);
    const before = line.asked.length;
    const outcome = line.bus.broadcast('write', { at: 1, value: 7 }, 2_000);
    await settled(line, 200);
    expect(line.asked.slice(before)[0]).toMatchObject({ address: 0, fn: 6 });
    expect(await outcome).toMatchObject({ ok: true, fields: {} });
    expect(line.notes).toContain('to all');
    // The devices go on, and none waits for a reply that never comes.
    line.clock.advance(5_000);
    for (const device of ['m1', 'm2', 'm3']) {
      expect(line.state(device)?.status).toBe('online');
      expect(line.runners.get(device)?.reading.counts.timeouts).toBe(0);
    }
    expect(line.asked.filter(({ address }) => address === 0)).toHaveLength(1);
  });

  it('leaves the line alone for the turn-around behind it', async () => {
    const line = new BusLine(meters(2, 50, ', turnaround: 200ms'), slaves).open();
    line.clock.advance(2_000);
    void line.bus.broadcast('write', { at: 1, value: 7 }, 2_000);
    await settled(line, 2_000);
    const at = line.asked.findIndex(({ address }) => address === 0);
    expect((line.asked[at + 1]?.at ?? 0) - (line.asked[at]?.at ?? 0)).toBeGreaterThanOrEqual(200);
  });

  it('that comes back over an adapter which echoes is neither counted nor a frame of a device', async () => {
    const echoing: Slaves = (request, nth) =>
      request[0] === 0 ? [{ afterMs: 1, bytes: request }] : slaves(request, nth);
    const line = new BusLine(meters(2, 100), echoing).open();
    void line.bus.broadcast('write', { at: 1, value: 7 }, 2_000);
    await settled(line, 1_000);
    expect(line.documents.get('buses/line/state')).toMatchObject({ wrong_device: 0 });
    expect(line.state('m1')?.status).toBe('online');
  });

  it.each([
    ['write', { at: 1 }, 'bad_field_value', 'value'],
    ['nothing', {}, 'message_unknown', 'declared are read, write'],
    ['exception', { fn: 1, code: 1 }, 'request_not_allowed', 'comes from the device'],
  ])('%s with %j is refused: %s', async (message, fields, code, detail) => {
    const line = new BusLine(meters(2), slaves).open();
    const before = line.asked.length;
    expect(await line.bus.broadcast(message, fields, 1_000)).toMatchObject({
      ok: false,
      code,
      detail: expect.stringContaining(detail),
    });
    line.clock.advance(10);
    expect(line.asked.slice(before).every(({ address }) => address !== 0)).toBe(true);
  });

  it('is refused on a passive bus, while the line is not open, and behind sixteen others', async () => {
    const passive = new BusLine(meters(1, 500, ', passive: true'), slaves).open();
    const write = { at: 1, value: 7 };
    expect(await passive.bus.broadcast('write', write, 1_000)).toMatchObject({ code: 'request_not_allowed' });
    const line = new BusLine(meters(1), slaves);
    expect(await line.bus.broadcast('write', write, 1_000)).toMatchObject({ code: 'link_not_open' });
    line.open();
    const all = Array.from({ length: 17 }, () => line.bus.broadcast('write', write, 60_000));
    expect(await all[16]).toMatchObject({ code: 'request_busy' });
    await settled(line, 5_000);
    for (const each of all.slice(0, 16)) expect(await each).toMatchObject({ ok: true });
  });

  it('ends when the line does not get free in its time, and when it is lost', async () => {
    const silent = new BusLine(meters(1, 500), () => []).open();
    const late = silent.bus.broadcast('write', { at: 1, value: 7 }, 100);
    await settled(silent, 150);
    expect(await late).toMatchObject({ ok: false, code: 'request_expired' });
    const lost = silent.bus.broadcast('write', { at: 1, value: 7 }, 2_000);
    silent.link.close({ code: 'port_unplugged', detail: 'unplugged' });
    expect(await lost).toMatchObject({ ok: false });
    await settled(silent, 1_000);
    expect(silent.asked.some(({ address }) => address === 0)).toBe(false);
  });

  it('needs messages in which an address is one to which all listen', async () => {
    const config = busConfig(
      'buses:\n  - { id: line, link: /dev/ttyS9, baud: 9600-8E1 }\ndevices:\n  - { id: m1, bus: line, address: 1, messages: plain.yaml }\n',
    );
    const line = new BusLine(config, slaves).open();
    expect(await line.bus.broadcast('write', { at: 1, value: 1 }, 100)).toMatchObject({
      code: 'request_not_allowed',
      detail: expect.stringContaining('`broadcast`'),
    });
  });
});

describe('a command by the id of a bus', () => {
  const targets = (line: BusLine) => ({
    directory: new DeviceDirectory({ clock: line.clock, makeRunner: () => line.bus.port }),
    bus: (id: string) => (id === 'line' ? line.bus : undefined),
  });

  it('is one to all of its devices', async () => {
    const line = new BusLine(meters(2), slaves).open();
    const command = { device: 'line', message: 'write', fields: { at: 1, value: 7 }, timeoutMs: 1_000 };
    const outcome = performCommand(targets(line), command);
    await settled(line, 1_000);
    expect(await outcome).toMatchObject({ ok: true, result: { fields: {} } });
    const described = await performCommand(targets(line), { ...command, message: '$messages', fields: {} });
    expect(described).toMatchObject({
      ok: true,
      result: { messages: [{ name: 'read' }, { name: 'write' }, {}] },
    });
    expect(await performCommand(targets(line), { ...command, device: 'other' })).toMatchObject({
      ok: false,
      code: 'device_unknown',
    });
  });

  it('sends bytes while the line is free, and refuses them while a device is asked', async () => {
    const line = new BusLine(meters(1, 60_000), () => []).open();
    const raw = { device: 'line', message: '$raw', fields: { data: '0x0006' }, timeoutMs: 1_000 };
    expect(await performCommand(targets(line), raw)).toMatchObject({ ok: false, code: 'link_queue_full' });
    line.clock.advance(600);
    expect(await performCommand(targets(line), raw)).toMatchObject({ ok: true, result: { sent_bytes: 2 } });
  });
});
