import { mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CreateFile } from '../../src/recording/recording-store.ts';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { HEARTBEAT_REPLY, REGISTERED } from '../support/listener-bench.ts';
import { type Fault, faultyDisk, RecorderBench } from '../support/recorder-bench.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-holes-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const BEAT = HEARTBEAT_REPLY.length;
const tracesOf = async (device: string): Promise<string[]> =>
  (await readdir(dir)).filter((name) => name.startsWith(`${device}.`)).sort();
const linesOf = async (name = ''): Promise<string[]> =>
  (await readFile(join(dir, name), 'utf8')).split('\n').filter((line) => /^\d/.test(line));

describe('a disk that fails for one device', () => {
  it.each<[Fault['at'], Fault['code']]>([
    ['write', 'ENOSPC'],
    ['create', 'EMFILE'],
  ])(
    'at %s with %s stops the trace of that one, which comes back by itself with a note on the hole',
    async (at, code) => {
      const fault: Fault = { of: 'p1.', at: 'never', code };
      const disk = faultyDisk(fault);
      await using bench = new RecorderBench(
        { dir, maxFileBytes: at === 'create' ? 1 : 1_000_000 },
        disk.create,
      );
      await bench.recorder.start();
      const [bad, good] = [bench.tap('p1'), bench.tap('p2')];
      for (const tap of [bad, good]) {
        tap.opened('10.0.0.7:9089');
        tap.received(REGISTERED);
      }
      await bench.second();
      fault.at = at;
      bad.received(HEARTBEAT_REPLY);
      const failedAt = bench.clock.now().wallMs;
      await bench.second();
      expect(bench.recorder.status()).toMatchObject({
        status: 'interrupted',
        reason: 'recording_failed',
        detail: `${code}: it failed, ${at}`,
        since: failedAt,
        missed_bytes: BEAT,
        interrupted_count: 1,
        interrupted: [{ device: 'p1', since: failedAt, missed_bytes: BEAT }],
      });
      expect(bench.errors).toEqual([expect.stringContaining('recording of p1')]);
      expect(bench.recorder.note('p1', 'not written')).toBe(false);
      const tries = disk.created;
      bad.received(HEARTBEAT_REPLY);
      bad.sent(HEARTBEAT_REPLY);
      good.received(HEARTBEAT_REPLY);
      await bench.minute();
      // It is tried again once in a minute, and leaves no empty file behind.
      const own = at === 'create' ? 2 : 1;
      expect(disk.created - tries).toBe(own);
      expect(await tracesOf('p1')).toHaveLength(1);
      expect(bench.errors).toHaveLength(1);
      expect(bench.recorder.status()).toMatchObject({ missed_bytes: 3 * BEAT, interrupted_count: 1 });
      fault.at = 'never';
      await bench.minute();
      expect(bench.recorder.status()).toMatchObject({ status: 'recording', missed_bytes: 3 * BEAT });
      expect(bench.infos).toEqual([`recording of p1 goes on; ${3 * BEAT} bytes are missing in it`]);
      bad.received(HEARTBEAT_REPLY);
      await bench.recorder.close();
      const [first, second] = await tracesOf('p1');
      expect(await linesOf(second)).toEqual([
        expect.stringMatching(
          new RegExp(
            `^0.000000 c0 \\* recording was interrupted for \\d+\\.\\d s, and ${3 * BEAT} bytes are missing: recording_failed: ${code}`,
          ),
        ),
        // The bytes behind the hole do not join those before it.
        expect.stringMatching(/^0\.000000 c[3-9] = open 10\.0\.0\.7:9089$/),
        expect.stringMatching(/ c[3-9] < 000000020100$/),
      ]);
      expect(await linesOf(first)).toHaveLength(2);
      const others = (await Promise.all((await tracesOf('p2')).map(linesOf))).flat();
      expect(others.filter((line) => line.includes(' < '))).toHaveLength(2);
    },
  );

  it('is noted where it is replayed', async () => {
    const fault: Fault = { of: '', at: 'write', code: 'ENOSPC' };
    await using bench = new RecorderBench({ dir }, faultyDisk(fault).create);
    await bench.recorder.start();
    const tap = bench.tap('p1');
    tap.received(HEARTBEAT_REPLY);
    await bench.second();
    expect(bench.recorder.status()).toMatchObject({ status: 'stopped' });
    expect(await readdir(dir)).toEqual([]);
    fault.at = 'never';
    await bench.minute();
    await bench.recorder.close();
    const [name = ''] = await tracesOf('p1');
    const device = replay(traceFixture(join(dir, name)));
    device.playToEnd();
    expect(device.lines).toContainEqual(
      expect.objectContaining({ note: expect.stringContaining(`${BEAT} bytes are missing`) }),
    );
  });

  it('does not make one of the halves of two frames, however many traces are replayed together', async () => {
    const fault: Fault = { of: '', at: 'never', code: 'ENOSPC' };
    await using bench = new RecorderBench({ dir }, faultyDisk(fault).create);
    await bench.recorder.start();
    const tap = bench.tap('p1');
    tap.opened('10.0.0.7:9089');
    tap.received(REGISTERED);
    tap.received(HEARTBEAT_REPLY.slice(0, 3));
    await bench.second();
    fault.at = 'write';
    tap.received(HEARTBEAT_REPLY.slice(3));
    await bench.second();
    fault.at = 'never';
    await bench.minute();
    tap.received(HEARTBEAT_REPLY);
    await bench.recorder.close();
    const { runCli } = await import('../cli/check-io.ts');
    const { out, code } = await runCli(['replay', ...(await tracesOf('p1'))], dir);
    expect(code).toBe(0);
    expect(out.match(/"message":"heartbeat"/g)).toHaveLength(1);
    expect(out).toContain(`${BEAT - 3} bytes are missing`);
    // The half before the hole is all that belongs to no frame.
    expect(out.match(/"discarded":\{"count":\d+,"reason":"\w+"/g)).toEqual([
      '"discarded":{"count":3,"reason":"truncated"',
    ]);
    expect(out).not.toMatch(/"fault":|"unread":/);
  });

  it('that hangs in a write holds up no other device, and not the end', async () => {
    const hangs: CreateFile = async (path, mode) => {
      const file = await open(path, mode === 'new' ? 'wx' : 'a');
      const write = path.includes('p1.') ? () => new Promise<never>(() => undefined) : undefined;
      return {
        write: write ?? ((bytes, offset, length) => file.write(bytes, offset, length)),
        close: () => file.close(),
      };
    };
    const bench = new RecorderBench({ dir }, hangs);
    await bench.recorder.start();
    const [bad, good] = [bench.tap('p1'), bench.tap('p2')];
    bad.received(HEARTBEAT_REPLY);
    bench.clock.advance(1_000);
    good.received(HEARTBEAT_REPLY);
    bench.clock.advance(1_000);
    await expect.poll(async () => (await tracesOf('p2')).length).toBe(1);
    const chunk = new Uint8Array(1024 * 1024);
    for (let index = 0; index < 33; index++) bad.received(chunk);
    bench.clock.advance(1_000);
    expect(bench.recorder.status()).toMatchObject({
      status: 'interrupted',
      interrupted: [{ device: 'p1', reason: 'recording_behind' }],
    });
    await bench.recorder.close();
    expect(await linesOf((await tracesOf('p2'))[0])).toHaveLength(1);
  });

  it('that hangs in a write is tried again once that write has ended', async () => {
    let letGo = (): void => undefined;
    const write = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const slow: CreateFile = async (path, mode) => {
      const file = await open(path, mode === 'new' ? 'wx' : 'a');
      return {
        write: async (bytes, offset, length) => {
          await write;
          return file.write(bytes, offset, length);
        },
        close: () => file.close(),
      };
    };
    await using bench = new RecorderBench({ dir }, slow);
    await bench.recorder.start();
    const tap = bench.tap('p1');
    tap.received(HEARTBEAT_REPLY);
    bench.clock.advance(1_000);
    const chunk = new Uint8Array(1024 * 1024);
    for (let index = 0; index < 33; index++) tap.received(chunk);
    bench.clock.advance(70_000);
    expect(bench.recorder.status()).toMatchObject({ status: 'stopped', reason: 'recording_behind' });
    letGo();
    await bench.recorder.flushed();
    await bench.minute();
    expect(bench.recorder.status()).toMatchObject({
      status: 'recording',
      missed_bytes: BEAT + 33 * chunk.length,
    });
  });
});

describe('a disk that fails for all', () => {
  it('is a few lines of the log, however many devices there are', async () => {
    const fault: Fault = { of: '', at: 'create', code: 'EMFILE' };
    await using bench = new RecorderBench({ dir }, faultyDisk(fault).create);
    await bench.recorder.start();
    for (let index = 0; index < 200; index++) bench.tap(`p${index}`).received(HEARTBEAT_REPLY);
    await bench.second();
    await bench.second();
    expect(bench.errors.length + bench.warnings.length).toBeLessThan(10);
    expect(bench.warnings.join()).toContain('200 are interrupted');
    expect(bench.recorder.status()).toMatchObject({ status: 'stopped', interrupted_count: 200 });
    fault.at = 'never';
    await bench.minute();
    expect(bench.recorder.status()).toMatchObject({ status: 'recording', files: 200 });
    expect(bench.infos.length).toBeLessThan(10);
  });

  it('is tried again where the folder itself could not be used, and counts what was missed', async () => {
    const blocked = join(dir, 'traces');
    await writeFile(blocked, '');
    await using bench = new RecorderBench({ dir: blocked });
    await bench.recorder.start();
    const tap = bench.tap('p1');
    tap.opened('10.0.0.7:9089');
    tap.received(HEARTBEAT_REPLY);
    await bench.second();
    expect(bench.recorder.status()).toMatchObject({
      status: 'stopped',
      reason: 'recording_failed',
      missed_bytes: BEAT,
    });
    await rename(blocked, join(dir, 'elsewhere'));
    await bench.minute();
    await expect.poll(() => bench.recorder.status()).toMatchObject({ status: 'recording', files: 1 });
    expect(bench.errors).toHaveLength(1);
  });

  it('lets go of what a device that is gone could not record', async () => {
    const fault: Fault = { of: '', at: 'create', code: 'EMFILE' };
    await using bench = new RecorderBench({ dir }, faultyDisk(fault).create);
    await bench.recorder.start();
    bench.tap('p1').received(HEARTBEAT_REPLY);
    await bench.second();
    bench.recorder.retire('p1');
    await bench.second();
    expect(bench.recorder.status()).toMatchObject({ status: 'recording', devices: 0, missed_bytes: BEAT });
  });
});

describe('the budget of recordings', () => {
  const BLOCK = 4_096;

  it('counts whole blocks and files, of earlier runs too', async () => {
    for (let index = 0; index < 30; index++) {
      await writeFile(join(dir, `old.20200101T0000000${String(index).padStart(2, '0')}Z.trace`), 'x');
    }
    await using bench = new RecorderBench({ dir, budgetBytes: 100 * BLOCK, maxFiles: 12 });
    await bench.recorder.start();
    expect(bench.recorder.status()).toMatchObject({ files: 12, bytes: 12 * BLOCK });
    expect(await readdir(dir)).toHaveLength(12);
    bench.tap('p1').received(HEARTBEAT_REPLY);
    await bench.second();
    expect(await tracesOf('p1')).toHaveLength(1);
    expect(await readdir(dir)).toHaveLength(12);
  });

  it('is not used up by one device: the traces of the one that has the most go first', async () => {
    await using bench = new RecorderBench({ dir, budgetBytes: 20 * BLOCK, maxFileBytes: BLOCK });
    await bench.recorder.start();
    const [quiet, loud] = [bench.tap('quiet'), bench.tap('loud')];
    quiet.received(HEARTBEAT_REPLY);
    for (let second = 0; second < 60; second++) {
      loud.received(new Uint8Array(BLOCK));
      await bench.second();
    }
    expect(await linesOf((await tracesOf('quiet'))[0])).toHaveLength(1);
    expect((await tracesOf('loud')).length).toBeGreaterThan(3);
    expect(bench.recorder.status()).toMatchObject({ status: 'recording', missed_bytes: 0 });
    expect(Number(bench.recorder.status().bytes)).toBeLessThanOrEqual(20 * BLOCK);
  });

  it('makes the device with the largest open trace end it where no finished one is left', async () => {
    await using bench = new RecorderBench({ dir, budgetBytes: 20 * BLOCK });
    await bench.recorder.start();
    const taps = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6'].map((device) => bench.tap(device));
    for (const [index, tap] of taps.entries()) tap.received(new Uint8Array(index === 0 ? 8_000 : 6_000));
    await bench.second();
    for (let second = 0; second < 10; second++) {
      for (const tap of taps) tap.received(HEARTBEAT_REPLY);
      await bench.second();
    }
    expect(bench.recorder.status()).toMatchObject({ status: 'recording', missed_bytes: 0 });
    expect(Number(bench.recorder.status().bytes)).toBeLessThanOrEqual(20 * BLOCK);
    for (const device of ['p1', 'p2', 'p3', 'p4', 'p5', 'p6']) expect(await tracesOf(device)).not.toEqual([]);
  });

  it('interrupts a device for which there is no room at all, until there is', async () => {
    await using bench = new RecorderBench({ dir, maxFiles: 1 });
    await bench.recorder.start();
    const [one, other] = [bench.tap('p1'), bench.tap('p2')];
    one.received(HEARTBEAT_REPLY);
    await bench.second();
    other.received(HEARTBEAT_REPLY);
    await bench.second();
    expect(bench.recorder.status()).toMatchObject({
      status: 'interrupted',
      interrupted: [{ device: 'p2', reason: 'recording_budget', missed_bytes: BEAT }],
    });
    bench.recorder.retire('p1');
    await bench.minute();
    expect(bench.recorder.status()).toMatchObject({ status: 'recording', files: 1, missed_bytes: BEAT });
    expect(await tracesOf('p2')).toHaveLength(1);
  });
});
