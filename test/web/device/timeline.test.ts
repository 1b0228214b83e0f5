import { describe, expect, it } from 'vitest';
import type { PastEvent } from '../../../src/feed/core/event-log.ts';
import { stretchesOf } from '../../../web/src/device/timeline.ts';

const status = (at: number, word: string, reason?: string): PastEvent => ({
  at,
  device: 'a',
  kind: 'status',
  data: { status: word, ...(reason === undefined ? {} : { reason }) },
});
const shown = (events: readonly PastEvent[]) =>
  stretchesOf(events, 'status', 100, 200).map((each) => [each.from, each.to, each.status, each.reason]);

describe('the status over a time', () => {
  it('begins with what was before, and ends with the end', () => {
    expect(shown([status(50, 'online'), status(150, 'offline', 'silent')])).toEqual([
      [100, 150, 'online', ''],
      [150, 200, 'offline', 'silent'],
    ]);
  });

  it('has nothing where nothing is known, and nothing of other kinds or later times', () => {
    const other: PastEvent = { at: 120, device: 'a', kind: 'link', data: { status: 'connected' } };
    expect(shown([other, status(130, 'online'), status(250, 'offline')])).toEqual([[130, 200, 'online', '']]);
    expect(shown([])).toEqual([]);
  });

  it('joins what says the same, and keeps another reason apart', () => {
    expect(
      shown([status(50, 'offline', 'a'), status(120, 'offline', 'a'), status(140, 'offline', 'b')]),
    ).toEqual([
      [100, 140, 'offline', 'a'],
      [140, 200, 'offline', 'b'],
    ]);
  });
});
