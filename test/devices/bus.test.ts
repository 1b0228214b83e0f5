import { describe, expect, it } from 'vitest';
import { BusLine, meters, modbus, type Slaves } from '../support/bus-line.ts';

const protocol = modbus();
const ANSWER_MS = 30;

const power = (address: number, value: number): Uint8Array =>
  protocol.at(address).encodeReply('read', 0, { power: value });
const exception = (address: number): Uint8Array =>
  protocol.at(address).encode('exception', { fn: 0x84, code: 2 });

/** Answers as a slave that is well. */
const well = (request: Uint8Array, nth: number): Uint8Array =>
  request[1] === 4 ? power(request[0] ?? 0, 100 * (request[0] ?? 0) + (nth % 100)) : request;

const slaves =
  (odd: (address: number) => 'dead' | 'exception' | 'garbage' | 'well'): Slaves =>
  (request, nth) => {
    const address = request[0] ?? 0;
    switch (odd(address)) {
      case 'dead':
        return [];
      case 'exception':
        return [{ afterMs: ANSWER_MS, bytes: exception(address) }];
      case 'garbage':
        return [{ afterMs: ANSWER_MS, bytes: Uint8Array.from([nth, 0x55, 0xaa, nth * 7, 0, 0x91]) }];
      case 'well':
        return [{ afterMs: ANSWER_MS, bytes: well(request, nth) }];
    }
  };

