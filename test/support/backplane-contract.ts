import { afterEach, describe, expect, test } from 'vitest';
import type { Backplane, Lease, Part } from '../../src/backplane/core/backplane.ts';
import { SHARDS, shardOfTopic, shardOfUnit } from '../../src/backplane/core/shards.ts';

/** What instances share, and how it fails. */
export interface BackplaneWorld extends AsyncDisposable {
  /** Not started yet; `entries` of each shard are kept at the least. */
  make(life: string): Backplane;
  /** The server ends, and is there again; `empty`: with nothing that it had. */
  stop(): Promise<void>;
  restart(empty: boolean): Promise<void>;
  /** So much time passes for the server. */
  pass(ms: number): Promise<void>;
  readonly nowMs: () => number;
}

const UNIT = 'psu-1';
const SHARD = shardOfUnit(UNIT);
const TOPIC = 'devices/psu-1/state';
const LEASE_MS = 600_000;
const NOTHING: readonly undefined[] = Array.from({ length: SHARDS });

const partOf = (lease: Pick<Lease, 'token'>, changes: string, text?: string): Part => ({
  shard: SHARD,
  unit: UNIT,
  token: lease.token,
  changes,
  documents: text === undefined ? [] : [{ topic: TOPIC, text }],
  removed: [],
});

