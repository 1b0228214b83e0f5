import { describe, expect, it } from 'vitest';
import type { AlarmEvent } from '../../../src/contract/feed/topic-documents.ts';
import { Measurements } from '../../../src/devices/core/measurements.ts';
import { MessageCatalog } from '../../../src/devices/core/message-catalog.ts';
import type { FieldDeclaration, LimitsDeclaration } from '../../../src/protocol/declared/declaration.ts';
import type { Value } from '../../../src/protocol/declared/value.ts';
import { declaredProtocol, notice } from '../../support/declared.ts';
import { reply, SessionBench, settings } from '../../support/session-bench.ts';

const LIMITS: LimitsDeclaration = { warn: [10, 30], alarm: [0, 50] };

/** One field with limits; values go in at an instant, events come out in words. */
class Bench {
  readonly measurements: Measurements;

  constructor(limits: LimitsDeclaration, field: Partial<FieldDeclaration> = {}) {
    const declared: FieldDeclaration = { name: 'x', type: 'f64', unit: '°C', limits, ...field };
    this.measurements = new Measurements([{ name: 'm', id: 3, everyMs: 40_000, fields: [declared] }]);
  }

  say(x: Value, now: number): string {
    return words(this.measurements.update('m', { x }, now));
  }

  wait(now: number): string {
    return words(this.measurements.expire(now));
  }

  get quality(): string | undefined {
    return this.measurements.measured.quality['m.x'];
  }
}

const words = (events: readonly AlarmEvent[]): string =>
  events
    .map(({ previous, level, direction, limit, value, cleared, index }) =>
      [`${previous}>${level}`, direction, limit, `at ${value}`, cleared ? 'cleared' : '', index ?? '']
        .filter((each) => each !== '')
        .join(' '),
    )
    .join('; ');

describe('hysteresis', () => {
  it.each<[string, LimitsDeclaration, readonly (readonly [number, string])[]]>([
    [
      'ends a limit only that far within it',
      { ...LIMITS, hysteresis: 2 },
      [
        [30, ''],
        [30.1, 'good>warn above 30 at 30.1'],
        [29, ''],
        [28.1, ''],
        [28, 'warn>good above 30 at 28 cleared'],
        [29.9, ''],
        [30.1, 'good>warn above 30 at 30.1'],
      ],
    ],
    [
      'counts for warnings and alarms, at both sides',
      { ...LIMITS, hysteresis: 2 },
      [
        [51, 'good>alarm above 50 at 51'],
        [49, ''],
        [48, 'alarm>warn above 30 at 48'],
        [28, 'warn>good above 30 at 28 cleared'],
        [-1, 'good>alarm below 0 at -1'],
        [1, ''],
        [2, 'alarm>warn below 10 at 2'],
        [11, ''],
        [12, 'warn>good below 10 at 12 cleared'],
      ],
    ],
    [
      'changes the side at once',
      { ...LIMITS, hysteresis: 2 },
      [
        [31, 'good>warn above 30 at 31'],
        [9, 'warn>warn below 10 at 9'],
        [31, 'warn>warn above 30 at 31'],
      ],
    ],
    [
      'may be written with the unit of the field',
      { ...LIMITS, hysteresis: '0.5 degC' },
      [
        [31, 'good>warn above 30 at 31'],
        [29.6, ''],
        [29.5, 'warn>good above 30 at 29.5 cleared'],
      ],
    ],
  ])('%s', (_, limits, steps) => {
    const bench = new Bench(limits);
    expect(steps.map(([value], index) => [value, bench.say(value, 100 * index)])).toEqual(steps);
  });

  it('makes one alarm of a value that hovers, and keeps its quality', () => {
    const hovering = Array.from({ length: 200 }, (_, index) => 30 + 0.9 * Math.sin(index * 1.3));
    const plain = new Bench(LIMITS);
    const calm = new Bench({ ...LIMITS, hysteresis: 1 });
    const events = (bench: Bench) => hovering.filter((value, index) => bench.say(value, index) !== '').length;
    expect(events(plain)).toBeGreaterThan(50);
    expect(events(calm)).toBe(1);
    expect(calm.quality).toBe('warn');
  });

  it('of an array ends when every element is that far within', () => {
    const bench = new Bench(
      {},
      { type: 'array', count: 3, of: { type: 'u8', limits: { alarm: [null, 100], hysteresis: 10 } } },
    );
    expect(bench.say([5, 101, 120], 0)).toBe('good>alarm above 100 at 101 1');
    expect(bench.say([5, 20, 95], 1)).toBe('');
    expect(bench.say([5, 90, 20], 2)).toBe('alarm>good above 100 at 90 cleared 1');
  });
});

