import { describe, expect, it } from 'vitest';
import { BridgeFace } from '../../support/bridge-face.ts';
import { ModelHistory } from '../../support/model-history.ts';
import { ReturningClient } from '../../support/returning-client.ts';
import { ThrottlingProxy } from '../../support/throttling-proxy.ts';

const EVENTS = 'devices/d0/messages';
const TOPICS = ['devices/#'];

/** How to get to a bridge over each transport, through these ports. */
const DOORS = {
  websocket: ({ port }: { port: number }) => `ws://127.0.0.1:${port}/ws`,
  json_lines: ({ linesPort }: { linesPort: number }) => `tcp://127.0.0.1:${linesPort}`,
  sse: ({ port }: { port: number }) => `http://127.0.0.1:${port}`,
} as const;
const urls = (ports: { port: number; linesPort: number }): string[] =>
  Object.values(DOORS).map((urlOf) => urlOf(ports));

function present(face: BridgeFace): Record<string, unknown> {
  return Object.fromEntries(
    face.store.documents('devices/#').map(({ topic, document }) => [topic, document]),
  );
}

/** What happens in this life of a bridge, from now on. */
function witness({ store }: BridgeFace): readonly [string, ModelHistory] {
  const history = new ModelHistory();
  store.listen((change) => history.note(change));
  return [store.epoch, history];
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

const synced = async (clients: readonly ReturningClient[]): Promise<void> => {
  await expect.poll(() => clients.every((client) => client.synced), { timeout: 30_000 }).toBe(true);
};

/** They know what there is and what they missed, and no position that they got was too high. */
async function converged(
  face: BridgeFace,
  clients: readonly ReturningClient[],
  lastEvent?: number,
): Promise<void> {
  for (const client of clients) {
    await expect.poll(() => client.documents(), { timeout: 20_000 }).toEqual(present(face));
    if (lastEvent !== undefined)
      await expect.poll(() => client.unaccounted(EVENTS, lastEvent), { timeout: 20_000 }).toEqual([]);
    expect(client.breaches).toEqual([]);
    expect(client.checked).toBeGreaterThanOrEqual(client.modes.length);
  }
}

describe('subscribers behind a weak network, over every transport', () => {
  it('converge after delay, resets, cuts and cables pulled; no event is lost without a word, none sent twice', async () => {
    await using face = await BridgeFace.open();
    const truth = new Map([witness(face)]);
    const weak = { delayMs: 5, bytesPerSecond: 400_000 };
    await using http = await ThrottlingProxy.start(face.port, weak);
    await using lines = await ThrottlingProxy.start(face.linesPort, weak);
    const proxies = [http, lines];
    const clients = [...Array(4).keys()].flatMap(() =>
      urls({ port: http.port, linesPort: lines.port }).map(
        (url) => new ReturningClient({ url, topics: TOPICS, truth }),
      ),
    );
    try {
      await synced(clients);
      const last = await weather(face, clients, 200, async (round) => {
        if (round % 40 === 0) for (const proxy of proxies) proxy.reset();
        else if (round % 40 === 20) {
          // Every second blow comes once all had found their way back; the others come when they come.
          await synced(clients);
          for (const proxy of proxies) proxy.cut();
        } else if (round % 70 === 30) {
          for (const proxy of proxies) proxy.halfOpen();
          for (const client of clients) client.giveUp();
        }
      });
      await converged(face, clients, last);
      for (const { modes } of clients) {
        expect(modes.length).toBeGreaterThanOrEqual(5);
        expect(new Set(modes.slice(1))).toEqual(new Set(['since']));
      }
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  });

  it('that come back as a herd, again and again, all converge, and a restart is noticed', async () => {
    const first = await BridgeFace.open({ epoch: 'life-1' });
    const truth = new Map([witness(first)]);
    const { port, linesPort } = first;
    for (let device = 0; device < 50; device++)
      first.store.publishState(`devices/d${device}/state`, { device });
    const clients = [...Array(50).keys()].flatMap(() =>
      urls(first).map((url) => new ReturningClient({ url, topics: TOPICS, truth })),
    );
    try {
      await synced(clients);
      for (let storm = 0; storm < 3; storm++) {
        first.store.publishState('devices/d7/state', { storm });
        first.store.removeState(`devices/d${10 + storm}/state`);
        for (const client of clients) client.giveUp();
        await expect
          .poll(() => clients.every(({ modes }) => modes.length === storm + 2), { timeout: 30_000 })
          .toBe(true);
        await synced(clients);
      }
      expect(new Set(clients.map(({ modes }) => modes.join()))).toEqual(new Set(['full,since,since,since']));
      await converged(first, clients);
      await first[Symbol.asyncDispose]();
      await using second = await BridgeFace.open({ port, linesPort, epoch: 'life-2' });
      truth.set(...witness(second));
      second.store.publishState('devices/other/state', { life: 2 });
      await synced(clients);
      await converged(second, clients);
      for (const client of clients) {
        expect(client.modes.at(-1)).toBe('full');
        expect(client.codes.at(3)).toBe(4000);
      }
    } finally {
      for (const client of clients) client[Symbol.dispose]();
      await first[Symbol.asyncDispose]();
    }
  });
});
