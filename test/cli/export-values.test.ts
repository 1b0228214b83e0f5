import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../support/project-files.ts';
import { runCli } from './check-io.ts';

const declared = join(PROJECT_ROOT, 'fixtures/traces/declared');
const telemetry = [join(declared, 'telemetry.trace'), '--messages', join(declared, 'messages.yaml')];

describe('heartwire export --values', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-values-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const exported = (...args: readonly string[]) => runCli(['export', ...args], folder);

  it('has one column for each field with its unit in the head, and a row for each moment', async () => {
    expect((await exported(...telemetry, '--values', '--to', 'csv')).out).toBe(
      [
        'time,telemetry.uptime (s),telemetry.temperature (°C),telemetry.mode',
        '2026-01-01T00:00:01.000Z,3600,23.13,heating',
        '2026-01-01T00:00:02.000Z,3601,45,',
        '2026-01-01T00:00:03.010Z,3602,,7',
        '',
      ].join('\r\n'),
    );
  });

  it('has the same in JSON lines, without what has no value then', async () => {
    const lines = (await exported(...telemetry, '--values', '--to', 'jsonl')).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { device: 'oven-1', 'telemetry.uptime': 3600, 'telemetry.mode': 'heating' },
      { t: 1767225602000, 'telemetry.temperature': 45 },
      { 'telemetry.uptime': 3602, 'telemetry.mode': '7' },
    ]);
    expect(lines[1]).not.toContain('telemetry.mode');
  });

  it('has the same in Parquet, which is of values without being asked', async () => {
    expect(await exported(...telemetry, '--to', 'parquet', '-o', 'oven.parquet')).toMatchObject({ code: 0 });
    const { buffer, byteOffset, byteLength } = await readFile(join(folder, 'oven.parquet'));
    const file = (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);
    const rows = await parquetReadObjects({ file });
    expect(
      rows.map((row) => [row['telemetry.uptime (s)'], row['telemetry.temperature (°C)'] ?? null]),
    ).toEqual([
      [3600, 23.13],
      [3601, 45],
      [3602, null],
    ]);
    expect(rows[0]?.time).toEqual(new Date('2026-01-01T00:00:01.000Z'));
  });

  it.each([
    [['--to', 'parquet'], 'Parquet is no text: name a file with --output.'],
    [['--to', 'pcapng', '--values', '-o', 'x.pcapng'], 'pcapng has frames, and no values'],
    [['--to', 'csv', '--values', '--device', 'oven-2'], 'The trace has no values of oven-2.'],
  ])('refuses %j, and says why', async (args, why) => {
    const { code, out, err } = await exported(...telemetry, ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(why);
  });
});
