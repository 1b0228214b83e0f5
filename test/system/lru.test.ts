import { describe, expect, it } from 'vitest';
import { Lru } from '../../src/system/lru.ts';

describe('a bounded map', () => {
  it('drops the entry that was set longest ago', () => {
    const lru = new Lru<string, number>(2);
    lru.set('a', 1);
    lru.set('b', 2);
    lru.set('a', 3);
    lru.set('c', 4);
    expect([lru.get('a'), lru.get('b'), lru.get('c'), lru.size]).toEqual([3, undefined, 4, 2]);
  });

  it('moves nothing where an entry is read', () => {
    const lru = new Lru<string, number>(2);
    lru.set('a', 1);
    lru.set('b', 2);
    lru.get('a');
    lru.set('c', 3);
    expect(lru.has('a')).toBe(false);
  });

  it('takes entries out, one or all', () => {
    const lru = new Lru<string, number>(2);
    lru.set('a', 1);
    expect([lru.delete('a'), lru.delete('a'), lru.size]).toEqual([true, false, 0]);
    lru.set('b', 1);
    lru.clear();
    expect(lru.size).toBe(0);
  });

  it('goes through its entries from the oldest to the newest, and may lose some on the way', () => {
    const lru = new Lru<string, number>(3);
    for (const [key, value] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ] as const)
      lru.set(key, value);
    for (const [key, value] of lru) if (value === 2) lru.delete(key);
    expect([...lru]).toEqual([['a', 3]]);
  });
});
