import { describe, expect, it } from 'vitest';
import { FeedWorld } from '../../support/feed-world.ts';

describe('pings', () => {
  it('come to each in the second that chance gave it, once in an interval', async () => {
    const chances = [0, 0.5, 0.999, 0.5];
    const random = (): number => chances.shift() ?? 0;
    await using world = await FeedWorld.start({ pingIntervalMs: 4_000, pingTimeoutMs: 1e6, random });
    const pinged: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      const client = await world.client();
      client.socket.on('ping', () => pinged.push(name));
    }
    const seconds: string[][] = [];
    for (const expected of [0, 2, 1, 1, 0, 2, 1, 1]) {
      world.clock.advance(1_000);
      await expect.poll(() => pinged.length).toBe(expected);
      seconds.push(pinged.splice(0).sort());
    }
    const interval = [[], ['b', 'd'], ['c'], ['a']];
    expect(seconds).toEqual([...interval, ...interval]);
  });
});
