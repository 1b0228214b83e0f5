import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/check-io.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/traces/', import.meta.url));
const traces = readdirSync(FOLDER).filter((name) => name.endsWith('.trace'));

describe('every trace of the fixtures', () => {
  it('is there, with its golden output', () => {
    expect(traces.length).toBeGreaterThan(10);
    const golden = readdirSync(FOLDER).filter((name) => name.endsWith('.golden.jsonl'));
    expect(golden.sort()).toEqual(traces.map((name) => name.replace('.trace', '.golden.jsonl')).sort());
  });

  it.each(traces)('%s comes out as expected, every time', async (name) => {
    const golden = name.replace('.trace', '.golden.jsonl');
    const outcome = await runCli(['replay', name, '--expect', golden], FOLDER);
    expect(outcome).toMatchObject({ code: 0, err: '' });
    const again = await runCli(['replay', name], FOLDER);
    expect(again.out).toBe(readFileSync(join(FOLDER, golden), 'utf8'));
    expect(
      again.out
        .split('\n')
        .filter((line) => /"(state|received)":/.test(line) && !line.includes('"replay":true')),
    ).toEqual([]);
  });

  it.each(traces)('%s is the same packed', async (name) => {
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
    await writeFile(join(folder, `${name}.gz`), gzipSync(readFileSync(join(FOLDER, name))));
    const [packed, plain] = [
      await runCli(['replay', `${name}.gz`], folder),
      await runCli(['replay', name], FOLDER),
    ];
    expect(packed.out).toBe(plain.out);
    expect(plain.out.length).toBeGreaterThan(500);
  });

  it('play together, in the order of their times', async () => {
    const { code, out } = await runCli(
      ['replay', 'client-normal.trace', 'server-normal.trace', 'serial-noise.trace'],
      FOLDER,
    );
    expect(code).toBe(0);
    const lines: Array<{ t: number; device: string }> = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(new Set(lines.map(({ device }) => device))).toEqual(new Set(['psu-1', 'tracker-9', 'bench-3']));
    expect(lines.map(({ t }) => t)).toEqual(lines.map(({ t }) => t).toSorted((a, b) => a - b));
    // Nobody notices that the others are there.
    const alone = (await runCli(['replay', 'server-normal.trace'], FOLDER)).out.trim().split('\n');
    const among = out
      .trim()
      .split('\n')
      .filter((line) => line.includes('"device":"tracker-9"'));
    expect(among.map((line) => JSON.parse(line).state?.status ?? line.slice(0, 60))).toEqual(
      alone.map((line) => JSON.parse(line).state?.status ?? line.slice(0, 60)),
    );
  });
});

describe('the fixtures show', () => {
  const all = traces
    .map((name) => readFileSync(join(FOLDER, name.replace('.trace', '.golden.jsonl')), 'utf8'))
    .join('');

  it.each(['online', 'stale', 'offline', 'registering', 'unknown'])('the status %s', (status) => {
    expect(all).toContain(`"status":"${status}"`);
  });

  it.each([
    'silent',
    'register_refused',
    'register_timeout',
    'echo',
    'bad_frame',
    'frame_stalled',
    'connect_refused',
    'link_closed',
    'link_reset',
    'port_unplugged',
  ])('the reason %s', (reason) => {
    expect(all).toContain(`"reason":"${reason}"`);
  });

  it.each(['no_header', 'truncated'])('bytes discarded as %s', (reason) => {
    expect(all).toMatch(new RegExp(`"discarded":\\{"count":\\d+,"reason":"${reason}"`));
  });
});
