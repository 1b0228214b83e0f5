import { describe, expect, it } from 'vitest';
import { CallFailure, Calls } from '../../src/backplane/calls.ts';
import { SHARDS } from '../../src/backplane/core/shards.ts';
import { MemoryBackplane, MemoryServer } from '../../src/backplane/memory-backplane.ts';
import type { Json } from '../../src/contract/wire/index.ts';
import { FakeClock } from '../support/fake-clock.ts';

const NOTHING: readonly undefined[] = Array.from({ length: SHARDS });

/** Two instances that read their mailboxes when the test says so. */
async function worldOf() {
  const clock = new FakeClock();
  const server = new MemoryServer(clock);
  const defects: unknown[] = [];
  const instance = async (life: string) => {
    const backplane = new MemoryBackplane(server, life);
    await new Promise<void>((up) => void backplane.start({ up, down: () => undefined }));
    const renewal = await backplane.renew({ begins: true, leaseMs: 60_000, known: NOTHING });
    const calls = new Calls(backplane, life, clock, (cause) => defects.push(cause));
    calls.clockRead(renewal.serverMs);
    let letter = '';
    const read = async (): Promise<number> => {
      const { letters } = await backplane.readSince({ revs: new Map(), letter }, 0);
      letter = letters.at(-1)?.id ?? letter;
      for (const { text } of letters) calls.received(text);
      // What a handler answers is written in later turns.
      await new Promise((resolve) => setImmediate(resolve));
      return letters.length;
    };
    return { calls, read };
  };
  return { clock, server, defects, north: await instance('north/1'), south: await instance('south/1') };
}

async function asked(answer: () => Promise<Json>) {
  const world = await worldOf();
  world.south.calls.handle('what', answer);
  const outcome = world.north.calls.ask('south/1', 'what', {}, 1_000).catch((cause: unknown) => cause);
  await world.south.read();
  const letters = await world.north.read();
  return { ...world, outcome, letters };
}

describe('a call from instance to instance', () => {
  it('brings an answer of any length, a long one in several letters', async () => {
    for (const length of [0, 10, 65_000, 70_000, 1_000_000]) {
      const text = '"\\é'.repeat(length / 3);
      const { outcome, letters, north } = await asked(async () => ({ text }));
      expect(await outcome).toEqual({ text });
      expect(letters > 1).toBe(length > 65_000 / 2);
      expect(north.calls.open).toBe(0);
    }
  });

  it.each([
    ['its handler fails', async () => Promise.reject(new Error('broken')), 1],
    ['its answer is too long', async () => 'x'.repeat(17 * 2 ** 20), 0],
  ] as const)('fails where %s, and says so', async (_, answer, count) => {
    const { outcome, defects } = await asked(answer);
    expect(await outcome).toMatchObject({ why: 'failed', sent: true });
    expect(defects).toHaveLength(count);
  });

  it('ends with its time where a letter of the answer is lost', async () => {
    const world = await worldOf();
    world.south.calls.handle('what', async () => 'x'.repeat(200_000));
    const outcome = world.north.calls.ask('south/1', 'what', {}, 1_000).catch((cause: unknown) => cause);
    await world.south.read();
    world.server.mail.get('north/1')?.splice(1, 1);
    await world.north.read();
    world.clock.advance(1_000);
    expect(await outcome).toBeInstanceOf(CallFailure);
    expect(await outcome).toMatchObject({ why: 'timeout', sent: true });
  });
});
