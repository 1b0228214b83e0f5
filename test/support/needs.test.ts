import { describe, expect, test, vi } from 'vitest';
import { needs } from './needs.ts';

describe('needs', () => {
  test.each([
    [undefined, false, 1],
    ['0', false, 1],
    ['1', true, 0],
  ])('a missing tool with HEARTWIRE_TEST_ALL=%s: run is %s, reasons printed: %i', (all, run, printed) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    expect(needs('socat', { PATH: '/nonexistent', HEARTWIRE_TEST_ALL: all })).toEqual({ run, path: 'socat' });
    expect(warn).toHaveBeenCalledTimes(printed);
    warn.mockRestore();
  });
});
