import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killWhileWriting } from '../support/killed-history.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-killed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a history whose process is killed while it writes', { timeout: 120_000 }, () => {
  it('opens, has every value once up to the last second, and goes on', async () => {
    const file = join(folder, 'history.db');
    let first = 0;
    for (const words of [65, 105, 85]) {
      const { fields, said, missingMs, damaged } = await killWhileWriting(file, first, words);
      expect(damaged).toBe(false);
      for (const values of fields) {
        // Each value once, and none missing between two that are there, but for what a killed run took with it.
        expect(new Set(values).size).toBe(values.length);
        const ofThisRun = values.filter((value) => value >= first);
        expect(ofThisRun).toEqual(Array.from({ length: ofThisRun.length }, (_, index) => first + index));
        expect(ofThisRun.length).toBeGreaterThan(0);
      }
      // One batch a second; a loaded machine takes longer to write it.
      expect(missingMs).toBeLessThan(5_000);
      first = said + 1_000;
    }
  });
});
