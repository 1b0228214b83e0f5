import { describe, expect, test } from 'vitest';
import { getentLookup, inProcessLookup } from '../../../src/links/names/system-lookup.ts';
import { leftBehind, resources } from '../../support/resources.ts';

const ways = [
  ['by a program', getentLookup],
  ['in the process', inProcessLookup],
] as const;

describe.runIf(process.platform === 'linux')('the system', () => {
  test.each(ways)('knows this machine: %s', async (_, look) => {
    expect(await look('localhost', new AbortController().signal)).toContain('127.0.0.1');
  });

  test('takes no name for an option', async () => {
    expect(await getentLookup('--help', new AbortController().signal)).toEqual([]);
  });

  test.each(ways)('is not asked once nothing waits any more: %s', async (_, look) => {
    const aborted = AbortSignal.abort();
    expect(await look('localhost', aborted)).toEqual([]);
  });

  test('is asked by no more programs than are allowed at once, and all have their turn', async () => {
    const before = resources();
    const look = () => getentLookup('localhost', new AbortController().signal);
    const answers = await Promise.all(Array.from({ length: 100 }, look));
    for (const answer of answers) expect(answer).toContain('127.0.0.1');
    await expect.poll(() => leftBehind(before)).toEqual([]);
  });

  test('lets go of those that wait for their turn', async () => {
    const control = new AbortController();
    const waiting = Promise.all(
      Array.from({ length: 5 }, () => inProcessLookup('localhost', control.signal)),
    );
    control.abort();
    for (const answer of (await waiting).slice(1)) expect(answer).toEqual([]);
  });
});
