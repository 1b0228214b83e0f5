import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateDocument } from '../../../src/contract/feed/index.ts';
import { Collector } from '../../../src/history/collector.ts';
import { DeviceRecord } from '../../../src/history/device-record.ts';
import { HistoryDatabase } from '../../../src/history/history-database.ts';
import { fieldHistoryOf } from '../../../web/src/api/field-history.ts';
import type { JsonObject } from '../../../web/src/api/json.ts';
import { spanOfValue, statesAt, valueAtMoment } from '../../../web/src/past/state-at.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-truth-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SINCE = Date.UTC(2026, 0, 1);
const LIMITS = { keepMs: 30 * 86_400_000, budgetBytes: 1e9 };
const REASONS = ['heartbeat_missed', 'link_reset', 'no_register'] as const;

/** What a subscriber saw at a moment. */
interface Seen {
  readonly at: number;
  readonly status: string;
  readonly reason: string | undefined;
  readonly link: string;
  readonly alarm: string | undefined;
  /** Undefined: none that this run of the device has measured. */
  readonly value: number | undefined;
  /** The same of a text, which is kept when it is another one. */
  readonly text: string | undefined;
  /** Why there is no value; undefined where there may be one. */
  readonly gap: string | undefined;
}

/** A bridge with one device, its history, and what a subscriber saw of it from moment to moment. */
class Story {
  seen: readonly Seen[] = [];
  #wall = SINCE;
  /** The latest time that there was: at one before it, two things were true. */
  #latest = SINCE;
  #runs = 0;
  readonly #folder = mkdtempSync(join(folder, 'story-'));
  #file = join(this.#folder, '0.db');
  #database = this.#open();
  #collector = new Collector(() => undefined);
  #record = this.#observe();
  #state: { status: StateDocument['status']; reason?: string; link: StateDocument['link']['status'] };
  #alarm: string | undefined;
  #value: number | undefined;
  #text: string | undefined;
  #gap: string | undefined;

  constructor() {
    this.#state = { status: 'unknown', link: 'connecting' };
    this.#begun();
  }

  status(status: StateDocument['status'], reason: (typeof REASONS)[number]): void {
    this.#state = { ...this.#state, status, ...(status === 'online' ? { reason: undefined } : { reason }) };
    if (status === 'online') this.#gap = undefined;
    else this.#gap ??= reason;
    if (status !== 'online') this.#value = this.#text = undefined;
    this.#publish();
  }

  link(link: StateDocument['link']['status']): void {
    this.#state = { ...this.#state, link };
    this.#publish();
  }

  alarm(level: 'alarm' | 'good'): void {
    this.#alarm = level === 'alarm' ? level : undefined;
    const data = JSON.stringify({ message: 'm', field: 'x', level });
    this.#collector.event({ t: this.#wall, device: 'd', kind: 'alarm', data });
    this.#shown();
  }

