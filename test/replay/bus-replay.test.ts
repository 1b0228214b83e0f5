import { describe, expect, it } from 'vitest';
import { FeedStore } from '../../src/feed/index.ts';
import { metaOf } from '../../src/recording/trace-meta.ts';
import { Replay } from '../../src/replay/index.ts';
import { BusLine, meters, modbus } from '../support/bus-line.ts';

const protocol = modbus();
const answer = (address: number, power: number): Uint8Array =>
  protocol.at(address).encodeReply('read', 0, { power });

describe('the trace of a bus', () => {
  it('gives the states that there were, and values to none but the devices that were asked', () => {
    const config = meters(3, 1_000);
    const line = new BusLine(config, (request, nth) =>
      request[0] === 2 && nth > 2
        ? []
        : [
            {
              afterMs: 30,
              bytes:
                request[1] === 6 ? request : answer(request[0] ?? 0, 100 * (request[0] ?? 0) + (nth % 90)),
            },
          ],
    );
    line.open();
    line.clock.advance(4_000);
    line.command(1, 'm3', 'write', { at: 4, value: 9 });
    line.clock.advance(20_000);
    const [bus] = config.buses ?? [];
    if (bus === undefined) throw new Error('There is no bus.');
    const members = config.devices.flatMap((device) =>
      device.kind === 'bus' ? [{ device: device.id, address: device.address, session: device.session }] : [],
    );
    const meta = metaOf({
      settings: bus.session,
      dialIn: false,
      line: 'serial',
      maxFrame: bus.maxFrame,
      timeZone: 'UTC',
      knownBy: 'address',
      members,
    });
    const store = new FeedStore({ epoch: 'e' });
    const replay = new Replay({ store, startMs: Date.UTC(2026, 0, 1), messages: modbus() });
    const device = replay.device({ startMs: Date.UTC(2026, 0, 1), meta }, 'line', 'line.trace');
    for (const event of line.recorded) replay.play(device, event);
    for (const id of ['m1', 'm2', 'm3']) {
      const { link, since: _, declaration: __, ...then } = line.state(id) ?? {};
      const now = store.document(`devices/${id}/state`);
      expect({ ...now, detail: undefined }).toMatchObject({ ...then, detail: undefined });
      expect(now?.replay).toBe(true);
      expect(link).toMatchObject({ status: 'connected', bus: 'line' });
    }
    expect(store.document('devices/m2/state')).toMatchObject({ status: 'offline', reason: 'silent' });
    expect(store.document('devices/m3/state')).toMatchObject({ values: { write: { at: 4, value: 9 } } });
    expect(store.document('buses/line/state')).toMatchObject({
      bus: 'line',
      devices: ['m1', 'm2', 'm3'],
      replay: true,
    });
  });
});
