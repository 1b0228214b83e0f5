import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IncidentsDocument, StateDocument } from '../../src/contract/feed/index.ts';
import type { JsonObject } from '../../src/contract/wire/index.ts';
import { BlackBox } from '../../src/recording/black-box.ts';
import type { CreateFile } from '../../src/recording/recording-store.ts';
import { readMeta } from '../../src/recording/trace-meta.ts';
import { FakeClock } from '../support/fake-clock.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-box-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const head = { startMs: 0, meta: { session: 'none', silence: '10s', transport: 'tcp' } };
const described = (device: string) => readMeta({ ...head, meta: { ...head.meta, device } }, device, 'test');

class Bench {
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly secret = new Set<string>();
  published: JsonObject = {};
  readonly box: BlackBox;

  constructor(changes: { readonly diskBytes?: number; readonly createFile?: CreateFile } = {}) {
    const { createFile, ...settings } = changes;
    const note = (_: object, text: string): void => void this.lines.push(text);
    this.box = new BlackBox({
      settings: {
        dir,
        beforeMs: 60_000,
        afterMs: 5_000,
        maxBytes: 64 * 1_024,
        budgetBytes: 4 * 1_024 * 1_024,
        diskBytes: 1_024 * 1_024,
        maxFiles: 100,
        ...settings,
      },
      clock: this.clock,
      log: { info: note, warn: note, error: note },
      publisher: {
        publishState: (_, document) => {
          this.published = document;
        },
        removeState: () => undefined,
        publishEvent: () => undefined,
      },
      describe: described,
      busOf: () => undefined,
      isSecret: (device) => this.secret.has(device),
      createFile,
    });
  }

  /** A device that is online and said something. */
  online(device: string): void {
    const tap = this.box.tap(device);
    const observer = this.box.observe({ id: device });
    tap?.opened?.('10.0.0.7:1');
    tap?.received?.(Uint8Array.of(1, 2, 3));
    observer.state(state(device, 'online'));
    this.#observers.set(device, observer);
  }

  offline(device: string): void {
    this.#observers.get(device)?.state(state(device, 'offline'));
  }

  /** What follows an incident passes, and its trace is written. */
  async passes(ms = 5_000): Promise<IncidentsDocument> {
    this.clock.advance(ms);
    await this.box.settled();
    return this.published as unknown as IncidentsDocument;
  }

  readonly #observers = new Map<string, ReturnType<BlackBox['observe']>>();
}

const state = (device: string, status: StateDocument['status']): StateDocument => ({
  device,
  status,
  since: 0,
  ...(status === 'offline' ? { reason: 'link_reset', detail: 'gone' } : {}),
  link: { status: status === 'online' ? 'connected' : 'backoff', transport: 'tcp', since: 0, attempt: 0 },
});

