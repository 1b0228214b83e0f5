import { expect, it } from 'vitest';
import { benchmarksText } from '../../bench/support/benchmarks-text.ts';

it('writes what was measured as tables, with the machine, its load and what was missed', () => {
  const rows = [
    { name: 'a|b', figure: '2 us', peer: '1 us', ratio: '2.00', target: { text: '<= 1.5', met: false } },
    { name: 'c', figure: '1 us', peer: '-', ratio: '-' },
  ];
  expect(
    benchmarksText('Node v1, 2 x CPU', 'npm run bench -- --write', [
      { name: 'fan-out', about: 'how long', rows, load: 0.25 },
    ]),
  ).toBe(`# Benchmarks

Written by \`npm run bench -- --write\`, which measures again. Node v1, 2 x CPU.

A load of the machine above its number of processors means that other programs took part of the time: look at the ratios then, not at the figures.

## fan-out

how long (load of the machine: 0.3)

| name | figure | peer | ratio | target |
| --- | --- | --- | --- | --- |
| a\\|b | 2 us | 1 us | 2.00 | <= 1.5: MISSED |
| c | 1 us | - | - |  |
`);
});
