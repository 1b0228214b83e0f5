import { describe, expect, it } from 'vitest';
import { best, scoreOf } from '../../../web/src/app/palette-search.ts';

const entries = ['bench · psu-1', 'tracker-9', 'Supply (psu-12)', 'Plots', 'Devices'].map((text) => ({
  text,
}));
const found = (typed: string, most = 9) => best(entries, typed, most).map(({ text }) => text);

describe('the palette', () => {
  it('has everything where nothing is typed, in its order, and no more than is shown', () => {
    expect(found('')).toEqual(entries.map(({ text }) => text));
    expect(found('', 2)).toEqual(['bench · psu-1', 'tracker-9']);
  });

  it('wants every word, wherever it stands, in any case', () => {
    expect(found('psu')).toEqual(['bench · psu-1', 'Supply (psu-12)']);
    expect(found('PSU sup')).toEqual(['Supply (psu-12)']);
    expect(found('psu nowhere')).toEqual([]);
  });

  it('puts starts of words in front of what stands within them', () => {
    expect(scoreOf('a plot', 'plot')).toBeLessThan(scoreOf('aplot', 'plot') ?? 0);
    expect(scoreOf('x', 'y')).toBeUndefined();
  });
});
