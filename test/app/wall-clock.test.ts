import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UploadStore } from '../../src/devices/files/upload-store.ts';
import { collapsingLog } from '../../src/system/log-limits.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { HEARTBEAT_REPLY } from '../support/listener-bench.ts';
import { type Fault, faultyDisk, RecorderBench } from '../support/recorder-bench.ts';
import { reply, SessionBench, settings } from '../support/session-bench.ts';

const YEAR_MS = 365 * 24 * 60 * 60_000;
const STEPS = [
  ['forwards', YEAR_MS],
  ['backwards', -YEAR_MS],
] as const;

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-wall-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A session whose wall clock is set between any two events. */
class SteppedBench extends SessionBench {
  stepMs = 0;

  override instant() {
    const { monoMs, wallMs } = super.instant();
    // It is called by the constructor above, too.
    return { monoMs, wallMs: wallMs + (this.stepMs ?? 0) };
  }
}

describe('a wall clock that is set', () => {
  it('changes no deadline and no order of a session', () => {
    const event = fc.oneof(
      fc.record({ pass: fc.integer({ min: 1, max: 12_000 }) }),
      fc.constantFrom({ message: 'heartbeat' as const }, { message: 'register' as const }),
      fc.constant({ opens: true as const }),
    );
    const step = fc.integer({ min: -YEAR_MS, max: YEAR_MS });
    fc.assert(
      fc.property(fc.array(fc.tuple(event, step), { maxLength: 40 }), (events) => {
        const [still, stepped] = [new SteppedBench(settings()), new SteppedBench(settings())];
        const orders = [still, stepped].map((bench) => {
          const out = [bench.tell({ type: 'started' })];
          for (const [each, stepMs] of events) {
            if (bench === stepped) bench.stepMs += stepMs;
            if ('pass' in each) out.push(bench.pass(each.pass));
            else if ('message' in each) out.push(bench.message(reply(each.message)));
            else out.push(bench.tell({ type: 'linkOpened', address: '10.0.0.7:9089' }));
            out.push([String(bench.session.nextDeadline()), bench.axes]);
          }
          return out;
        });
        expect(orders[1]).toEqual(orders[0]);
      }),
    );
  });

  it.each(STEPS)('%s does not let out more lines of the log, nor hold any back', (_, stepMs) => {
    const lines: string[] = [];
    const clock = new FakeClock();
    const note = (_fields: object, text: string) => void lines.push(text);
    const log = collapsingLog({ info: note, warn: note, error: note }, clock);
    for (let round = 0; round < 10; round++) {
      log.warn({ device: 'p1', code: 'silent' }, 'silent');
      clock.stepWall(stepMs);
    }
    expect(lines).toHaveLength(5);
    clock.advance(10_000);
    log.warn({ device: 'p1', code: 'silent' }, 'silent');
    expect(lines.at(-1)).toBe('silent (and 5 more like this before)');
  });

  it.each(STEPS)(
    '%s leaves the times of a trace even, ends none early, and is noted in the next',
    async (_, stepMs) => {
      await using bench = new RecorderBench({ dir, maxAgeMs: 10_000 });
      await bench.recorder.start();
      const tap = bench.tap('p1');
      for (let second = 0; second < 15; second++) {
        tap.received(HEARTBEAT_REPLY);
        await bench.second();
        if (second === 4) bench.clock.stepWall(stepMs);
      }
      await bench.recorder.close();
      const texts = await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name), 'utf8')));
      const traces = texts.map((text) => text.split('\n').filter((line) => /^\d/.test(line)));
      const [first, second] = traces.toSorted((a, b) => b.length - a.length);
      expect(traces).toHaveLength(2);
      expect(first?.map((line) => Number.parseFloat(line))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(second?.[0]).toBe(
        `0.000000 c0 * the clock of this machine was set by ${(stepMs / 1_000).toFixed(1)} s since the trace before began`,
      );
    },
  );

  it.each(STEPS)(
    '%s moves no retry of a recording, and does not change how long its hole is',
    async (_, stepMs) => {
      const fault: Fault = { of: '', at: 'create', code: 'EMFILE' };
      await using bench = new RecorderBench({ dir }, faultyDisk(fault).create);
      await bench.recorder.start();
      bench.tap('p1').received(HEARTBEAT_REPLY);
      await bench.second();
      bench.clock.stepWall(stepMs);
      fault.at = 'never';
      for (let second = 0; second < 58; second++) await bench.second();
      expect(bench.recorder.status()).toMatchObject({ status: 'stopped' });
      for (let second = 0; second < 4; second++) await bench.second();
      expect(bench.recorder.status()).toMatchObject({ status: 'recording' });
      const [name = ''] = await readdir(dir);
      expect(await readFile(join(dir, name), 'utf8')).toMatch(/interrupted for 6\d\.\d s/);
    },
  );

  it.each(STEPS)('%s keeps the order in which files go, and never takes a name twice', async (_, stepMs) => {
    const clock = new FakeClock();
    const uploads = new UploadStore({ dir, maxFileBytes: 1_000, budgetBytes: 1_000_000, maxFiles: 4 }, clock);
    await uploads.start();
    const store = (text: string) =>
      uploads.store('p1', 1, { offset: 0, last: true, data: Buffer.from(text) });
    await store('one');
    clock.stepWall(stepMs);
    await store('two');
    // Back at the very moment of the first one.
    clock.stepWall(-stepMs);
    await store('three');
    await store('four');
    const kept = uploads.files.map(({ id }) => readFile(uploads.find(id)?.path ?? '', 'utf8'));
    expect(await Promise.all(kept)).toEqual(['two', 'three', 'four']);
    await uploads[Symbol.asyncDispose]();
  });

  it.each(STEPS)(
    '%s does not end the wait for a device that has sent a part of a file',
    async (_, stepMs) => {
      const clock = new FakeClock();
      const make = () =>
        new UploadStore({ dir, maxFileBytes: 1_000, budgetBytes: 1_000_000, maxFiles: 4 }, clock);
      const former = make();
      await former.start();
      const half = { total: 2, next: 1, lastSum: 1 };
      await former.store('p1', 1, { offset: 0, last: false, data: Buffer.from('half'), checkpoint: half });
      await former[Symbol.asyncDispose]();
      const uploads = make();
      await uploads.start();
      clock.stepWall(stepMs);
      clock.advance(9 * 60_000);
      expect(uploads.takePartials('p1')).toHaveLength(1);
      await uploads[Symbol.asyncDispose]();
    },
  );
});