describe('for', () => {
  const limits = { ...LIMITS, forMs: 5_000 };

  it('lets a limit be exceeded, and over, only after so long without a break', () => {
    const bench = new Bench(limits);
    const said = [
      [31, 0],
      [31, 4_000],
      [30, 4_500],
      [31, 5_000],
      [32, 9_999],
      [33, 10_000],
      [20, 11_000],
      [31, 15_999],
      [20, 16_000],
      [21, 21_000],
    ].map(([value = 0, now = 0]) => bench.say(value, now));
    expect(said).toEqual([
      '',
      '',
      '',
      '',
      '',
      // What lasted is told with the value that made it so.
      'good>warn above 30 at 32',
      '',
      '',
      '',
      'warn>good above 30 at 20 cleared',
    ]);
  });

  it('comes to its end without another message, and says when', () => {
    const bench = new Bench(limits);
    bench.say(60, 1_000);
    expect(bench.quality).toBeUndefined();
    expect(bench.measurements.nextDeadline()).toBe(6_000);
    expect(bench.wait(5_999)).toBe('');
    expect(bench.wait(6_000)).toBe('good>alarm above 50 at 60');
    expect(bench.quality).toBe('alarm');
    bench.say(40, 7_000);
    expect(bench.wait(12_000)).toBe('alarm>warn above 30 at 40');
    expect(bench.quality).toBe('warn');
  });

  it('does not go on where the value is stale, by its own period or because the device is offline', () => {
    const slow = new Bench({ ...LIMITS, forMs: 100_000 });
    slow.say(60, 0);
    expect(slow.wait(60_000)).toBe('');
    expect(slow.wait(200_000)).toBe('');
    expect(slow.quality).toBe('stale');
    const gone = new Bench(limits);
    gone.say(60, 0);
    gone.measurements.markStale();
    expect(gone.wait(50_000)).toBe('');
    expect(gone.measurements.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('counts what lasted before a stall of the program, and what came after it', () => {
    const bench = new Bench(limits);
    bench.say(31, 0);
    expect(bench.say(20, 30_000)).toBe('good>warn above 30 at 31');
    expect(bench.wait(35_000)).toBe('warn>good above 30 at 20 cleared');
  });

  it('is kept by an absent value', () => {
    const bench = new Bench(limits);
    bench.say(31, 0);
    bench.measurements.update('m', { y: 1 }, 3_000);
    expect(bench.wait(5_000)).toBe('good>warn above 30 at 31');
  });

  it('is told by the session of a device, though it says nothing more', () => {
    const fields: FieldDeclaration[] = [{ name: 'x', type: 'u8', limits: { alarm: [null, 9], forMs: 700 } }];
    const catalog = new MessageCatalog(declaredProtocol([{ name: 'm', id: 0x10, from: 'device', fields }]));
    const bench = new SessionBench(settings(), () => 0.5, catalog);
    bench.tell({ type: 'started' });
    bench.tell({ type: 'linkOpened', address: '10.0.0.7:9089' });
    bench.message(reply('register'));
    bench.message(reply('heartbeat'));
    bench.message(notice('m', { x: 10 }));
    bench.pass(699);
    expect(bench.alarms).toEqual([]);
    bench.pass(1);
    expect(bench.alarms).toMatchObject([{ field: 'x', level: 'alarm', value: 10 }]);
    expect(bench.state?.quality).toEqual({ 'm.x': 'alarm' });
  });
});
