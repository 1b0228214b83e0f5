import { describe, expect, it } from 'vitest';
import { FeedStore } from '../../src/feed/core/store.ts';
import { DeviceList, KEPT_MS, LARGEST_FRESH } from '../../src/server/http/device-list.ts';
import { FakeClock } from '../support/fake-clock.ts';

function world(devices: number, filler = '') {
  const store = new FeedStore({ epoch: 'e' });
  const clock = new FakeClock();
  for (let at = 0; at < devices; at++) {
    const device = `d${String((at * 7_919) % devices).padStart(5, '0')}`;
    store.publishState(`devices/${device}/state`, { device, filler });
    store.publishState(`devices/${device}/stats`, { at });
  }
  return { store, clock, list: new DeviceList(store, clock) };
}

const read = async (list: DeviceList) => {
  const { pieces, etag } = await list.latest();
  const parsed: { position: object; devices: { device: string }[] } = JSON.parse(
    Buffer.concat(pieces).toString(),
  );
  return { ...parsed, etag };
};

describe('the list of devices', () => {
  it('is rendered once for all who ask, with turns of the loop between', async () => {
    const { list, store } = world(5_000, 'x'.repeat(1_000));
    const position = store.position();
    let turns = 0;
    let next = setImmediate(function again() {
      turns++;
      next = setImmediate(again);
    });
    const [first, second] = [list.latest(), list.latest()];
    expect(second).toBe(first);
    // What changes meanwhile is told twice, never missed.
    store.publishState('devices/d04999/state', { device: 'd04999', changed: true });
    store.publishState('devices/new/state', { device: 'new' });
    store.removeState('devices/d04998/state');
    const body = await first;
    clearImmediate(next);
    expect(turns).toBeGreaterThan(1);
    expect(await second).toBe(body);
    const told = await read(list);
    expect(told.position).toEqual(position);
    const ids = told.devices.map(({ device }) => device);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(4_999);
  });

  it('is at most a second old where it is long', async () => {
    const { list, store, clock } = world(LARGEST_FRESH + 1);
    const before = await list.latest();
    store.publishState('devices/d00001/state', { device: 'd00001', changed: true });
    clock.advance(KEPT_MS - 1);
    expect(await list.latest()).toBe(before);
    clock.advance(1);
    expect((await list.latest()).etag).not.toBe(before.etag);
    expect((await read(list)).devices[1]).toEqual({ device: 'd00001', changed: true });
  });

  it('is that of now where it is short, and the same bytes while nothing changes', async () => {
    const { list, store } = world(LARGEST_FRESH);
    const before = await list.latest();
    expect(await list.latest()).toBe(before);
    store.publishState('devices/d00001/stats', { at: -1 });
    expect((await list.latest()).pieces).toBe(before.pieces);
    store.publishState('devices/d00001/state', { device: 'd00001', changed: true });
    expect((await read(list)).devices[1]).toEqual({ device: 'd00001', changed: true });
  });

  it('of no devices is an empty one', async () => {
    expect(await read(world(0).list)).toEqual({ position: { e: 0 }, devices: [], etag: 'W/"e.0.0"' });
  });
});
