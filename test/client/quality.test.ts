import { describe, expect, it } from 'vitest';
import { qualityOf } from '../../src/client/index.ts';

describe('the quality of a value', () => {
  const quality = { 'relay.bits': 'stale', 'relay.bits.door': 'alarm', 'relay.load': 'warn' } as const;

  it.each([
    ['relay.load', 'warn'],
    ['relay.bits', 'stale'],
    ['relay.bits.lamp', 'stale'],
    ['relay.bits.lamp.red', 'stale'],
    ['relay.bits.door', 'alarm'],
    ['relay.loads', undefined],
    ['relay.bit', undefined],
    ['other.bits.lamp', undefined],
    ['relay', undefined],
    ['', undefined],
    ['constructor.name', undefined],
    ['__proto__.x', undefined],
  ])('%s is %s', (path, expected) => {
    expect(qualityOf(quality, path)).toBe(expected);
  });
});
