import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { loadConfig } from '../../src/config/load.ts';
import { HistoryWorld } from '../support/history-world.ts';
import { readProjectFile } from '../support/project-files.ts';
import { RecordedIo } from '../support/recorded-io.ts';

const TEXT = readProjectFile('docs/reference/history.md');
const blocks = (language: string): string[] =>
  [...TEXT.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, block = '']) =>
    of === language ? [block] : [],
  );
const LIMIT = { timeout: 30_000, interval: 50 };
/** More than one chunk. */
const VALUES = Array.from({ length: 700 }, (_, index) => Math.round(2_000 + 500 * Math.sin(index / 9)) / 100);

let world: HistoryWorld;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-history-document-'));
  world = await new HistoryWorld().open();
  await world.start();
  await vi.waitFor(() => expect(world.device.connected).toBe(true), LIMIT);
  world.device.say(VALUES.map((value) => `${value},idle`).join('\n'));
  await vi.waitFor(async () => {
    const { points = [] } = (await world.get('values?device=meter&field=line.volts&points=all')).body;
    expect(points).toHaveLength(VALUES.length);
  }, LIMIT);
}, 60_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

class HistoryIo extends RecordedIo {
  override readonly env = { HEARTWIRE_URL: world.url };
}

/** What a shell line of the document prints. */
async function printed(line: string): Promise<string> {
  const io = new HistoryIo(folder);
  expect([line, await main(line.split(' ').slice(1), io), io.logged]).toEqual([line, 0, '']);
  return io.printed;
}

describe('docs/reference/history.md', { timeout: 60_000 }, () => {
  it('has a configuration that is right, and that of the default', () => {
    const [yaml = ''] = blocks('yaml');
    const given = loadConfig(`${yaml}listeners: []\n`, 'devices.yaml');
    expect(given.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(given.config?.history).toEqual(loadConfig('listeners: []\n', 'devices.yaml').config?.history);
  });

  it('has requests that are answered', async () => {
    const paths = [...(blocks('sh')[0] ?? '').matchAll(/api\/history\/([^']+)'/g)].map(
      ([, path = '']) => path,
    );
    expect(paths).toHaveLength(3);
    for (const path of paths) expect([path, (await world.get(path)).status]).toEqual([path, 200]);
  });

  it('has commands that write what came', async () => {
    const [csv = '', jsonl = '', parquet = '', events = ''] = (blocks('sh')[1] ?? '').trimEnd().split('\n');
    const [head, ...rows] = (await printed(csv)).trimEnd().split('\r\n');
    expect(head).toBe('time,line.volts (V),line.mode');
    expect(
      rows
        .flatMap((row) => row.split(',')[1] ?? [])
        .filter((cell) => cell !== '')
        .map(Number),
    ).toEqual(VALUES);
    const lines = (await printed(jsonl)).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line)['line.volts'])).toEqual(VALUES);
    await printed(parquet);
    const file = readFileSync(join(folder, 'meter.parquet'));
    expect([file.subarray(0, 4).toString(), file.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
    expect(file.includes('line.volts (V)')).toBe(true);
    expect(await printed(events)).toMatch(/ meter status online\n/);
  });

  it('has a program in Python that reads what came while the bridge runs', () => {
    const program = join(folder, 'read.py');
    writeFileSync(program, blocks('python')[0] ?? '');
    const text = execFileSync('python3', [program, world.file, 'meter', 'line.volts'], { encoding: 'utf8' });
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
    expect(rows.map(([, value]) => value)).toEqual(VALUES);
    expect(Math.abs((rows[0]?.[0] ?? 0) - Date.now())).toBeLessThan(600_000);
  });
});
