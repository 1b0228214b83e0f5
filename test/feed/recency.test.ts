import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Link, Recency } from '../../src/feed/core/recency.ts';

interface Member {
  readonly name: number;
  readonly rev: number;
}

describe('members in the order of their last change', () => {
  it('are as if each had been put in front when it changed, whenever the order is asked for', () => {
    const step = fc.tuple(
      fc.constantFrom('change', 'remove', 'look', 'look for the oldest'),
      fc.nat({ max: 9 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const recency = new Recency<Member>();
        const links = new Map<number, Link<Member>>();
        let model: number[] = [];
        let rev = 0;
        for (const [what, name] of steps) {
          const link = links.get(name);
          const value = { name, rev: ++rev };
          if (what === 'look') expect([...recency.newestFirst()].map((each) => each.name)).toEqual(model);
          else if (what === 'look for the oldest') expect(recency.oldest()?.value.name).toBe(model.at(-1));
          else if (what === 'remove') {
            if (link !== undefined) recency.remove(link);
            links.delete(name);
            model = model.filter((each) => each !== name);
          } else {
            if (link === undefined) links.set(name, recency.add(value));
            else {
              link.value = value;
              recency.touch(link);
            }
            model = [name, ...model.filter((each) => each !== name)];
          }
        }
        expect([...recency.newestFirst()].map((each) => each.name)).toEqual(model);
      }),
    );
  });

  it('are right behind very many that came and went while nobody asked', () => {
    const recency = new Recency<Member>();
    const stays = recency.add({ name: 0, rev: 0 });
    for (let rev = 1; rev <= 5_000; rev++) recency.remove(recency.add({ name: rev, rev }));
    const last = recency.add({ name: 5_001, rev: 5_001 });
    expect([...recency.newestFirst()]).toEqual([last.value, stays.value]);
  });
});
