import { describe, expect, it } from 'vitest';
import { withoutRaw } from '../../src/feed/core/variants.ts';
import { SharedWorld } from '../support/shared-world.ts';

describe('messages of a device of another instance', () => {
  it('come whole, so that each subscriber gets them with or without raw as it asked', async () => {
    const world = new SharedWorld();
    const north = world.start('north');
    await world.second();
    const south = world.start('south', []);
    await world.second();
    const seen: unknown[] = [];
    south.store.listen((change) => {
      if (change.kind === 'event') seen.push(change.data, withoutRaw(change));
    });
    const data = { message: 'line', fields: { volts: 3.1 }, raw: { volts: 31 } };
    north.shared.gate.publishEvent('devices/a/messages', data);
    await world.second();
    expect(seen).toMatchObject([data, { data: { message: 'line', fields: { volts: 3.1 } } }]);
    expect(JSON.stringify(seen[1])).not.toContain('raw');
  });
});
