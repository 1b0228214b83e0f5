import { describe, expect, it } from 'vitest';
import { SharedWorld } from '../support/shared-world.ts';

describe('a device that is taken out of a configuration', () => {
  it('is given back once all that was said of it is published, also where the server was away', async () => {
    const world = new SharedWorld();
    const units = ['a', 'b'];
    const north = world.start('north', units);
    const south = world.start('south', []);
    for (let second = 0; second < 2; second++) await world.second();
    expect(south.store.document('devices/a/state')).toMatchObject({ status: 'unknown' });
    const seen: unknown[] = [];
    south.store.listen((change) => change.kind === 'event' && seen.push(change.data));
    world.server.stop();
    await world.pass(500);
    north.shared.gate.publishEvent('devices/a/messages', { n: 1 });
    north.shared.gate.removeState('devices/a/state');
    units.shift();
    world.server.restart();
    for (let second = 0; second < 6; second++) await world.second();
    expect([south.store.document('devices/a/state'), seen]).toEqual([undefined, [{ n: 1 }]]);
    expect([north.shared.owns('a'), north.shared.owns('b')]).toEqual([false, true]);
  });
});
