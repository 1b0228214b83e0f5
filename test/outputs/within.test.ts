import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { within } from '../../src/outputs/within.ts';

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

describe('work within a time', () => {
  it('gives what it comes to, and leaves nothing at the outer signal', async () => {
    const outer = new AbortController();
    expect(await within(outer.signal, 1_000, async () => 7)).toBe(7);
    await expect(within(outer.signal, 1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(getEventListeners(outer.signal, 'abort')).toEqual([]);
  });

  it('ends with the outer signal, also with one that was aborted before', async () => {
    const outer = new AbortController();
    const work = within(outer.signal, 60_000, untilAborted);
    outer.abort(new Error('stop'));
    await expect(work).rejects.toThrow('stop');
    await expect(within(outer.signal, 60_000, async (signal) => signal.throwIfAborted())).rejects.toThrow(
      'stop',
    );
  });

  it('ends when its time is over, and says so', async () => {
    vi.useFakeTimers();
    try {
      const work = expect(within(new AbortController().signal, 10_000, untilAborted)).rejects.toThrow(
        'There was no answer within 10 s.',
      );
      vi.advanceTimersByTime(10_000);
      await work;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