describe('a bus of eight meters', () => {
  it('asks all of them at the same rate, one request at a time', () => {
    const line = new BusLine(
      meters(8),
      slaves(() => 'well'),
    ).open();
    line.clock.advance(30_000);
    const counts = [1, 2, 3, 4, 5, 6, 7, 8].map((address) => line.times(address).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(59);
    for (const [index, { at }] of line.asked.entries()) {
      const next = line.asked[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      // The reply, and 20 ms of silence.
      expect(next - at).toBeGreaterThanOrEqual(ANSWER_MS + 20);
    }
    for (let address = 1; address <= 8; address++) {
      const state = line.state(`m${address}`);
      expect(state?.status).toBe('online');
      expect(state?.link).toMatchObject({ status: 'connected', bus: 'line' });
      const { power: value = 0 } = (state?.values?.read ?? {}) as { power?: number };
      expect(Math.floor(value / 100)).toBe(address);
    }
    expect(line.documents.get('buses/line/state')).toMatchObject({
      bus: 'line',
      link: { status: 'connected', address: '/dev/ttyS9' },
      devices: ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8'],
      wrong_device: 0,
    });
  });

  it('loses at most 5 % of the polls of five where one is dead, one refuses and one sends garbage', () => {
    const kinds = ['well', 'well', 'dead', 'well', 'exception', 'well', 'garbage', 'well'] as const;
    const line = new BusLine(
      meters(8),
      slaves((address) => kinds[address - 1] ?? 'well'),
    ).open();
    line.clock.advance(9_000);
    expect(line.state('m3')?.status).toBe('unknown');
    expect(line.state('m3')?.reason).toBeUndefined();
    line.clock.advance(51_000);
    for (const [index, kind] of kinds.entries()) {
      if (kind !== 'well') continue;
      expect(line.times(index + 1).length).toBeGreaterThanOrEqual(120 * 0.95);
      expect(line.state(`m${index + 1}`)?.status).toBe('online');
    }
    expect(line.state('m3')).toMatchObject({ status: 'unknown', reason: 'silent' });
    expect(line.state('m5')).toMatchObject({ status: 'online' });
    expect(line.state('m7')).toMatchObject({ status: 'unknown', reason: 'silent' });
    expect(line.runners.get('m5')?.reading.counts.error_replies).toBeGreaterThan(100);
    // They are asked all the same, so that they are found when they come back.
    expect(line.times(3).length).toBeGreaterThanOrEqual(3);
    expect(line.times(3).length).toBeLessThan(30);
  });

  it('says within its time that a meter is gone, and is back', () => {
    let dead = false;
    const line = new BusLine(
      meters(8),
      slaves((address) => (address === 3 && dead ? 'dead' : 'well')),
    ).open();
    line.clock.advance(5_000);
    dead = true;
    const lastAt = line.now;
    line.clock.advance(9_000);
    expect(line.state('m3')?.status).toBe('online');
    line.clock.advance(2_000);
    const gone = line.state('m3');
    expect(gone).toMatchObject({ status: 'offline', reason: 'silent', link: { status: 'connected' } });
    expect((gone?.since ?? 0) - (line.clock.now().wallMs - line.now) - lastAt).toBeLessThanOrEqual(10_100);
    dead = false;
    line.clock.advance(31_000);
    expect(line.state('m3')?.status).toBe('online');
    for (const address of [1, 2, 4, 5, 6, 7, 8]) expect(line.state(`m${address}`)?.status).toBe('online');
  });

  it('sends a command within one exchange', async () => {
    const line = new BusLine(
      meters(8, 100),
      slaves(() => 'well'),
    ).open();
    line.clock.advance(3_005);
    const before = line.asked.length;
    line.command(1, 'm6', 'write', { at: 1, value: 7 });
    line.clock.advance(200);
    await Promise.resolve();
    const next = line.asked.slice(before).findIndex(({ fn }) => fn === 6);
    expect(next).toBeLessThanOrEqual(0);
    expect(line.outcomes.get(1)?.outcome).toMatchObject({ ok: true, fields: { at: 1, value: 7 } });
  });

  it('waits for no command longer than for a poll', async () => {
    let dead = false;
    const line = new BusLine(
      meters(3),
      slaves((address) => (address === 2 && dead ? 'dead' : 'well')),
    ).open();
    line.clock.advance(3_000);
    dead = true;
    line.command(1, 'm2', 'write', { at: 1, value: 7 });
    line.clock.advance(600);
    await Promise.resolve();
    expect(line.outcomes.get(1)?.outcome).toMatchObject({ ok: false, code: 'request_timeout' });
  });

  it('refuses a command to a meter that is not online', async () => {
    const line = new BusLine(
      meters(2),
      slaves((address) => (address === 2 ? 'dead' : 'well')),
    ).open();
    line.clock.advance(1_000);
    line.command(1, 'm2', 'write', { at: 1, value: 7 });
    await Promise.resolve();
    expect(line.outcomes.get(1)?.outcome).toMatchObject({ ok: false, code: 'device_not_online' });
  });
});

describe('a frame on a bus', () => {
  it('is of the device whose address it carries, however late it comes', () => {
    // The second meter answers 100 ms behind its time-out, while another one is asked.
    const line = new BusLine(meters(2), (request, nth) =>
      request[0] === 2 && nth === 3
        ? [{ afterMs: 600, bytes: power(2, 299) }]
        : [{ afterMs: 90, bytes: power(request[0] ?? 0, 100 * (request[0] ?? 0)) }],
    ).open();
    line.clock.advance(20_000);
    expect(line.runners.get('m2')?.reading.counts.late_replies).toBe(1);
    const values = line.events.filter(({ topic }) => topic === 'devices/m1/messages');
    for (const { data } of values) expect(data).toMatchObject({ fields: { power: 100 } });
    const late = line.events.filter(({ data }) => 'late' in data);
    expect(late).toMatchObject([
      { topic: 'devices/m2/messages', data: { late: true, fields: { power: 299 } } },
    ]);
    expect(line.state('m2')?.values?.read).toEqual({ power: 200 });
  });

  it('of a slave that answers for another is counted and reported, and no value of either', () => {
    const line = new BusLine(meters(2), (request) =>
      request[0] === 1 ? [{ afterMs: 30, bytes: power(2, 999) }] : [{ afterMs: 30, bytes: power(2, 200) }],
    ).open();
    line.clock.advance(12_000);
    expect(line.state('m1')).toMatchObject({ status: 'unknown', reason: 'silent' });
    expect(line.state('m1')?.detail).toContain('an answer of m2');
    expect(line.state('m2')).toMatchObject({ status: 'online', values: { read: { power: 200 } } });
    expect(line.documents.get('buses/line/state')?.wrong_device).toBeGreaterThan(1);
    expect(line.log).toContain('m2 answered, and m1 was asked');
  });

  it('of an address where no device is configured is counted', () => {
    const line = new BusLine(
      meters(1),
      slaves(() => 'well'),
    ).open();
    line.clock.advance(1_200);
    line.say(power(77, 1));
    expect(line.documents.get('buses/line/state')?.wrong_device).toBe(1);
    expect(line.log).toContain('address 77, where no device is configured spoke and was not asked');
    line.clock.advance(1_000);
    expect(line.state('m1')?.status).toBe('online');
  });
});

describe('the link of a bus', () => {
  it('is that of all its devices: gone, tried again, back', () => {
    const line = new BusLine(
      meters(3),
      slaves(() => 'well'),
    ).open();
    line.clock.advance(2_000);
    line.link.close({ code: 'port_unplugged', detail: 'unplugged' });
    for (const device of ['m1', 'm2', 'm3']) {
      expect(line.state(device)).toMatchObject({
        status: 'offline',
        reason: 'port_unplugged',
        link: { status: 'backoff', bus: 'line', reason: 'port_unplugged', detail: 'unplugged' },
      });
    }
    expect(line.documents.get('buses/line/state')).toMatchObject({ link: { status: 'backoff' } });
    const asked = line.asked.length;
    line.clock.advance(1_100);
    expect(line.asked.length).toBe(asked);
    line.link.connect();
    line.clock.advance(1_000);
    for (const device of ['m1', 'm2', 'm3']) expect(line.state(device)?.status).toBe('online');
  });

  it('is left to the others when one device stops', () => {
    const line = new BusLine(
      meters(3),
      slaves(() => 'well'),
    ).open();
    line.clock.advance(2_010);
    line.runners.get('m2')?.stop();
    const before = line.times(1).length;
    line.clock.advance(2_000);
    expect(line.times(1).length).toBeGreaterThanOrEqual(before + 3);
    expect(line.link.isOpen).toBe(true);
    expect(line.documents.get('buses/line/state')).toMatchObject({ devices: ['m1', 'm3'] });
  });
});
