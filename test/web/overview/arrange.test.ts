import { describe, expect, it } from 'vitest';
import type { Wanted } from '../../../src/client/subscriptions.ts';
import type { Placed } from '../../../src/config/check-together.ts';
import { arrange, troubleOf } from '../../../web/src/overview/arrange.ts';

const device = (id: string, more: Partial<Placed> = {}): Placed => ({
  id,
  name: id,
  group: '',
  status: 'online',
  level: undefined,
  linkFailed: false,
  matches: (words) => words.every((word) => id.includes(word)),
  ...more,
});
const WANTED: Wanted = {
  search: '',
  status: '',
  group: '',
  order: 'trouble',
  reverse: false,
  grouped: false,
  folded: new Set(),
};
const shown = (all: readonly Placed[], wanted: Partial<Wanted> = {}, rank = new Map<string, number>()) =>
  arrange(all, { ...WANTED, ...wanted }, ({ id }) => rank.get(id)).lines.map((line) =>
    line.kind === 'group' ? `# ${line.group} ${line.devices.length}` : line.device.id,
  );

describe('the list of devices', () => {
  it('has trouble first: a failed link and what is offline, then alarms, and what is well last', () => {
    const all = [
      device('well'),
      device('away', { status: 'away' }),
      device('warn', { level: 'warn' }),
      device('alarm', { level: 'alarm' }),
      device('stale', { status: 'stale', level: 'alarm' }),
      device('offline', { status: 'offline' }),
      device('failed', { status: 'unknown', linkFailed: true }),
      device('odd', { status: 'dancing' }),
    ];
    expect(shown(all)).toEqual(['failed', 'offline', 'alarm', 'stale', 'warn', 'odd', 'away', 'well']);
    expect(troubleOf(device('a', { status: 'dancing' }))).toBe(troubleOf(device('a', { status: 'unknown' })));
  });

  it('orders names as people count, both ways', () => {
    const all = ['b-10', 'b-9', 'A-1'].map((id) => device(id));
    expect(shown(all, { order: 'name' })).toEqual(['A-1', 'b-9', 'b-10']);
    expect(shown(all, { order: 'name', reverse: true })).toEqual(['b-10', 'b-9', 'A-1']);
  });

  it('orders numbers, and what has none stands at the end whichever way', () => {
    const all = ['none', 'two', 'one'].map((id) => device(id));
    const rank = new Map([
      ['one', 1],
      ['two', 2],
    ]);
    expect(shown(all, { order: 'value' }, rank)).toEqual(['one', 'two', 'none']);
    expect(shown(all, { order: 'value', reverse: true }, rank)).toEqual(['two', 'one', 'none']);
  });

  it('finds by every word, and by status and group together', () => {
    const all = [device('rack-1', { group: 'a' }), device('rack-2', { status: 'stale' }), device('scale')];
    expect(shown(all, { search: ' RACK  1' })).toEqual(['rack-1']);
    expect(shown(all, { search: 'rack', status: 'stale' })).toEqual(['rack-2']);
    expect(shown(all, { group: 'a' })).toEqual(['rack-1']);
    expect(arrange(all, { ...WANTED, search: 'nowhere' }, () => 0).found).toBe(0);
  });

  it('puts groups under headings, what has none last, and folds them', () => {
    const all = [
      device('x'),
      device('b', { group: 'Hall 10' }),
      device('a', { group: 'Hall 9', status: 'offline' }),
    ];
    expect(shown(all, { grouped: true })).toEqual(['# Hall 9 1', 'a', '# Hall 10 1', 'b', '#  1', 'x']);
    expect(shown(all, { grouped: true, folded: new Set(['Hall 10', '']) })).toEqual([
      '# Hall 9 1',
      'a',
      '# Hall 10 1',
      '#  1',
    ]);
  });
});
