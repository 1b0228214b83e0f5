import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { ageText, type DeviceRow, deviceRow } from '../../src/cli/ui/device-row.ts';
import { type MonitorChoice, pressKeys } from '../../src/cli/ui/keys.ts';
import { extentOf, type MonitorScene, monitorLines, shownRows } from '../../src/cli/ui/table.ts';

const CHOICE: MonitorChoice = { top: 0, filter: '', typing: false, sort: 'id', help: false };
const row = (id: string, more: Partial<DeviceRow> = {}): DeviceRow => ({
  id,
  status: 'online',
  since: 1_000,
  link: 'connected 10.0.0.7:9089',
  seenAt: 4_000,
  roundTripMs: 1.5,
  detail: '',
  failed: false,
  quality: undefined,
  ...more,
});
const scene = (rows: readonly DeviceRow[], more: Partial<MonitorScene> = {}): MonitorScene => ({
  rows,
  choice: CHOICE,
  url: 'ws://127.0.0.1:8080/ws',
  connection: { text: 'connected', trusted: true },
  now: 5_000,
  columns: 100,
  lines: 10,
  ...more,
});
const texts = (of: MonitorScene): string[] =>
  monitorLines(of).map((line) => line.map(({ text }) => text).join(''));
const stylesOf = (of: MonitorScene, text: string) =>
  monitorLines(of).flatMap((line) =>
    line.filter((part) => part.text.trim() === text).map(({ style }) => style),
  );

describe('a row', () => {
  it('shows why a device is not online, and its values where it is', () => {
    const offline = { status: 'offline', since: 1, reason: 'silent', detail: 'nothing for 10 s' };
    expect(deviceRow('a', { ...offline, values: { t: { x: 1 } } }, undefined)).toMatchObject({
      status: 'offline',
      detail: 'silent: nothing for 10 s',
    });
    const values = {
      telemetry: {
        temperature: 23.14,
        label: '液体',
        inner: { a: [1, 2] },
        data: { $bytes: 'AA==', len: 1 },
      },
    };
    const online = deviceRow(
      'a',
      { status: 'online', values, quality: { 'telemetry.inner.a': 'alarm' } },
      { round_trip_ms: 2 },
    );
    expect(online.detail).toBe(
      'telemetry.inner.a=[1,2] (alarm)  telemetry.temperature=23.14  telemetry.label=液体  telemetry.data=1 bytes',
    );
    expect(online).toMatchObject({ quality: 'alarm', roundTripMs: 2 });
  });

  it('shows units, and of parts the quality of the whole', () => {
    const fields = { 'rig.load': { unit: 'kN' }, 'rig.legs': { unit: 'mm' }, 'rig.mode': { unit: 'x' } };
    const values = { rig: { load: 2.5, legs: [1, 2], mode: 'idle', bits: { lamp: true }, new: 7 } };
    const state = { status: 'online', values, quality: { 'rig.bits': 'stale' } };
    expect(deviceRow('a', state, undefined, { fields }).detail).toBe(
      'rig.bits.lamp=true (stale)  rig.load=2.5 kN  rig.legs=[1,2] mm  rig.mode=idle  rig.new=7',
    );
    for (const odd of [undefined, {}, { fields: 3 }, { fields: { 'rig.load': null } }, { $jwe: 'x' }])
      expect(deviceRow('a', state, undefined, odd).detail).toContain('rig.load=2.5  ');
  });

  it('names a device and its values as people do, beside the id that commands take', () => {
    const fields = { 'rig.load': { unit: 'kN', label: '载荷' } };
    const state = {
      status: 'online',
      label: '试验台',
      group: '一号楼',
      values: { rig: { load: 2.5, new: 7 } },
    };
    expect(deviceRow('a', state, undefined, { fields })).toMatchObject({
      id: '试验台 (a)',
      detail: '载荷=2.5 kN  rig.new=7',
    });
    expect(deviceRow('a', { ...state, label: undefined }, undefined).id).toBe('a');
  });

  it('says so where it cannot be read, and takes nothing for granted', () => {
    expect(deviceRow('a', { $jwe: 'x.y' }, undefined)).toMatchObject({ status: 'secret', link: '' });
    expect(
      deviceRow('a', { status: 7, link: 'odd', values: [], quality: 3, since: 'x' }, { last_frame_at: 'x' }),
    ).toEqual({
      id: 'a',
      status: 'unknown',
      since: undefined,
      link: '',
      failed: false,
      seenAt: undefined,
      roundTripMs: undefined,
      detail: '',
      quality: undefined,
    });
  });

  it('holds nothing that a terminal takes for an order', () => {
    const evil = '\u001b]0;owned\u0007\u009b2J';
    const shown = deviceRow(
      'a',
      { status: 'online', values: { m: { text: evil } }, link: { status: evil } },
      undefined,
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(JSON.stringify(Object.values(shown).join(''))).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  it.each([
    [-5, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_600_000, '1h00'],
    [11_100_000, '3h05'],
    [345_600_000, '4d'],
  ])('tells an age of %i ms as %s', (ms, text) => expect(ageText(ms)).toBe(text));
});

describe('the table', () => {
  it('shows how the devices are, with heading, counts and keys', () => {
    const rows = [row('psu-10'), row('psu-9', { status: 'offline', detail: 'silent', link: 'backoff' })];
    expect(texts(scene(rows, { lines: 7 })).map((each) => each.trimEnd())).toEqual([
      'ws://127.0.0.1:8080/ws connected',
      '2 devices   1 online   1 offline   sorted by id',
      'DEVICE  STATUS       FOR    SEEN   RTT     LINK                     VALUES, OR WHY NOT',
      'psu-9   offline      4s     1s     1.5ms   backoff                  silent',
      'psu-10  online       4s     1s     1.5ms   connected 10.0.0.7:9089',
      '',
      'q quit   / filter   s sort   ? help',
    ]);
  });

  it('shows all the keys where help is wanted, on a terminal of 80 columns', () => {
    const help = { ...CHOICE, help: true };
    expect(
      texts(scene([row('a')], { columns: 80, choice: help }))
        .at(-1)
        ?.trimEnd(),
    ).toMatch(/^q quit .* redraw$/);
  });

  it('looks like something that is not known to be true while the bridge is away', () => {
    const gone = { text: ' NOT CONNECTED for 3s', trusted: false };
    expect(stylesOf(scene([row('a')]), 'online')).toEqual(['green']);
    expect(stylesOf(scene([row('a')], { connection: gone }), 'online')).toEqual(['dim']);
    expect(stylesOf(scene([row('a')], { connection: gone }), 'NOT CONNECTED for 3s')).toEqual(['inverse']);
  });

  it('filters by every word, anywhere', () => {
    const rows = [
      row('a', { status: 'offline', detail: 'silent' }),
      row('b'),
      row('ab', { status: 'offline' }),
    ];
    const left = (filter: string) => shownRows(rows, { ...CHOICE, filter }).map(({ id }) => id);
    expect(left('')).toEqual(['a', 'ab', 'b']);
    expect(left('OFFLINE')).toEqual(['a', 'ab']);
    expect(left('offline b')).toEqual(['ab']);
    expect(left('10.0.0.7')).toHaveLength(3);
    expect(left('[')).toEqual([]);
  });

  it.each<[MonitorChoice['sort'], string]>([
    ['id', 'a b c d'],
    ['status', 'b d c a'],
    ['since', 'c d b a'],
    ['seen', 'd a b c'],
  ])('sorts by %s', (sort, order) => {
    const rows = [
      row('a', { status: 'online', since: 1, seenAt: 1 }),
      row('b', { status: 'offline', since: 2, seenAt: 2 }),
      row('c', { status: 'stale', since: 4, seenAt: 3 }),
      row('d', { quality: 'alarm', since: 3, seenAt: undefined }),
    ];
    expect(
      shownRows(rows, { ...CHOICE, sort })
        .map(({ id }) => id)
        .join(' '),
    ).toBe(order);
  });

  it('has a device whose configuration is wrong among the troubles', () => {
    const rows = [
      row('a', { status: 'unknown' }),
      row('b', { status: 'stale' }),
      deviceRow('c', { status: 'unknown', link: { status: 'failed' }, reason: 'config_invalid' }, undefined),
      row('d', { status: 'offline' }),
    ];
    const sorted = shownRows(rows, { ...CHOICE, sort: 'status' });
    expect(sorted.map(({ id }) => id)).toEqual(['c', 'd', 'b', 'a']);
  });

  it('fills any size exactly, whatever the devices say', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 40 });
    const rows = fc.array(fc.record({ id: name, link: name, detail: name }), { maxLength: 30 });
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 40 }),
        name,
        fc.nat(50),
        (given, columns, lines, filter, top) => {
          const all = given.map((each) =>
            deviceRow(each.id, { link: { status: each.link }, reason: each.detail }, undefined),
          );
          const drawn = texts(scene(all, { columns, lines, choice: { ...CHOICE, filter, top } }));
          expect(drawn).toHaveLength(lines);
          for (const line of drawn) expect(stringWidth(line)).toBe(columns);
        },
      ),
    );
  });
});

