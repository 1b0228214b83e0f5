import { describe, expect, it } from 'vitest';
import { parseExposition } from './exposition.ts';

const HEAD = '# HELP a_total What it is.\n# TYPE a_total counter\n';
const HISTOGRAM = '# HELP h_seconds What it is.\n# TYPE h_seconds histogram\n';

describe('the checker of scrapes', () => {
  it('reads what is right', () => {
    const scrape = parseExposition(`${HEAD}a_total{b="1\\"\\n"} 3\na_total 1e3\n`);
    expect(scrape.value('a_total')).toBe(1_000);
    expect(scrape.value('a_total', { b: '1"\n' })).toBe(3);
    expect(scrape.by('a_total', 'b')).toEqual({ '': 1_000, '1"\n': 3 });
  });

  it.each([
    ['no end', `${HEAD}a_total 1`],
    ['no type', 'a_total 1\n'],
    ['another family', `${HEAD}b_total 1\n`],
    ['a series twice', `${HEAD}a_total{b="1"} 1\na_total{b="1"} 1\n`],
    ['a label twice', `${HEAD}a_total{b="1",b="2"} 1\n`],
    ['an open quote', `${HEAD}a_total{b="1} 1\n`],
    ['a count below zero', `${HEAD}a_total -1\n`],
    ['no number', `${HEAD}a_total undefined\n`],
    ['a family twice', `${HEAD}a_total 1\n${HEAD}`],
    ['a counter without its suffix', '# HELP a What it is.\n# TYPE a counter\na 1\n'],
    ['milliseconds', '# HELP a_ms What it is.\n# TYPE a_ms gauge\na_ms 1\n'],
    [
      'buckets that fall',
      `${HISTOGRAM}h_seconds_bucket{le="1"} 2\nh_seconds_bucket{le="+Inf"} 1\nh_seconds_sum 1\nh_seconds_count 1\n`,
    ],
    [
      'a count that is not that of its buckets',
      `${HISTOGRAM}h_seconds_bucket{le="+Inf"} 1\nh_seconds_sum 1\nh_seconds_count 2\n`,
    ],
  ])('refuses %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});
