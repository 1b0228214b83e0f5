import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CreateFile, RecorderSettings } from '../../src/recording/recording-store.ts';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { HEARTBEAT, HEARTBEAT_REPLY, REGISTERED } from '../support/listener-bench.ts';
import { RecorderBench } from '../support/recorder-bench.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-'));
});

class Bench extends RecorderBench {
  constructor(changes: Partial<RecorderSettings> = {}, createFile?: CreateFile) {
    super({ dir, ...changes }, createFile);
  }
}

const traces = async (): Promise<string[]> => (await readdir(dir)).sort();
const text = async (name: string): Promise<string> => readFile(join(dir, name), 'utf8');
const tapOf = (bench: Bench, device: string) => {
  const tap = bench.recorder.tap(device);
  if (tap === undefined) throw new Error(`${device} is not recorded`);
  return tap;
};

function session(bench: Bench, tap: ReturnType<typeof tapOf>): void {
  tap.dialled?.('10.0.0.7:9089');
  bench.clock.advance(10);
  tap.opened?.('10.0.0.7:9089');
  bench.clock.advance(20);
  tap.received?.(REGISTERED.slice(0, 3));
  tap.received?.(REGISTERED.slice(3));
  tap.received?.(HEARTBEAT_REPLY);
}

describe('a recorder', () => {
  it('writes both directions, chunks, life and notes, in a trace that replays', async () => {
    const bench = new Bench();
    await bench.recorder.start();
    const tap = tapOf(bench, 'p1');
    session(bench, tap);
    tap.sent?.(HEARTBEAT);
    tap.idle?.();
    expect(bench.recorder.note('p1', 'wiggled\nthe cable')).toBe(true);
    expect(bench.recorder.note('secret', 'x')).toBe(false);
    bench.clock.advance(400);
    tap.closed?.({ code: 'link_reset', detail: 'The other side reset it.' });
    await bench.recorder.close();
    const [name = ''] = await traces();
    expect(name).toBe('p1.20260101T000000000Z.trace'.replace('000000000', name.slice(12, 21)));
    const lines = (await text(name)).split('\n').filter((line) => /^\d/.test(line));
    expect(lines).toEqual([
      '0.000000 c1 = dial 10.0.0.7:9089',
      '0.010000 c1 = open 10.0.0.7:9089',
      '0.030000 c1 < 000000',
      '0.030000 c1 < 020000',
      '0.030000 c1 < 000000020100',
      '0.030000 c1 > 0000000101',
      '0.030000 c1 = idle',
      '0.030000 c1 * wiggled the cable',
      '0.430000 c1 = close link_reset The other side reset it.',
    ]);
    const device = replay(traceFixture(join(dir, name)));
    expect(device.playTo(0.1).state.status).toBe('online');
    expect(device.playToEnd().state).toMatchObject({ status: 'offline', reason: 'link_reset' });
  });

  it('ends a trace with its link where the device is spoken to in another way from then on', async () => {
    await using bench = new Bench();
    await bench.recorder.start();
    const old = tapOf(bench, 'p1');
    session(bench, old);
    bench.recorder.retire('p1');
    session(bench, tapOf(bench, 'p1'));
    await bench.second();
    expect(await traces()).toHaveLength(2);
    const first = (await Promise.all((await traces()).map(text))).findIndex((each) => each.includes(' c1 '));
    const name = (await traces())[first] ?? '';
    expect(await text(name)).not.toContain('#end');
    old.closed?.({ code: 'link_ended', detail: 'We closed the link.' });
    await bench.second();
    await bench.second();
    expect(await text(name)).toMatch(/ c1 = close link_ended We closed the link\.\n#sum \w+\n#end\n$/);
    expect(await text(name)).not.toContain(' c2 ');
    expect(bench.recorder.status()).toMatchObject({ devices: 1, files: 2 });
  });

  it('has on the disk what is older than a second, and can be read if it ends there', async () => {
    const bench = new Bench();
    await bench.recorder.start();
    session(bench, tapOf(bench, 'p1'));
    await bench.second();
    const [name = ''] = await traces();
    await expect.poll(() => text(name)).toMatch(/020000\n.*000000020100\n#sum [0-9a-f]{8}\n$/s);
    const trace = traceFixture(join(dir, name));
    expect(trace.warnings.join()).toMatch(/cut short: its last line is not #end\.$/);
    expect(replay(trace).playTo(0.1).state.status).toBe('online');
    await bench.recorder.close();
  });

  it.each([false, true])(
    'begins a new trace when one is large (gzip: %s); together they replay as one',
    async (gzip) => {
      const bench = new Bench({ maxFileBytes: 200, gzip });
      await bench.recorder.start();
      const tap = tapOf(bench, 'p1');
      session(bench, tap);
      for (let beat = 0; beat < 8; beat++) {
        await bench.second();
        tap.received?.(HEARTBEAT_REPLY);
      }
      await bench.recorder.close();
      const names = await traces();
      expect(names.length).toBeGreaterThan(2);
      for (const name of names) expect(name).toMatch(gzip ? /\.trace\.gz$/ : /\.trace$/);
      const [first, second] = names.map((name) => traceFixture(join(dir, name)));
      expect(first?.warnings).toEqual([]);
      // A link that goes on is named where the next one begins.
      expect(second?.events[0]).toMatchObject({
        connection: 'c1',
        fact: { kind: 'life', word: 'open', detail: '10.0.0.7:9089' },
      });
      const { runCli } = await import('../cli/check-io.ts');
      const { out, code } = await runCli(['replay', ...names], dir);
      expect(code).toBe(0);
      expect(out.match(/"message":"heartbeat"/g)).toHaveLength(9);
      expect(out).not.toContain('"unread"');
    },
  );

  it.runIf(existsSync('/proc/self/fd')).each([false, true])(
    'keeps no descriptor for a device that is away, and goes on in the same trace (gzip: %s)',
    async (gzip) => {
      await using bench = new Bench({ gzip });
      await bench.recorder.start();
      const open = () =>
        readdirSync('/proc/self/fd').filter((fd) => {
          try {
            return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir);
          } catch {
            // It was that of this very look.
            return false;
          }
        }).length;
      for (let life = 0; life < 3; life++) {
        const tap = tapOf(bench, 'p1');
        session(bench, tap);
        await bench.second();
        expect(open()).toBe(1);
        for (let second = 0; second < 20; second++) await bench.second();
        // As long as there is a link, it may speak at any time.
        expect(open()).toBe(1);
        tap.closed?.({ code: 'link_reset', detail: 'over' });
        for (let second = 0; second < 20; second++) await bench.second();
        expect(open()).toBe(0);
      }
      await bench.recorder.close();
      const [name = '', ...others] = await traces();
      expect(others).toEqual([]);
      const trace = traceFixture(join(dir, name));
      expect(trace.warnings).toEqual([]);
      const ends = trace.events.filter(({ fact }) => fact.kind === 'life' && fact.word === 'close');
      expect(ends).toHaveLength(3);
    },
  );

  it('begins a new trace when one is old', async () => {
    const bench = new Bench({ maxAgeMs: 2_000 });
    await bench.recorder.start();
    const tap = tapOf(bench, 'p1');
    session(bench, tap);
    for (let beat = 0; beat < 5; beat++) {
      await bench.second();
      tap.received?.(HEARTBEAT_REPLY);
    }
    await bench.recorder.close();
    expect((await traces()).length).toBeGreaterThan(1);
  });

  it('keeps its budget: the oldest traces go first, those of earlier runs too, and nothing else', async () => {
    const old = 'p1.20200101T000000000Z.trace';
    await writeFile(join(dir, old), 'x'.repeat(3_000));
    await writeFile(join(dir, 'mine.txt'), 'x'.repeat(3_000));
    const bench = new Bench({ maxFileBytes: 600, budgetBytes: 20_480 });
    await bench.recorder.start();
    const tap = tapOf(bench, 'p1');
    session(bench, tap);
    for (let beat = 0; beat < 20; beat++) {
      await bench.second();
      for (let index = 0; index < 10; index++) tap.received?.(HEARTBEAT_REPLY);
    }
    await bench.recorder.close();
    const names = await traces();
    expect(names).toContain('mine.txt');
    expect(names).not.toContain(old);
    const sizes = await Promise.all(
      names.filter((name) => name !== 'mine.txt').map(async (name) => (await stat(join(dir, name))).size),
    );
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.length).toBeLessThanOrEqual(5);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(4_096);
    expect(bench.recorder.status()).toMatchObject({ status: 'recording' });
  });

  it('is interrupted where there is not even room for one trace, and says so', async () => {
    const bench = new Bench({ budgetBytes: 300 });
    await bench.recorder.start();
    session(bench, tapOf(bench, 'p1'));
    bench.clock.advance(1_000);
    await expect
      .poll(() => bench.recorder.status())
      .toMatchObject({ status: 'stopped', reason: 'recording_budget' });
    expect(await traces()).toEqual([]);
  });

  it('is interrupted when the disk is full, with the reason, and goes on being harmless', async () => {
    const full: CreateFile = async (path) => {
      const file = await open(path, 'wx');
      const write = async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
      return { write, close: () => file.close() };
    };
    const bench = new Bench({}, full);
    await bench.recorder.start();
    const tap = tapOf(bench, 'p1');
    session(bench, tap);
    bench.clock.advance(1_000);
    await expect
      .poll(() => bench.recorder.status())
      .toMatchObject({
        status: 'stopped',
        reason: 'recording_failed',
        detail: expect.stringContaining('ENOSPC'),
      });
    expect(bench.errors).toHaveLength(1);
    for (let index = 0; index < 100; index++) tap.received?.(HEARTBEAT_REPLY);
    bench.clock.advance(10_000);
    await bench.recorder.close();
    expect(bench.errors).toHaveLength(1);
  });

  it('is interrupted when the disk is too slow, and holds no more than its bound', async () => {
    const slow: CreateFile = async () => ({
      write: () => new Promise(() => undefined),
      close: async () => undefined,
    });
    const bench = new Bench({}, slow);
    await bench.recorder.start();
    const tap = tapOf(bench, 'p1');
    session(bench, tap);
    bench.clock.advance(600);
    const chunk = new Uint8Array(1024 * 1024);
    for (let index = 0; index < 33; index++) tap.received?.(chunk);
    bench.clock.advance(600);
    expect(bench.recorder.status()).toMatchObject({ status: 'stopped', reason: 'recording_behind' });
  });

  it('cannot begin in a folder that is none, and says so', async () => {
    await writeFile(join(dir, 'file'), '');
    const bench = new Bench({ dir: join(dir, 'file') });
    await bench.recorder.start();
    expect(bench.recorder.status()).toMatchObject({ status: 'stopped', reason: 'recording_failed' });
  });
});

describe('a link without a name', () => {
  it('is held, and written once it has one', async () => {
    const bench = new Bench();
    await bench.recorder.start();
    const tap = bench.recorder.tapDialIn();
    tap?.opened?.('10.0.0.7:51234');
    tap?.received?.(HEARTBEAT);
    bench.clock.advance(100);
    tap?.sent?.(HEARTBEAT_REPLY);
    bench.clock.advance(100);
    tap?.named('in-1');
    tap?.received?.(HEARTBEAT);
    tap?.closed?.({ code: 'link_closed', detail: 'over' });
    await bench.recorder.close();
    const [name = ''] = await traces();
    expect((await text(name)).split('\n').filter((line) => /^\d/.test(line))).toEqual([
      '0.000000 c1 = open 10.0.0.7:51234',
      '0.000000 c1 < 0000000101',
      '0.100000 c1 > 000000020100',
      '0.200000 c1 < 0000000101',
      '0.200000 c1 = close link_closed over',
    ]);
  });

  it('is held within bounds, and what is missing is noted', async () => {
    const bench = new Bench();
    await bench.recorder.start();
    const tap = bench.recorder.tapDialIn();
    tap?.opened?.('10.0.0.7:51234');
    for (let index = 0; index < 200; index++) tap?.received?.(new Uint8Array(1_000));
    tap?.named('in-1');
    await bench.recorder.close();
    const [name = ''] = await traces();
    const written = await text(name);
    expect(written.length).toBeLessThan(160_000);
    expect(written).toMatch(/ \* \d+ bytes before the link had a name are missing/);
  });

  it('that is handed on keeps all that came with its register, however much that is', async () => {
    const bench = new Bench();
    await bench.recorder.start();
    const tap = bench.recorder.tapDialIn();
    tap?.opened?.('10.0.0.7:51234');
    tap?.transferred('10.0.0.7:51234', new Uint8Array(65_536), 'it registered');
    tap?.named('in-1');
    await bench.recorder.close();
    const [name = ''] = await traces();
    expect(await text(name)).toContain(`c1 < ${'00'.repeat(65_536)}\n`);
  });

  it('that is handed on is written into the trace of its next device from its register on', async () => {
    const bench = new Bench();
    await bench.recorder.start();
    const tap = bench.recorder.tapDialIn();
    tap?.opened?.('10.0.0.7:51234');
    tap?.named('in-1');
    tap?.received?.(HEARTBEAT);
    tap?.transferred('10.0.0.7:51234', Uint8Array.of(2), 'it registered');
    tap?.sent?.(HEARTBEAT_REPLY);
    tap?.named('in-2');
    tap?.received?.(HEARTBEAT);
    tap?.closed?.({ code: 'link_closed', detail: 'over' });
    await bench.recorder.close();
    const written = await Promise.all((await traces()).map(text));
    const lines = written.map((each) => each.split('\n').filter((line) => /^\d/.test(line)));
    expect(lines.toSorted((a, b) => a.length - b.length)).toEqual([
      [
        '0.000000 c1 = open 10.0.0.7:51234',
        '0.000000 c1 < 0000000101',
        '0.000000 c1 = close link_closed it registered',
      ],
      [
        '0.000000 c1 = open 10.0.0.7:51234',
        '0.000000 c1 < 02',
        '0.000000 c1 > 000000020100',
        '0.000000 c1 < 0000000101',
        '0.000000 c1 = close link_closed over',
      ],
    ]);
  });

  it('leaves nothing where it never gets one, or belongs to a device that is not recorded', async () => {
    const bench = new Bench();
    await bench.recorder.start();
    const [one, other] = [bench.recorder.tapDialIn(), bench.recorder.tapDialIn()];
    one?.received?.(HEARTBEAT);
    one?.closed?.({ code: 'link_closed', detail: 'over' });
    other?.received?.(HEARTBEAT);
    other?.named('secret');
    other?.received?.(HEARTBEAT);
    await bench.recorder.close();
    expect(await traces()).toEqual([]);
  });
});