describe('the keys', () => {
  const many = Array.from({ length: 50 }, (_, index) => row(`d-${index}`));
  const press = (text: string, choice: Partial<MonitorChoice> = {}, rows = many) =>
    pressKeys(text, { ...CHOICE, ...choice }, extentOf(scene(rows, { lines: 14 })));

  it.each([
    ['one down', '\u001b[B', 0, 1],
    ['down by j', 'jjj', 0, 3],
    ['up stops at the top', '\u001b[A', 0, 0],
    ['a page down', '\u001b[6~', 0, 10],
    ['a page up', '\u001b[5~', 25, 15],
    ['the end', '\u001b[F', 0, 40],
    ['past the end', ' '.repeat(9), 0, 40],
    ['the start', 'g', 33, 0],
    ['from beyond the end', 'k', 400, 39],
  ])('scroll: %s', (_, keys, from, to) => {
    expect(press(keys, { top: from }).choice.top).toBe(to);
  });

  it.each([
    ['q', 'quit'],
    ['\u0003', 'quit'],
    ['\u001a', 'suspend'],
    ['\u000c', 'redraw'],
    ['x', undefined],
    ['\u001b[24~', undefined],
  ])('order: %j', (key, order) => expect(press(key).order).toBe(order));

  it('type a filter, in which q is a letter, and fix it', () => {
    const typed = press('/quux\u007fx é\u001b[A');
    expect(typed).toEqual({ choice: { ...CHOICE, typing: true, filter: 'quux é' }, order: undefined });
    expect(press('\r', typed.choice).choice).toEqual({ ...CHOICE, filter: 'quux é' });
    expect(press('\u001b', typed.choice).choice).toEqual(CHOICE);
    expect(press('\u0003', typed.choice).order).toBe('quit');
    expect(press('\u0015', typed.choice).choice.filter).toBe('');
  });

  it('go round the orders of rows, and show and hide the help', () => {
    expect(press('sss').choice.sort).toBe('seen');
    expect(press('ssss').choice.sort).toBe('id');
    expect(press('?').choice.help).toBe(true);
    expect(press('??').choice.help).toBe(false);
    expect(press('\u001b', { filter: 'x' }).choice.filter).toBe('');
  });
});
