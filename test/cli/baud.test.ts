import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guessAll, likelihood } from '../../src/cli/guessing.ts';
import { chunksOf } from '../../src/guess/index.ts';
import { readInput } from '../../src/inspection/browser.ts';

/** The bytes that a receiver at one speed (8N1) makes of a line at another one. */
function misread(bytes: Uint8Array, sent: number, read: number): Uint8Array {
  const bits: number[] = [1, 1];
  for (const byte of bytes) {
    bits.push(0);
    for (let bit = 0; bit < 8; bit++) bits.push((byte >> bit) & 1);
    bits.push(1);
  }
  bits.push(...Array.from({ length: 20 }, () => 1));
  const step = sent / read;
  const level = (at: number): number => bits[Math.floor(at)] ?? 1;
  const found: number[] = [];
  for (let at = 0; at < bits.length; ) {
    if (level(at) === 1) {
      at += step / 16;
      continue;
    }
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte |= level(at + step * (1.5 + bit)) << bit;
    found.push(byte);
    at += step * 9.5;
  }
  return Uint8Array.from(found);
}

const RATES = [115_200, 57_600, 38_400, 19_200, 9_600, 4_800];
const PACKS = ['daly-bms', 'nmea-0183', 'mettler-sics', 'jbd-bms', 'pzem-004t-v3'];

describe('the speed of a line', () => {
  it('reads a byte as it was sent at the same speed, and another one at half of it', () => {
    const bytes = Uint8Array.of(0x00, 0x55, 0xff, 0xa5);
    expect(misread(bytes, 9_600, 9_600)).toEqual(bytes);
    expect(misread(bytes, 9_600, 4_800)).not.toEqual(bytes);
  });

  it.each(PACKS)('is shown by what %s says: no other makes as much sense of it', async (name) => {
    const trace = readdirSync(join('packs', name)).find((each) => each.endsWith('.trace')) ?? '';
    const file = join('packs', name, trace);
    const chunks = chunksOf(readInput(readFileSync(file), file).events, 'device');
    const scores = [];
    for (const rate of RATES) {
      const read = chunks.map(({ bytes, begins }) => ({ bytes: misread(bytes, 9_600, rate), begins }));
      const guessed = await guessAll(read, { line: 'serial', cwd: '/', source: name });
      scores.push({ rate, score: likelihood(guessed) });
    }
    const [best, second] = scores.sort((a, b) => b.score - a.score);
    expect(best?.rate).toBe(9_600);
    expect(best?.score).toBeGreaterThan((second?.score ?? 0) + 8);
  });
});