/** One suite for every backplane: whoever implements the port passes it. */
export function backplaneContract(
  name: string,
  makeWorld: (entries: number) => Promise<BackplaneWorld>,
): void {
  describe(`the contract of a backplane: ${name}`, () => {
    const open: AsyncDisposable[] = [];
    afterEach(async () => {
      for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
    });

    const worldOf = async (entries = 4_096) => {
      const world = await makeWorld(entries);
      open.push(world);
      const client = async (life: string) => {
        const backplane = world.make(life);
        const states: string[] = [];
        let wake: (() => void) | undefined;
        const note = (state: string): void => {
          states.push(state);
          wake?.();
        };
        const until = async (state: string, times = 1): Promise<void> => {
          while (states.filter((each) => each === state).length < times)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        };
        open.push({ [Symbol.asyncDispose]: async () => backplane.close() });
        await backplane.start({ up: () => note('up'), down: () => note('down') });
        await until('up');
        const renew = (begins = false, leaseMs = LEASE_MS) =>
          backplane.renew({ begins, leaseMs, known: NOTHING });
        /** The life is over, unless it is renewed. */
        const expire = async (): Promise<void> => {
          await renew(false, 1);
          await world.pass(50);
        };
        await renew(true);
        const [lease] = [async () => (await backplane.lease([UNIT]))[0] as Lease];
        return { backplane, until, renew, expire, lease };
      };
      return { world, client };
    };

    test('a unit has one owner, whose life is named to all others', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      const mine = await north.lease();
      expect(mine).toMatchObject({ unit: UNIT, life: 'north/1' });
      expect(mine.token).toBeGreaterThan(0);
      expect(await south.lease()).toEqual({ unit: UNIT, token: 0, life: 'north/1' });
      expect(await north.lease()).toMatchObject({ unit: UNIT, token: mine.token, life: 'north/1' });
      expect(await south.backplane.ownerOf(UNIT)).toBe('north/1');
    });

    test('leases of several units are answered in their order', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      await south.backplane.lease(['b', 'd']);
      const leases = await north.backplane.lease(['a', 'b', 'c', 'd', 'bus line']);
      expect(leases.map(({ unit, life }) => [unit, life])).toEqual([
        ['a', 'north/1'],
        ['b', 'south/1'],
        ['c', 'north/1'],
        ['d', 'south/1'],
        ['bus line', 'north/1'],
      ]);
    });

    test('what is given back is free, and its next token is higher', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      const mine = await north.lease();
      await south.backplane.release([{ ...mine, life: 'south/1' }]);
      expect((await south.lease()).token).toBe(0);
      await north.backplane.release([mine]);
      expect(await north.backplane.ownerOf(UNIT)).toBeUndefined();
      const next = await south.lease();
      expect(next.life).toBe('south/1');
      expect(next.token).toBeGreaterThan(mine.token);
    });

    test('says of a unit whether it had an owner before, however that ended', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      const mine = await north.lease();
      expect(mine.first).toBe(true);
      expect((await north.lease()).first).not.toBe(true);
      expect((await south.lease()).first).not.toBe(true);
      await north.backplane.release([mine]);
      const next = await south.lease();
      expect([next.life, next.first === true]).toEqual(['south/1', false]);
      await south.expire();
      const last = await north.lease();
      expect([last.life, last.first === true]).toEqual(['north/1', false]);
    });

    test('a life that is not renewed loses its units, and what it publishes then is refused', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      const mine = await north.lease();
      await north.expire();
      expect((await south.renew()).lives).toEqual(['south/1']);
      expect(await north.backplane.ownerOf(UNIT)).toBeUndefined();
      const taken = await south.lease();
      expect(taken.token).toBeGreaterThan(mine.token);
      await north.renew();
      expect(await north.backplane.publish([partOf(mine, '["old"]', '{"old":1}')])).toEqual([false]);
      expect(await south.backplane.publish([partOf(taken, '["new"]', '{"new":1}')])).toEqual([true]);
      const texts: string[] = [];
      await north.backplane.snapshot(SHARD, (some) => texts.push(...some.map(({ text }) => text)));
      expect(texts).toEqual(['{"new":1}']);
    });

    test('a life that was not renewed in time takes no unit', async () => {
      const { client } = await worldOf();
      const north = await client('north/1');
      await north.expire();
      expect((await north.lease()).token).toBe(0);
      await north.renew();
      expect((await north.lease()).token).toBeGreaterThan(0);
    });

    test('an instance that starts again takes over from its former life at once', async () => {
      const { client } = await worldOf();
      const first = await client('north/1');
      const mine = await first.lease();
      const second = await client('north/2');
      expect((await first.renew()).superseded).toBe(true);
      expect((await second.lease()).token).toBeGreaterThan(mine.token);
      expect(await first.backplane.publish([partOf(mine, '[]')])).toEqual([false]);
      expect((await second.renew()).lives).toEqual(['north/2']);
    });

    test('a life that ends is not there any more, and its units are free', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      await north.lease();
      await north.backplane.end();
      expect((await south.renew()).lives).toEqual(['south/1']);
      expect((await south.lease()).token).toBeGreaterThan(0);
    });

    test('what is published comes to a reader in its order, and stands in the snapshot', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      const lease = await north.lease();
      const before = await south.backplane.snapshot(SHARD, () => undefined);
      const reading = south.backplane.readSince({ revs: new Map([[SHARD, before.rev]]), letter: '' }, 60_000);
      await north.backplane.publish([partOf(lease, '["a"]', '{"v":1}'), partOf(lease, '["b"]', '{"v":2}')]);
      const first = (await reading).entries.get(SHARD) ?? [];
      const last = first.at(-1)?.rev ?? 0;
      const more = await south.backplane.readSince({ revs: new Map([[SHARD, last]]), letter: '' }, 0);
      const all = [...first, ...(more.entries.get(SHARD) ?? [])];
      expect(all.map(({ changes, unit, life }) => [changes, unit, life])).toEqual([
        ['["a"]', UNIT, 'north/1'],
        ['["b"]', UNIT, 'north/1'],
      ]);
      expect(all.map(({ rev }) => rev - before.rev)).toEqual([1, 2]);
      expect(all.every(({ epoch }) => epoch === before.epoch)).toBe(true);
      const texts = new Map<string, string>();
      const after = await south.backplane.snapshot(SHARD, (some) => {
        for (const { topic, text } of some) texts.set(topic, text);
      });
      expect([...texts]).toEqual([[TOPIC, '{"v":2}']]);
      expect(after.rev).toBe(before.rev + 2);
    });

    test('a document that is removed is in no snapshot', async () => {
      const { client } = await worldOf();
      const north = await client('north/1');
      const lease = await north.lease();
      await north.backplane.publish([partOf(lease, '[]', '{}')]);
      await north.backplane.publish([{ ...partOf(lease, '[]'), removed: [TOPIC] }]);
      let count = 0;
      await north.backplane.snapshot(SHARD, (some) => {
        count += some.length;
      });
      expect(count).toBe(0);
    });

    test('what belongs to the instance itself needs no lease', async () => {
      const { client } = await worldOf();
      const north = await client('north/1');
      const shard = shardOfTopic('bridge/north/status');
      const part: Part = { shard, unit: '', token: 0, changes: '["s"]', documents: [], removed: [] };
      expect(await north.backplane.publish([part])).toEqual([true]);
      await client('north/2');
      expect(await north.backplane.publish([part])).toEqual([false]);
    });

    test('a large snapshot comes whole', async () => {
      const { client } = await worldOf();
      const north = await client('north/1');
      const lease = await north.lease();
      const documents = Array.from({ length: 3_000 }, (_, i) => ({
        topic: `devices/psu-1/x${i}`,
        text: `${i}`,
      }));
      await north.backplane.publish([{ ...partOf(lease, '[]'), documents }]);
      const seen = new Map<string, string>();
      await north.backplane.snapshot(SHARD, (some) => {
        for (const { topic, text } of some) seen.set(topic, text);
      });
      expect(seen.size).toBe(3_000);
      expect(seen.get('devices/psu-1/x2999')).toBe('2999');
    });

    test('a reader that is too far behind finds a hole, never a wrong order', async () => {
      const { client } = await worldOf(100);
      const north = await client('north/1');
      const lease = await north.lease();
      const { rev } = await north.backplane.snapshot(SHARD, () => undefined);
      for (let round = 0; round < 10; round++)
        await north.backplane.publish(
          Array.from({ length: 100 }, (_, at) => partOf(lease, `[${round},${at}]`)),
        );
      const { entries } = await north.backplane.readSince({ revs: new Map([[SHARD, rev]]), letter: '' }, 0);
      const [first] = entries.get(SHARD) ?? [];
      expect(first?.rev).toBeGreaterThan(rev + 1);
    });

    test('a call comes to the life that it is for, once, and in order', async () => {
      const { world, client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      const soon = world.nowMs() + 60_000;
      expect(await south.backplane.call('north/1', 'first', soon)).toBe(true);
      expect(await south.backplane.call('north/1', 'second', soon)).toBe(true);
      expect(await south.backplane.call('north/0', 'lost', soon)).toBe(false);
      expect(await south.backplane.call('north/1', 'late', world.nowMs() - 60_000)).toBe(false);
      const { letters } = await north.backplane.readSince({ revs: new Map(), letter: '' }, 0);
      expect(letters.map(({ text }) => text)).toEqual(['first', 'second']);
      const after = await north.backplane.readSince({ revs: new Map(), letter: letters.at(-1)?.id ?? '' }, 0);
      expect(after.letters).toEqual([]);
      expect((await south.backplane.readSince({ revs: new Map(), letter: '' }, 0)).letters).toEqual([]);
    });

    test('a letter ends the waiting of its reader', async () => {
      const { world, client } = await worldOf();
      const north = await client('north/1');
      const reading = north.backplane.readSince({ revs: new Map([[SHARD, 0]]), letter: '' }, 60_000);
      await north.backplane.call('north/1', 'wake', world.nowMs() + 60_000);
      expect((await reading).letters).toHaveLength(1);
    });

    test('what a position stands for is kept by its name, and found from every later position', async () => {
      const { client } = await worldOf();
      const [north, south] = [await client('north/1'), await client('south/1')];
      for (const rev of [5, 9, 7, 9]) await north.backplane.keepMark('epoch~1', rev, `at ${rev}`);
      const found = [4, 5, 8, 9, 2 ** 52].map((rev) => south.backplane.markAt('epoch~1', rev));
      expect(await Promise.all(found)).toEqual([undefined, 'at 5', 'at 5', 'at 9', 'at 9']);
      expect(await south.backplane.markAt('epoch', 9)).toBeUndefined();
    });

    test('a server that is away is said at once, and comes back by itself with what it had', async () => {
      const { world, client } = await worldOf();
      const north = await client('north/1');
      const lease = await north.lease();
      await north.backplane.publish([partOf(lease, '[]', '{}')]);
      await world.stop();
      await north.until('down');
      await expect(north.backplane.publish([partOf(lease, '[]')])).rejects.toThrow();
      await world.restart(false);
      await north.until('up', 2);
      await north.renew();
      expect(await north.lease()).toMatchObject({ unit: UNIT, token: lease.token, life: 'north/1' });
    });

    test('a server that lost everything has another epoch in every shard, and lower tokens are no danger', async () => {
      const { world, client } = await worldOf();
      const north = await client('north/1');
      const { shards: before } = await north.renew();
      await north.lease();
      await world.stop();
      await world.restart(true);
      await north.until('up', 2);
      const { shards: after, superseded } = await north.renew();
      expect(superseded).toBe(false);
      for (const [shard, { epoch }] of after.entries()) expect(epoch).not.toBe(before[shard]?.epoch);
      expect(await north.backplane.ownerOf(UNIT)).toBeUndefined();
      expect((await north.lease()).token).toBeGreaterThan(0);
    });
  });
}
