import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplit } from '../../src/outputs/core/line-split.ts';

interface Outcome {
  readonly requests: number;
  readonly taken: readonly string[];
  readonly refused: number;
  readonly detail: string | undefined;
}

/** A database that refuses a request with a bad line in it; what it says of it is up to the test. */
function write(
  lines: readonly string[],
  isBad: (line: string) => boolean,
  answer: (part: readonly string[]) => string = () => 'no',
): Outcome {
  const split = new LineSplit(lines);
  const taken: string[] = [];
  let requests = 0;
  for (let part = split.next; part !== undefined; part = split.next) {
    requests += 1;
    if (part.some(isBad)) split.refuse(answer(part), 'HTTP status 400');
    else {
      split.taken();
      taken.push(...part);
    }
  }
  return { requests, taken, refused: split.refused?.count ?? 0, detail: split.refused?.detail };
}

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `t,device=a n=${n} ${n}`);

describe('a request that a database refuses', () => {
  it('costs only the lines that are wrong, wherever they stand', () => {
    const lineOf = fc.record({ bad: fc.boolean() });
    fc.assert(
      fc.property(fc.array(lineOf, { minLength: 1, maxLength: 30 }), (given) => {
        const lines = given.map(({ bad }, n) => `${bad ? 'bad' : 'good'} ${n}`);
        const isBad = (line: string) => line.startsWith('bad');
        const { taken, refused } = write(lines, isBad);
        expect([...taken].sort()).toEqual(lines.filter((line) => !isBad(line)).sort());
        expect(refused).toBe(lines.filter(isBad).length);
      }),
    );
  });

  it('is one request where all is well, and names the first bad line', () => {
    expect(write(many(5_000), () => false)).toMatchObject({ requests: 1, refused: 0, detail: undefined });
    const { requests, taken, refused, detail } = write(many(5_000), (line) => line.includes('n=4321 '));
    expect([taken.length, refused, detail]).toEqual([
      4_999,
      1,
      'HTTP status 400; line: t,device=a n=4321 4321',
    ]);
    // Halves, down to one of 5,000.
    expect(requests).toBeLessThanOrEqual(27);
    expect(taken).toEqual(many(5_000).filter((line) => !line.includes('n=4321 ')));
  });

  it.each([
    [
      'quotes the line',
      (part: readonly string[], at: number) =>
        `{"error":"partial write: unable to parse '${part[at]}': missing fields dropped=0"}`,
    ],
    ['gives its number', (_: readonly string[], at: number) => `{"code":"invalid","line":${at + 1}}`],
  ])('takes three requests where the answer %s', (_, answer) => {
    const isBad = (line: string) => line.includes('n=700 ');
    const outcome = write(many(5_000), isBad, (part) => answer(part, part.findIndex(isBad)));
    expect(outcome).toMatchObject({ requests: 3, refused: 1 });
    expect(outcome.taken.length).toBe(4_999);
  });

  it('sets apart the measurement that the answer names', () => {
    const lines = [...many(2_000), 'u,device=a x="s" 1', 'u,device=b x="s" 2', ...many(2_000)];
    const isBad = (line: string) => line.startsWith('u,');
    const answer =
      '{"error":"partial write: field type conflict: input field \\"x\\" on measurement \\"u\\" is type string"}';
    expect(write(lines, isBad, () => answer)).toMatchObject({ requests: 5, refused: 2 });
  });

  it('believes no answer: a good line that it names is sent all the same', () => {
    const isBad = (line: string) => line.includes('n=3 ');
    const { taken, refused } = write(many(8), isBad, () => '{"line":1}');
    expect([taken.length, refused]).toEqual([7, 1]);
  });

  it('is given up after a bounded number of requests, and every line is counted', () => {
    expect(write(many(5_000), () => true)).toMatchObject({ refused: 5_000, taken: [] });
    expect(write(many(5_000), () => true).requests).toBeLessThanOrEqual(100);
    const half = write(many(5_000), (line) => line.endsWith('1'));
    expect(half.taken.length + half.refused).toBe(5_000);
    expect(half.requests).toBeLessThan(1_500);
  });
});