describe('a black box', () => {
  it('writes few traces where a switch takes a thousand devices along, and names the others', async () => {
    const bench = new Bench();
    const devices = Array.from({ length: 1_000 }, (_, index) => `d${index}`);
    for (const device of devices) bench.online(device);
    for (const device of devices) bench.offline(device);
    const { incidents, omitted, files } = await bench.passes();
    expect(files).toBe(20);
    expect(await readdir(dir)).toHaveLength(20);
    expect(omitted).toBe(980);
    const [latest] = Object.values(incidents).filter(({ others }) => others !== undefined);
    expect(latest).toMatchObject({ others_count: 980 });
    expect(latest?.others).toHaveLength(100);
    expect(bench.lines.filter((line) => line.includes('980 more incidents'))).toHaveLength(1);
  });

  it('joins what goes wrong until the trace is written, and holds back a device that comes and goes', async () => {
    const bench = new Bench();
    bench.online('p');
    for (let turn = 0; turn < 3; turn++) {
      bench.offline('p');
      bench.clock.advance(500);
      bench.online('p');
    }
    const { incidents } = await bench.passes();
    expect(Object.values(incidents)).toMatchObject([{ device: 'p', also: [{ reason: 'offline' }, {}] }]);
    for (let turn = 0; turn < 20; turn++) {
      bench.offline('p');
      await bench.passes(6_000);
      bench.online('p');
    }
    expect(Object.keys((await bench.passes()).incidents).length).toBeLessThanOrEqual(5);
  });

  it('keeps nothing of a device whose words are secret, nor of one that becomes so', async () => {
    const bench = new Bench();
    bench.secret.add('s');
    bench.online('s');
    bench.online('p');
    bench.offline('s');
    expect(bench.box.mark('s', 'smoke')).toBe(false);
    bench.offline('p');
    bench.secret.add('p');
    bench.box.secrecyChanged();
    expect(bench.box.memoryBytes).toBe(0);
    const { incidents, not_kept: notKept } = await bench.passes();
    expect(incidents).toEqual({});
    expect(notKept).toEqual(['s', 'p']);
    expect(await readdir(dir)).toEqual([]);
  });

  it('holds to other limits from when they are set, in memory and on the disk', async () => {
    const bench = new Bench();
    const devices = Array.from({ length: 8 }, (_, index) => `d${index}`);
    for (const device of devices) bench.online(device);
    const taps = devices.map((device) => bench.box.tap(device));
    for (let n = 0; n < 4_000; n++) for (const tap of taps) tap?.received?.(new Uint8Array(40));
    expect(bench.box.memoryBytes).toBeGreaterThan(1_024 * 1_024);
    for (const device of devices.slice(0, 4)) bench.offline(device);
    expect(await bench.passes()).toMatchObject({ files: 4 });
    bench.box.limit({
      dir: 'not taken',
      beforeMs: 60_000,
      afterMs: 1_000,
      maxBytes: 32 * 1_024,
      budgetBytes: 512 * 1_024,
      diskBytes: 1_024 * 1_024,
      maxFiles: 2,
    });
    expect(bench.box.memoryBytes).toBeLessThanOrEqual(512 * 1_024);
    await bench.box.settled();
    expect(await readdir(dir)).toHaveLength(2);
    bench.offline('d7');
    // Not five seconds, as before.
    const { incidents, files } = await bench.passes(1_000);
    expect(files).toBe(2);
    const [latest] = Object.values(incidents).slice(-1);
    expect(latest).toMatchObject({ device: 'd7' });
    expect(latest?.bytes).toBeLessThan(4 * 32 * 1_024);
  });

  it('says why a trace could not be written, tries the next one, and removes what is half there', async () => {
    let full = true;
    const bench = new Bench({
      createFile: async (path) => {
        await writeFile(path, '');
        return {
          write: async (bytes, offset, length) => {
            if (full) throw new Error('ENOSPC: no space left on device, write');
            await writeFile(path, bytes.subarray(offset, offset + length), { flag: 'a' });
            return { bytesWritten: length };
          },
          close: async () => undefined,
        };
      },
    });
    for (const device of ['a', 'b', 'c']) bench.online(device);
    bench.offline('a');
    bench.offline('b');
    expect(await bench.passes()).toMatchObject({
      status: 'failed',
      reason: 'incident_not_saved',
      detail: expect.stringContaining('ENOSPC'),
      files: 0,
      omitted: 2,
    });
    expect(bench.lines.filter((line) => line.includes('ENOSPC'))).toHaveLength(1);
    expect(await readdir(dir)).toEqual([]);
    full = false;
    bench.offline('c');
    expect(await bench.passes()).toMatchObject({ status: 'ready', files: 1 });
  });

  it('stays within its room on the disk: the oldest trace goes', async () => {
    const bench = new Bench({ diskBytes: 3 * 4_096 });
    for (let turn = 0; turn < 5; turn++) {
      bench.online(`d${turn}`);
      bench.offline(`d${turn}`);
      await bench.passes(6_000);
    }
    const { files, bytes, incidents } = await bench.passes();
    expect(files).toBe(3);
    expect(bytes).toBeLessThanOrEqual(3 * 4_096);
    expect(Object.values(incidents).map(({ device }) => device)).toEqual(['d2', 'd3', 'd4']);
  });

  it('knows what an earlier run kept, and leaves other files in the folder alone', async () => {
    const before = new Bench();
    before.online('p');
    before.box.mark('p', 'smoke');
    await before.passes();
    await writeFile(join(dir, 'mine.trace'), '#heartwire-trace 1\n0 c1 = open\n');
    await writeFile(join(dir, 'broken.trace'), Buffer.from([0xff, 0, 1]));
    const after = new Bench();
    await after.box.start();
    expect(Object.values((after.published as unknown as IncidentsDocument).incidents)).toMatchObject([
      { device: 'p', reason: 'note', detail: 'smoke' },
    ]);
    expect(await readFile(join(dir, 'mine.trace'), 'utf8')).toContain('open');
  });

  it('makes its folder again where another program removed it', async () => {
    const bench = new Bench();
    bench.online('a');
    bench.online('b');
    bench.offline('a');
    await bench.passes();
    await rm(dir, { recursive: true });
    bench.offline('b');
    expect(await bench.passes()).toMatchObject({ status: 'ready' });
    expect(await readdir(dir)).toHaveLength(1);
  });

  it.each([
    ['a link that the bridge closed', 'reconfigured'],
    ['a bridge that stops', 'stopped'],
  ])('is not concerned by %s', async (_, reason) => {
    const bench = new Bench();
    bench.online('p');
    bench.box.observe({ id: 'p' }).state({ ...state('p', 'offline'), reason });
    expect((await bench.passes()).incidents ?? {}).toEqual({});
  });

  it('is there after a defect, and after a command that the device refused', async () => {
    const bench = new Bench();
    for (const device of ['a', 'b', 'c']) bench.online(device);
    bench.box.observe({ id: 'a' }).defect('TypeError: x');
    bench.box.observe({ id: 'b' }).answered('set', { ok: true, error: 3, fields: {}, roundTripMs: 1 });
    const offline = { ok: false, code: 'device_not_online', detail: 'not online' } as const;
    bench.box.observe({ id: 'c' }).answered('set', offline);
    const { incidents } = await bench.passes();
    expect(Object.values(incidents).map(({ device, reason }) => [device, reason])).toEqual([
      ['a', 'defect'],
      ['b', 'command_failed'],
    ]);
  });
});
