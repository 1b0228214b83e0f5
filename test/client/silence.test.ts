import { describe, expect, it } from 'vitest';
import { Silence } from '../../src/client/silence.ts';

/** What is judged at which second, and whether it is stale then; `activity` is a message of the bridge. */
function run(
  steps: ReadonlyArray<readonly [atS: number, what: 'judge' | 'activity', expected?: string]>,
): void {
  const silence = new Silence(20_000, 0);
  for (const [atS, what, expected] of steps) {
    if (what === 'activity') silence.activity(atS * 1_000);
    else {
      const judgement = silence.judge(atS * 1_000);
      expect(`${atS}: ${judgement ?? 'nothing'}${silence.stale ? ', stale' : ''}`).toBe(
        `${atS}: ${expected}`,
      );
    }
    if (expected?.startsWith('lost') !== true)
      expect(silence.nextDeadline, `after ${atS} s`).toBeGreaterThan(atS * 1_000);
  }
}

describe('silence, with pings every 20 s', () => {
  it.each<[string, Parameters<typeof run>[0]]>([
    [
      'asks, is stale, and is lost',
      [
        [22, 'judge', 'ask'],
        [30, 'judge', 'nothing, stale'],
        [45, 'judge', 'lost, stale'],
      ],
    ],
    [
      'is nothing while something comes',
      [
        [19, 'activity'],
        [22, 'judge', 'nothing'],
        [40, 'activity'],
        [45, 'judge', 'nothing'],
      ],
    ],
    [
      'ends with the answer',
      [
        [22, 'judge', 'ask'],
        [31, 'judge', 'nothing, stale'],
        [32, 'activity'],
        [50, 'judge', 'nothing'],
        [54, 'judge', 'ask'],
      ],
    ],
    [
      'is judged a little late',
      [
        [25, 'judge', 'ask'],
        [31, 'judge', 'nothing, stale'],
        [45.5, 'judge', 'lost, stale'],
      ],
    ],
    [
      'is asked about after a sleep, before it is judged',
      [
        [600, 'judge', 'ask, stale'],
        [610, 'judge', 'nothing, stale'],
        [615, 'judge', 'lost, stale'],
      ],
    ],
    [
      'is asked about again where the sleep came after the question',
      [
        [22, 'judge', 'ask'],
        [900, 'judge', 'ask, stale'],
        [901, 'activity'],
        [902, 'judge', 'nothing'],
      ],
    ],
  ])('%s', (_what, steps) => run(steps));
});
