import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History } from '../../src/history/history.ts';
import { systemClock } from '../../src/system/clock.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-early-'));
});
afterEach(() => rm(dir, { recursive: true }));

const makeHistory = (): History =>
  new History({
    file: join(dir, 'history.db'),
    epoch: 'e',
    version: 'test',
    keepMs: 86_400_000,
    budgetBytes: 1e9,
    clock: systemClock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    conceals: () => false,
  });

describe('a history with more fields than it may keep', () => {
  it('keeps those that came first, counts the others, and takes new ones in the place of those that are gone', () => {
    const history = makeHistory();
    const record = (id: string, fields: number): void => {
      const values = Object.fromEntries(Array.from({ length: fields }, (_, index) => [`f${index}`, 1]));
      const device = history.observe({ id, fields: undefined, replay: false });
      device?.measured('a', values);
      devices.push(device);
    };
    const devices: ReturnType<History['observe']>[] = [];
    for (let index = 0; index < 10; index++) record(`d${index}`, 10_000);
    expect(history.status().omitted_fields).toBeUndefined();
    record('late', 3);
    expect(history.status().omitted_fields).toBe(3);
    for (let turn = 0; turn < 3; turn++) {
      devices.shift()?.close();
      record(`next${turn}`, 10_000);
      expect(history.status().omitted_fields).toBe(3);
    }
  });
});

const VALUES = {
  kind: 'values',
  device: 'd',
  field: 'a.x',
  from: 0,
  to: Date.now() * 2,
  points: 10,
} as const;

describe('a query that comes before the file is open', () => {
  it('waits, and has what was measured meanwhile', { timeout: 60_000 }, async () => {
    await using history = makeHistory();
    const device = history.observe({ id: 'd', fields: undefined, replay: false });
    device?.measured('a', { x: 1 });
    const opened = history.start();
    device?.measured('a', { x: 2 });
    const answer = await history.query(VALUES);
    await opened;
    // Without a database in this Node there is no history, and a query says so.
    if (history.status().state !== 'running') return expect(answer.ok).toBe(false);
    const { points } = JSON.parse(answer.ok ? new TextDecoder().decode(answer.body) : '{}');
    const kept = (points as readonly number[][]).map((point) => [
      Math.min(...point.slice(1)),
      Math.max(...point.slice(1)),
    ]);
    expect([kept.at(0)?.[0], kept.at(-1)?.[1]]).toEqual([1, 2]);
  });

  it('is answered when the bridge stops first', { timeout: 60_000 }, async () => {
    const history = makeHistory();
    const opened = history.start();
    const answers = Array.from({ length: 200 }, () => history.query(VALUES));
    await history[Symbol.asyncDispose]();
    await opened;
    for (const { ok } of await Promise.all(answers)) expect(typeof ok).toBe('boolean');
  });
});
