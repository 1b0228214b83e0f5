import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { EventChange } from '../../src/feed/core/change.ts';
import type { Gap } from '../../src/feed/core/event-log.ts';
import { missingOf } from '../../src/feed/core/past-events.ts';
import { HistoryWorld } from '../support/history-world.ts';

const LIMIT = { timeout: 40_000, interval: 20 };
/** More than the feed holds of one topic. */
const ALARMS = 1_400;

let world: HistoryWorld;
beforeEach(async () => {
  world = await new HistoryWorld().open();
  await world.start();
  await vi.waitFor(() => expect(world.device.connected).toBe(true), LIMIT);
});
afterEach(() => world[Symbol.asyncDispose]());

interface Message {
  readonly type: string;
  readonly payload?: {
    readonly topic?: string;
    readonly seq?: number;
    readonly data?: { readonly value?: number };
    readonly position?: object;
    readonly mode?: string;
  };
}

/** What a subscriber of the alarms gets until it is in sync. */
async function subscribed(since?: object): Promise<readonly Message[]> {
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}/ws`);
  const got: Message[] = [];
  socket.on('message', (data) => got.push(JSON.parse(String(data))));
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', id: 's', topics: ['devices/meter/alarms'], since }));
  await vi.waitFor(() => expect(got.map(({ type }) => type)).toContain('synced'), LIMIT);
  socket.close();
  await once(socket, 'close');
  return got.slice(0, got.findIndex(({ type }) => type === 'synced') + 1);
}

describe('a subscriber that was away while more happened than the feed holds', { timeout: 90_000 }, () => {
  it('gets all of it from the history, in order and once, without a gap', async () => {
    const before = (await subscribed()).at(-1)?.payload?.position;
    expect(before).toBeDefined();
    for (let each = 0; each < ALARMS / 2; each++) world.device.say(`${31 + each},idle\n20,idle`);
    await vi.waitFor(async () => {
      const { points = [] } = (await world.get('values?device=meter&field=line.volts&points=all')).body;
      expect(points).toHaveLength(ALARMS);
    }, LIMIT);
    const got = await subscribed(before);
    expect(got.filter(({ type }) => type === 'gap')).toEqual([]);
    expect(got.at(-1)?.payload?.mode).toBe('since');
    const alarms = got.filter(({ payload }) => payload?.topic === 'devices/meter/alarms');
    expect(alarms.map(({ payload }) => payload?.seq)).toEqual(
      Array.from({ length: ALARMS }, (_, index) => index + 1),
    );
    expect(alarms[2]?.payload?.data?.value).toBe(32);
    // The position that it is given now misses nothing, and has nothing twice.
    expect(
      (await subscribed(got.at(-1)?.payload?.position)).filter(({ payload }) => payload?.topic !== undefined),
    ).toEqual([]);
  });
});

describe('what is missing of a gap', () => {
  const gap: Gap = { topic: 't', fromSeq: 3, toSeq: 9, rev: 10, reason: 'expired' };
  const events = (...seqs: number[]) =>
    seqs.map((seq): EventChange => ({ kind: 'event', id: '', topic: 't', rev: 100 + seq, seq, data: {} }));
  it.each<[number[], (readonly [number, number])[]]>([
    [[], [[3, 9]]],
    [[3, 4, 5, 6, 7, 8, 9], []],
    [
      [5, 6],
      [
        [3, 4],
        [7, 9],
      ],
    ],
    [[3, 9], [[4, 8]]],
    [[9], [[3, 8]]],
  ])('where %j are there is %j', (seqs, missing) => {
    expect(missingOf(gap, events(...seqs)).map(({ fromSeq, toSeq }) => [fromSeq, toSeq])).toEqual(missing);
  });
});
