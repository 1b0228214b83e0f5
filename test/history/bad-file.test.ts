import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bridge } from '../../src/app/bridge.ts';
import { openSql } from '../../src/history/sql.ts';
import { HistoryWorld } from '../support/history-world.ts';
import { canMountSmallDisk, mountSmallDisk } from '../support/small-disk.ts';

const LIMIT = { timeout: 60_000, interval: 50 };
const VALUES = 'values?device=meter&field=line.volts';

const canMount = canMountSmallDisk();
const mounted = (dir: string): boolean => mountSmallDisk(dir, 'size=1m');

let world: HistoryWorld;
beforeEach(async () => {
  world = await new HistoryWorld().open();
  mkdirSync(dirname(world.file), { recursive: true });
});
afterEach(() => world[Symbol.asyncDispose]());

const connected = () => vi.waitFor(() => expect(world.device.connected).toBe(true), LIMIT);
const lastValues = async () => ((await world.get(VALUES)).body.points ?? []).map(([, , , last]) => last);
const statusOf = (bridge: Bridge) => bridge.store.document('bridge/status')?.history;
const voltsOf = (bridge: Bridge): unknown =>
  Object(Object(bridge.store.document('devices/meter/state')?.values).line).volts;

describe('a bridge with a history file that is wrong', { timeout: 120_000 }, () => {
  it('leaves one of a later version as it is, says so, and goes on without a history', async () => {
    const later = openSql(world.file);
    later.exec('CREATE TABLE theirs (x)');
    later.exec('PRAGMA user_version = 99');
    later.close();
    const before = readFileSync(world.file);
    const bridge = await world.start();
    await connected();
    world.device.say('21,idle');
    await vi.waitFor(() => expect(voltsOf(bridge)).toBe(21), LIMIT);
    expect(await world.get(VALUES)).toMatchObject({ status: 503, body: { code: 'history_newer' } });
    expect(world.log.filter(({ code }) => code === 'history_newer')).toHaveLength(1);
    await world.stop();
    expect(readFileSync(world.file).equals(before)).toBe(true);
  });

  it('sets a damaged one aside, says where it is, and begins a new one', async () => {
    await world.start();
    await connected();
    world.device.say('1,idle');
    await vi.waitFor(async () => expect(await lastValues()).toEqual([1]), LIMIT);
    await world.stop();
    writeFileSync(world.file, readFileSync(world.file).fill(0xaa, 100, 6_000));
    const damaged = readFileSync(world.file);
    await world.start();
    await connected();
    world.device.say('2,idle');
    await vi.waitFor(async () => expect(await lastValues()).toEqual([2]), LIMIT);
    const [aside = ''] = readdirSync(dirname(world.file)).filter((name) => name.includes('.damaged-'));
    expect(readFileSync(join(dirname(world.file), aside)).equals(damaged)).toBe(true);
    expect(world.log.find(({ code }) => code === 'history_damaged')?.text).toContain(aside);
    const { events = [] } = (await world.get('events?kind=bridge&from=-1h')).body;
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'history_replaced', set_aside: join(dirname(world.file), aside) }),
    );
  });
});

describe.runIf(canMount)('a bridge whose disk is full', { timeout: 120_000 }, () => {
  beforeEach(() => expect(mounted(dirname(world.file))).toBe(true));
  afterEach(async () => {
    await world.stop();
    execFileSync('umount', ['-l', dirname(world.file)]);
  });

  it('goes on without a history, says why, and shows the time as a gap once it writes again', async () => {
    const bridge = await world.start();
    await connected();
    world.device.say('1,idle');
    await vi.waitFor(async () => expect(await lastValues()).toEqual([1]), LIMIT);
    const filler = join(dirname(world.file), 'filler');
    expect(() => writeFileSync(filler, Buffer.alloc(1_100_000))).toThrow('ENOSPC');
    let said = 1;
    const speaks = () => world.device.say(`${++said / 100},idle`);
    await vi.waitFor(() => {
      speaks();
      expect(statusOf(bridge)).toMatchObject({ state: 'stopped', reason: 'history_disk_full' });
    }, LIMIT);
    const shown = voltsOf(bridge);
    await vi.waitFor(() => {
      speaks();
      expect(voltsOf(bridge)).not.toBe(shown);
    }, LIMIT);
    rmSync(filler);
    await vi.waitFor(async () => {
      speaks();
      expect(statusOf(bridge)).toMatchObject({ state: 'running', dropped: expect.any(Number) });
      const { gaps = [] } = (await world.get(VALUES)).body;
      expect(gaps.map(([, , reason]) => reason)).toContain('history_disk_full');
    }, LIMIT);
    expect(world.log.map(({ code }) => code)).toContain('history_disk_full');
  });
});
