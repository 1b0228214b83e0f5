import { describe, expect, it } from 'vitest';
import { BridgeFace } from '../../support/bridge-face.ts';
import { ReturningClient } from '../../support/returning-client.ts';
import { ThrottlingProxy } from '../../support/throttling-proxy.ts';

const EVENTS = 'devices/d0/messages';
const TOPICS = ['devices/#'];

function present(face: BridgeFace): Record<string, unknown> {
  return Object.fromEntries(
    face.store.documents('devices/#').map(({ topic, document }) => [topic, document]),
  );
}

/** Changes for a while, as fast as the network carries something of each, with the network doing what it does. */
async function weather(
  face: BridgeFace,
  clients: readonly ReturningClient[],
  rounds: number,
  hit: (round: number) => Promise<void>,
): Promise<number> {
  const heard = () => clients.reduce((sum, client) => sum + client.heard, 0);
  for (let round = 1; round <= rounds; round++) {
    const before = heard();
    for (let device = 0; device < 5; device++) {
      const topic = `devices/d${(round + device) % 20}/state`;
      if ((round + device) % 17 === 0) face.store.removeState(topic);
      else face.store.publishState(topic, { round, text: 'x'.repeat(200) });
    }
    face.store.publishEvent(EVENTS, { round });
    await hit(round);
    await expect.poll(heard, { timeout: 20_000, interval: 1 }).toBeGreaterThan(before);
  }
  return rounds;
}

describe('subscribers behind a weak network', () => {
  it('converge after delay, resets, cuts and cables pulled; no event is lost without a word, none told twice', async () => {
    await using face = await BridgeFace.open();
    await using proxy = await ThrottlingProxy.start(face.port, { delayMs: 5, bytesPerSecond: 400_000 });
    const url = `ws://127.0.0.1:${proxy.port}/ws`;
    const clients = Array.from({ length: 10 }, () => new ReturningClient({ url, topics: TOPICS }));
    try {
      await expect.poll(() => clients.every(({ synced }) => synced), { timeout: 20_000 }).toBe(true);
      const last = await weather(face, clients, 200, async (round) => {
        if (round % 40 === 0) proxy.reset();
        else if (round % 40 === 20) {
          // Every second blow comes once all had found their way back; the others come when they come.
          await expect.poll(() => clients.every(({ synced }) => synced), { timeout: 20_000 }).toBe(true);
          proxy.cut();
        } else if (round % 70 === 30) {
          proxy.halfOpen();
          for (const client of clients) client.giveUp();
        }
      });
      for (const client of clients) {
        await expect.poll(() => client.documents(), { timeout: 20_000 }).toEqual(present(face));
        await expect.poll(() => client.unaccounted(EVENTS, last), { timeout: 20_000 }).toEqual([]);
        expect(client.breaches).toEqual([]);
        expect(client.modes.length).toBeGreaterThanOrEqual(5);
        expect(new Set(client.modes.slice(1))).toEqual(new Set(['since']));
      }
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  });

  it('that come back as a herd, again and again, all converge, and a restart is noticed', async () => {
    const first = await BridgeFace.open({ epoch: 'life-1' });
    const { port } = first;
    for (let device = 0; device < 50; device++)
      first.store.publishState(`devices/d${device}/state`, { device });
    const url = `ws://127.0.0.1:${port}/ws`;
    const clients = Array.from({ length: 150 }, () => new ReturningClient({ url, topics: TOPICS }));
    try {
      await expect.poll(() => clients.every(({ synced }) => synced), { timeout: 30_000 }).toBe(true);
      for (let storm = 0; storm < 3; storm++) {
        first.store.publishState('devices/d7/state', { storm });
        first.store.removeState(`devices/d${10 + storm}/state`);
        for (const client of clients) client.giveUp();
        await expect
          .poll(() => clients.every(({ modes, synced }) => synced && modes.length === storm + 2), {
            timeout: 30_000,
          })
          .toBe(true);
      }
      expect(
        clients.map(({ modes }) => modes.join()).every((modes) => modes === 'full,since,since,since'),
      ).toBe(true);
      for (const client of clients) expect(client.documents()).toEqual(present(first));
      await first[Symbol.asyncDispose]();
      await using second = await BridgeFace.open({ port, epoch: 'life-2' });
      second.store.publishState('devices/other/state', { life: 2 });
      await expect.poll(() => clients.every(({ synced }) => synced), { timeout: 30_000 }).toBe(true);
      for (const client of clients) {
        await expect.poll(() => client.documents()).toEqual(present(second));
        expect(client.modes.at(-1)).toBe('full');
        expect(client.codes.at(3)).toBe(4000);
        expect(client.breaches).toEqual([]);
      }
    } finally {
      for (const client of clients) client[Symbol.dispose]();
      await first[Symbol.asyncDispose]();
    }
  });
});
