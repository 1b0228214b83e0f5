import { describe, expect, it } from 'vitest';
import {
  SHARDS,
  shardOfTopic,
  shardOfUnit,
  shardsOfPattern,
  unitOfTopic,
} from '../../src/backplane/core/shards.ts';
import { doubted } from '../../src/backplane/core/shown.ts';

const DOUBT = { reason: 'owner_lost', detail: 'the instance north is gone', since: 5 } as const;
const WHY = { reason: 'owner_lost', detail: 'the instance north is gone' };

describe('what is shown while nothing is known of an owner', () => {
  it.each([
    ['online', 'stale'],
    ['registering', 'stale'],
    ['stale', 'stale'],
    ['away', 'stale'],
    ['offline', 'unknown'],
    ['unknown', 'unknown'],
  ])('a device that was %s is %s', (status, shown) => {
    const document = { device: 'a', status, since: 1, link: { status: 'connected' } };
    expect(doubted('devices/a/state', document, DOUBT)).toEqual({
      device: 'a',
      status: shown,
      since: 5,
      link: { status: 'connected', ...WHY },
      ...WHY,
    });
  });

  it('every value is stale', () => {
    const document = { status: 'online', values: { t: { a: 1, b: { c: 2 } } }, quality: { 't.a': 'warn' } };
    expect(doubted('devices/a/state', document, DOUBT)?.quality).toEqual({
      't.a': 'stale',
      't.b.c': 'stale',
    });
  });

  it('what is encrypted is not shown', () => {
    expect(doubted('devices/a/state', { $jwe: 'x' }, DOUBT)).toBeUndefined();
  });

  it('a line and an instance say why, and counts stay', () => {
    expect(doubted('buses/b/state', { link: { status: 'connected' } }, DOUBT)).toEqual({
      link: { status: 'connected', ...WHY },
    });
    expect(doubted('bridge/north/status', { version: '1' }, DOUBT)).toEqual({
      version: '1',
      lost: { ...WHY, since: 5 },
    });
    expect(doubted('devices/a/stats', { frames_in: 1 }, DOUBT)).toEqual({ frames_in: 1 });
  });
});

describe('the shards', () => {
  it.each([
    ['devices/psu-1/state', 'psu-1'],
    ['devices/psu-1/messages', 'psu-1'],
    ['buses/line/state', 'bus line'],
    ['bridge/north/status', ''],
    ['clients', ''],
  ])('%s belongs to the unit %j', (topic, unit) => {
    expect(unitOfTopic(topic)).toBe(unit);
    if (unit !== '') expect(shardOfTopic(topic)).toBe(shardOfUnit(unit));
  });

  it.each(['devices/psu-1/state', 'devices/psu-1/#', 'devices/psu-1/+'])(
    'of %s are that of the device',
    (pattern) => {
      expect(shardsOfPattern(pattern)).toEqual([shardOfUnit('psu-1')]);
    },
  );

  it.each(['#', 'devices/#', 'devices/+/state', '+/psu-1/#'])(
    'of %s cover every topic under it',
    (pattern) => {
      const shards = new Set(shardsOfPattern(pattern));
      expect(shards.has(shardOfTopic('devices/psu-1/state'))).toBe(true);
      if (!pattern.includes('psu-1')) expect(shards.size).toBe(SHARDS);
    },
  );

  it('are used about equally', () => {
    const counts = new Array<number>(SHARDS).fill(0);
    for (let at = 0; at < 6_400; at++) {
      const shard = shardOfUnit(`device-${at}`);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(200);
    expect(Math.min(...counts)).toBeGreaterThan(40);
  });

  it('never change: other instances and versions rely on them', () => {
    expect(['psu-1', 'tracker', '490154203237518'].map(shardOfUnit)).toMatchInlineSnapshot(`
      [
        34,
        13,
        58,
      ]
    `);
  });
});
