import { describe, expect, it } from 'vitest';
import { traceText } from '../../src/testing/index.ts';
import { formatEvent } from '../../src/trace/format-trace.ts';
import { withSilences } from '../../src/trace/silences.ts';

const found = (lines: string, gapMs = 50): string[] =>
  withSilences(traceText(lines).events, gapMs).map((event) => formatEvent(event).trimEnd());

describe('silences of a trace that has no idle lines', () => {
  it('lie behind bytes that nothing follows for the gap, at their own time', () => {
    expect(found('0 c1 = open a:1\n1 c1 < 01\n1.049999 c1 < 02\n1.099999 c1 < 03\n3 c1 * note')).toEqual([
      '0.000000 c1 = open a:1',
      '1.000000 c1 < 01',
      '1.049999 c1 < 02',
      '1.099999 c1 = idle',
      '1.099999 c1 < 03',
      '1.149999 c1 = idle',
      '3.000000 c1 * note',
    ]);
  });

  it('lie where the other side begins to talk', () => {
    expect(found('1 c1 > 01\n1.01 c1 < 02\n1.02 c1 < 03\n1.03 c1 > 04')).toEqual([
      '1.000000 c1 > 01',
      '1.010000 c1 = idle',
      '1.010000 c1 < 02',
      '1.020000 c1 < 03',
      '1.030000 c1 = idle',
      '1.030000 c1 > 04',
      '1.080000 c1 = idle',
    ]);
  });

  it('are those of each connection; its end is none', () => {
    expect(found('1 c1 < 01\n1.02 c2 < 02\n1.06 c1 < 03\n1.07 c1 = close x\n2 c3 = open b:2')).toEqual([
      '1.000000 c1 < 01',
      '1.020000 c2 < 02',
      '1.050000 c1 = idle',
      '1.060000 c1 < 03',
      '1.070000 c2 = idle',
      '1.070000 c1 = close x',
      '2.000000 c3 = open b:2',
    ]);
  });
});

it('a trace with idle lines of its own is left as it is', () => {
  const lines = ['1.000000 c1 < 01', '2.000000 c1 < 02', '2.500000 c1 = idle', '9.000000 c1 < 03'];
  expect(found(lines.join('\n'))).toEqual(lines);
});
