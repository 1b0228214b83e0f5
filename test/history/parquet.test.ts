import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { HistoryWorld } from '../support/history-world.ts';
import { RecordedIo } from '../support/recorded-io.ts';

const LIMIT = { timeout: 30_000, interval: 20 };
const READER = fileURLToPath(new URL('../support/parquet-reader.mjs', import.meta.url));
/** Also what has another length in bytes than in characters, and what CSV would have to quote. */
const MODES = ['idle', '加热中', '冷却 "慢"', '🔥 heiß', 'idle'];

let world: HistoryWorld;
let folder = '';
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-parquet-'));
  world = await new HistoryWorld().open();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Found {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[];
  readonly rows: readonly (readonly [time: number, volts: number | null, mode: string | null])[];
}

/** What another program than the one that wrote it finds in a Parquet file. */
const found = (file: string): Found =>
  JSON.parse(execFileSync(process.execPath, [READER, file], { encoding: 'utf8' })) as Found;

describe('a Parquet file of the history', { timeout: 90_000 }, () => {
  it('is to an independent reader what a subscriber saw: times, names, units, numbers, texts, and nothing where nothing was', async () => {
    await world.start();
    await vi.waitFor(() => expect(world.device.connected).toBe(true), LIMIT);
    await using watcher = await DeviceWatcher.connect(world.url, ['devices/meter/messages']);
    const saw = () =>
      watcher.messages.flatMap(({ type, payload }) => {
        if (type !== 'event') return [];
        const { data } = payload as unknown as {
          data: { at: number; fields: { volts: number; mode: string } };
        };
        return [{ at: data.at, ...data.fields }];
      });
    await vi.waitFor(() => expect(watcher.messages.map(({ type }) => type)).toContain('synced'), LIMIT);
    for (const [index, mode] of MODES.entries()) {
      world.device.say(`${21.5 + index / 8},${mode}`);
      await vi.waitFor(() => expect(saw()).toHaveLength(2 * index + 1), LIMIT);
      // The text is as before.
      world.device.say(`${-1e-9 * index},${mode}`);
      await vi.waitFor(() => expect(saw()).toHaveLength(2 * index + 2), LIMIT);
    }
    const values = 'values?device=meter&field=line.volts&points=all';
    await vi.waitFor(async () => expect((await world.get(values)).body.points).toHaveLength(10), LIMIT);
    const io = new (class extends RecordedIo {
      override readonly env = { HEARTWIRE_URL: world.url };
    })(folder);
    const args = ['history', 'meter', '--from', '-1h', '--to', 'parquet', '--output', 'meter.parquet'];
    expect([await main(args, io), io.logged]).toEqual([0, '']);
    const { columns, rows } = found(join(folder, 'meter.parquet'));
    expect(columns).toEqual([
      { name: 'time', type: expect.stringMatching(/^Timestamp<MILLISECOND/), nullable: false },
      { name: 'line.volts (V)', type: 'Float64', nullable: true },
      { name: 'line.mode', type: 'Utf8', nullable: true },
    ]);
    expect(rows).toHaveLength(10);
    expect(rows.flatMap(([, volts]) => volts ?? [])).toEqual(saw().map(({ volts }) => volts));
    expect(rows.flatMap(([, , mode]) => mode ?? [])).toEqual(MODES);
    // A moment is that of the history, which lies within a turn of the one in the event.
    const times = rows.flatMap(([time, volts]) => (volts === null ? [] : [time]));
    for (const [index, time] of times.entries())
      expect(Math.abs(time - (saw()[index]?.at ?? 0))).toBeLessThan(1_000);
  });
});