  measure(value: number): void {
    if (this.#state.status !== 'online') return;
    const text = value < 0 ? '加热' : 'idle';
    this.#record.measured('m', { x: value, mode: text });
    // At a time that came once already, the one before may be the one that is found.
    this.#value = this.#wall > this.#latest ? value : undefined;
    this.#text = this.#wall > this.#latest ? text : undefined;
    this.#shown();
  }

  pass(ms: number): void {
    this.#wall += ms;
  }

  clockBack(ms: number): void {
    this.#latest = Math.max(this.#latest, this.#wall);
    this.#wall -= ms;
    this.#value = this.#text = undefined;
    // What comes now may be another truth of the same time.
    this.seen = this.seen.filter(({ at }) => at <= this.#wall);
  }

  /** Ends the bridge, in order or not, and starts another one. */
  restart(how: 'stopped' | 'killed', awayMs: number): void {
    if (how === 'stopped')
      this.#collector.event({ t: this.#wall, device: '', kind: 'bridge', data: '{"event":"stopped"}' });
    this.#write();
    const next = join(this.#folder, `${++this.#runs}.db`);
    // A copy of what is on the disk is what a killed process leaves.
    if (how === 'stopped') this.#database.close(this.#wall);
    for (const end of ['', '-wal'])
      if (existsSync(`${this.#file}${end}`)) copyFileSync(`${this.#file}${end}`, `${next}${end}`);
    if (how === 'killed') this.#database.close(this.#wall);
    this.#file = next;
    this.#see({ status: 'unknown', reason: 'bridge_not_running', link: '', gap: 'bridge_not_running' });
    this.#wall += awayMs;
    this.#database = this.#open();
    this.#collector = new Collector(() => undefined);
    this.#record = this.#observe();
    this.#state = { status: 'unknown', link: 'connecting' };
    this.#begun();
  }

  /** What the page finds at a moment, asked as it asks. */
  found(at: number): Omit<Seen, 'at'> {
    const all = { device: undefined, kinds: undefined, topics: ['#'], limit: 10_000 };
    const events = this.#database.answer({ kind: 'events', ...all, from: 0, to: at + 1 })?.events;
    const past = (
      events as unknown as ({ at: number; n: number; device?: string; kind: string } & JsonObject)[]
    ).map(({ at: t, n, device = '', kind, ...data }) => ({ at: t, n, device, kind, data }));
    const { status, reason, link, quality } = (statesAt(past).get('d') ?? {}) as {
      readonly [key: string]: unknown;
      readonly link?: JsonObject;
      readonly quality?: JsonObject;
    };
    const asked = (field: string, isText: boolean) => {
      const query = { kind: 'values', device: 'd', field, ...spanOfValue(at, isText), points: 1 } as const;
      return fieldHistoryOf(this.#database.answer(query));
    };
    const history = asked('m.x', false);
    return {
      status: String(status),
      reason: reason as string | undefined,
      link: String(link?.status ?? ''),
      alarm: quality?.['m.x'] as string | undefined,
      value: valueAtMoment(history, at) as number | undefined,
      text: valueAtMoment(asked('m.mode', true), at) as string | undefined,
      gap: history.gaps.find(({ from, to }) => from <= at && at < to)?.reason,
    };
  }

  end(): void {
    this.#write();
  }

  close(): void {
    this.#database.close(this.#wall);
  }

  #open(): HistoryDatabase {
    const database = new HistoryDatabase({ file: this.#file, epoch: 'e', version: 'test', ...LIMITS });
    database.open(this.#wall);
    return database;
  }

  #observe(): DeviceRecord {
    return new DeviceRecord({
      device: 'd',
      fields: undefined,
      collector: this.#collector,
      now: () => this.#wall,
      conceals: () => false,
      admits: () => true,
      closed: () => undefined,
    });
  }

  #begun(): void {
    this.#alarm = undefined;
    this.#value = this.#text = undefined;
    this.#collector.event({ t: this.#wall, device: '', kind: 'bridge', data: '{"event":"started"}' });
    this.#gap = 'unknown';
    this.#publish();
  }

  #publish(): void {
    const { status, reason, link } = this.#state;
    this.#record.state({
      device: 'd',
      status,
      since: this.#wall,
      ...(reason === undefined ? {} : { reason }),
      link: { status: link, transport: 'tcp', since: this.#wall, attempt: 0 },
    });
    this.#shown();
  }

  #shown(): void {
    const { status, reason, link } = this.#state;
    this.#see({ status, reason, link, gap: this.#gap });
  }

  #see(state: Pick<Seen, 'status' | 'reason' | 'link' | 'gap'>): void {
    const runs = state.gap !== 'bridge_not_running';
    this.#wall += 1;
    if (this.#wall <= this.#latest) return;
    const alarm = runs ? this.#alarm : undefined;
    const [value, text] = runs && state.gap === undefined ? [this.#value, this.#text] : [];
    this.seen = [...this.seen, { ...state, at: this.#wall, alarm, value, text }];
  }

  #write(): void {
    const { batch } = this.#collector.take(this.#wall);
    this.#database.write(batch);
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('measure' as const), fc.integer({ min: -999, max: 999 })) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant('status' as const),
      fc.constantFrom('online' as const, 'online' as const, 'offline' as const, 'stale' as const),
      fc.constantFrom(...REASONS),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('link' as const),
      fc.constantFrom('connected' as const, 'backoff' as const, 'listening' as const),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('alarm' as const), fc.constantFrom('alarm' as const, 'good' as const)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant('restart' as const),
      fc.constantFrom('stopped' as const, 'killed' as const),
      fc.integer({ min: 2, max: 100_000 }),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('clockBack' as const), fc.integer({ min: 1, max: 30_000 })) },
);

function perform(story: Story, each: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
  switch (each[0]) {
    case 'measure':
      return story.measure(each[1]);
    case 'status':
      return story.status(each[1], each[2]);
    case 'link':
      return story.link(each[1]);
    case 'alarm':
      return story.alarm(each[1]);
    case 'restart':
      return story.restart(each[1], each[2]);
    case 'clockBack':
      return story.clockBack(each[1]);
  }
}

describe('the page at a past moment', { timeout: 120_000 }, () => {
  it('shows what a subscriber saw then: both axes with their reasons, alarms, values and why there are none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 20_000 }), step), { minLength: 1, maxLength: 40 }),
        (steps) => {
          const story = new Story();
          try {
            for (const [ms, each] of steps) {
              story.pass(ms);
              perform(story, each);
            }
            story.end();
            for (const { at, value, text, gap, ...seen } of story.seen) {
              const found = story.found(at);
              expect({ ...found, at }).toMatchObject({ ...seen, at });
              if (value !== undefined) expect([at, found.value, found.text]).toEqual([at, value, text]);
              if (gap === undefined) continue;
              // Before the first value of all there is another reason.
              const reason = found.gap === 'not_kept' || found.gap === undefined ? found.gap : gap;
              expect([at, found.value, found.text, found.gap]).toEqual([at, undefined, undefined, reason]);
            }
          } finally {
            story.close();
          }
        },
      ),
      { numRuns: 100, seed: 16, endOnFailure: true },
    );
  });

  it('shows what came last where the clock was set back, once that time is over', () => {
    const story = new Story();
    try {
      story.status('online', 'link_reset');
      story.pass(5_000);
      story.measure(1);
      story.pass(60_000);
      story.status('offline', 'link_reset');
      story.link('backoff');
      story.clockBack(30_000);
      story.link('connected');
      story.status('online', 'link_reset');
      story.pass(90_000);
      story.measure(2);
      story.end();
      const at = story.seen.at(-1)?.at ?? 0;
      expect(story.found(at)).toMatchObject({
        status: 'online',
        link: 'connected',
        value: 2,
        gap: undefined,
      });
      // Without a value since then, which would show that it was there.
      expect(story.found(at - 10_000)).toMatchObject({
        status: 'online',
        link: 'connected',
        value: 1,
        gap: undefined,
      });
    } finally {
      story.close();
    }
  });
});
