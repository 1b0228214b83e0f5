import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineDevice } from '../support/history-world.ts';
import { METER_FILES, meterYaml, noteOf } from '../support/incident-world.ts';
import { HEARTBEAT_REPLY } from '../support/listener-bench.ts';
import { RecorderBench } from '../support/recorder-bench.ts';
import { canMountSmallDisk, mountSmallDisk } from '../support/small-disk.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const PATIENCE = { timeout: 40_000, interval: 50 };
const NOBODY = 65_534;

const canMount = canMountSmallDisk();
const mounted = (dir: string): boolean => mountSmallDisk(dir, 'size=256k');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A folder that stands in the way of every file, and a way back. */
interface Trouble {
  readonly code: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

const FULL: Trouble = {
  code: 'ENOSPC',
  async begin() {
    await using file = await open(join(folder, 'filler'), 'w');
    const full = async (): Promise<void> => {
      for (;;) await file.write(Buffer.alloc(4_096));
    };
    await expect(full()).rejects.toMatchObject({ code: 'ENOSPC' });
  },
  end: () => rm(join(folder, 'filler')),
};

/** The root user may write anywhere: meanwhile this process is another user. */
const READ_ONLY: Trouble = {
  code: 'EACCES',
  async begin() {
    chmodSync(folder, 0o555);
    if (process.geteuid?.() === 0) process.seteuid?.(NOBODY);
  },
  async end() {
    process.seteuid?.(process.getuid?.() ?? 0);
    chmodSync(folder, 0o755);
  },
};

const documentOf = ({ bridge }: TestBridge) => bridge.store.document('bridge/incidents');
const voltsOf = ({ bridge }: TestBridge): unknown =>
  Object(Object(bridge.store.document('devices/meter/state')?.values).line).volts;

/** Incidents fail, the bridge goes on, and they come back by themselves. */
async function incidentsSurvive(trouble: Trouble): Promise<void> {
  await using device = new LineDevice();
  const yaml = meterYaml(await device.listen());
  const dir = join(folder, 'incidents');
  await using test = await startBridge(yaml, undefined, undefined, METER_FILES, { dir, afterMs: 50 });
  await expect.poll(() => device.connected, PATIENCE).toBe(true);
  device.say('1,run');
  await expect.poll(() => voltsOf(test), PATIENCE).toBe(1);
  await trouble.begin();
  try {
    expect(await noteOf(test.url, 'meter', 'smoke')).toContain('"incident":true');
    await expect.poll(() => documentOf(test)?.status, PATIENCE).toBe('failed');
    expect(documentOf(test)).toMatchObject({
      reason: 'incident_not_saved',
      detail: expect.stringContaining(trouble.code),
      files: 0,
      omitted: 1,
    });
    device.say('2,run');
    await expect.poll(() => voltsOf(test), PATIENCE).toBe(2);
    expect(test.bridge.store.document('devices/meter/state')).toMatchObject({ status: 'online' });
  } finally {
    await trouble.end();
  }
  // A second one of the same device within the time of the first would be the same incident.
  expect(await noteOf(test.url, 'meter', 'fire')).toContain('"incident":true');
  await expect
    .poll(() => documentOf(test), PATIENCE)
    .toMatchObject({ status: 'ready', files: 1, omitted: 1 });
  expect(documentOf(test)?.reason).toBeUndefined();
  expect(await readdir(dir)).toHaveLength(1);
  const errors = test.log.filter(({ level, text }) => level === 'error' && text.includes(trouble.code));
  expect(errors).toMatchObject([{ fields: { device: 'meter', code: 'incident_not_saved', dir } }]);
}

describe.runIf(canMount)('on a disk that is full', () => {
  beforeEach(() => expect(mounted(folder)).toBe(true));
  afterEach(() => void execFileSync('umount', ['-l', folder]));

  it('incidents are lost and said, the bridge goes on, and the next one is kept', () =>
    incidentsSurvive(FULL));
});

describe.runIf(process.platform !== 'win32')('in a folder that another user may only read', () => {
  it('incidents are lost and said, the bridge goes on, and the next one is kept', () =>
    incidentsSurvive(READ_ONLY));

  it('a recording stands still with the reason, and begins by itself once it may', async () => {
    const dir = join(folder, 'traces');
    await using bench = new RecorderBench({ dir });
    await READ_ONLY.begin();
    try {
      await bench.recorder.start();
      const tap = bench.tap('p1');
      tap.opened('10.0.0.7:9089');
      tap.received(HEARTBEAT_REPLY);
      await bench.second();
      expect(bench.recorder.status()).toMatchObject({
        status: 'stopped',
        reason: 'recording_failed',
        detail: expect.stringContaining('EACCES'),
      });
      expect(bench.errors).toHaveLength(1);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await READ_ONLY.end();
    }
    await bench.minute();
    expect(bench.recorder.status()).toMatchObject({ status: 'recording' });
    bench.tap('p2').received(HEARTBEAT_REPLY);
    await bench.recorder.close();
    expect(await readdir(dir)).not.toEqual([]);
  });
});
