import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from '../../src/system/ring.ts';

const all = (ring: Ring<number>): (number | undefined)[] =>
  Array.from({ length: ring.length }, (_, index) => ring.at(index));

describe('a queue in one array', () => {
  it('holds what a plain array would, whatever is done with it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat({ max: 99 }), fc.constantFrom('shift', 'retain', 'sort', 'clear'))),
        (steps) => {
          const ring = new Ring<number>();
          let model: number[] = [];
          for (const step of steps) {
            if (typeof step === 'number') {
              ring.push(step);
              model.push(step);
            } else if (step === 'shift') expect(ring.shift()).toBe(model.shift());
            else if (step === 'clear') {
              ring.clear();
              model = [];
            } else if (step === 'sort') {
              ring.sort((a, b) => a - b);
              model.sort((a, b) => a - b);
            } else {
              ring.retain((each) => each % 3 > 0);
              model = model.filter((each) => each % 3 > 0);
            }
            expect(all(ring)).toEqual(model);
            expect([...ring]).toEqual(model);
            expect(ring.at(-1)).toBe(model.at(-1));
            expect(ring.at(model.length)).toBeUndefined();
          }
        },
      ),
    );
  });

  it('goes round many times', () => {
    const ring = new Ring<number>();
    for (let n = 0; n < 1_000; n++) {
      ring.push(n);
      if (n >= 10) expect(ring.shift()).toBe(n - 10);
    }
    expect(all(ring)).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
  });
});
