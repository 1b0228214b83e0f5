import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { toHex } from '../../src/trace/bytes-text.ts';
import { runCli } from '../cli/check-io.ts';
import { projectFiles, readProjectFile } from '../support/project-files.ts';

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
  const declared = ['air', 'budget', 'telemetry'].map((name) => `declared/${name}.golden.jsonl`);
  const all = [...traces.map((name) => name.replace('.trace', '.golden.jsonl')), ...declared]
    .map((name) => readFileSync(join(FOLDER, name), 'utf8'))
    .join('');

  it.each(['unknown', 'registering', 'online', 'stale', 'offline', 'away'])('the status %s', (status) => {
    expect(all).toContain(`"status":"${status}"`);
  });

  /** Every reason that a session gives of itself, as it stands in its source. */
  const own = projectFiles(['src/devices'], ['.ts']).flatMap((path) =>
    [
      ...readProjectFile(path).matchAll(
        /(?:(?:return |lost\()\{ reason: |setStatus\([^)]*, )'([a-z_]+)'[,)]/g,
      ),
    ].map(([, reason = '']) => reason),
  );

  it('every reason of the session', () => {
    expect(own).toEqual(expect.arrayContaining(['silent', 'overdue', 'duplicate_identity', 'bad_frame']));
    expect(own.filter((reason) => !all.includes(`"reason":"${reason}"`))).toEqual([]);
  });

  it.each(['connect_refused', 'link_closed', 'link_reset', 'port_unplugged'])(
    'the link ended by %s',
    (code) => {
      expect(all).toContain(`"reason":"${code}"`);
    },
  );

  it.each(['no_header', 'truncated', 'bad_content', 'bad_checksum', 'budget'])(
    'bytes discarded as %s',
    (reason) => {
      expect(all).toMatch(new RegExp(`"discarded":\\{"count":\\d+,"reason":"${reason}"`));
    },
  );

  it.each([
    ['a late reply', '"late":true'],
    ['an unsolicited reply', '"unsolicited":true'],
    ['a frame that is not as declared', '"invalid":{'],
    ['an id that nobody declared', '"message":"unknown"'],
    ['a wrong digit of an IMEI', '"warnings":["imei_checksum"]'],
    ['a stream that cannot go on', '"fault":{'],
    ['an alarm', '"level":"warn"'],
    ['a value that is old', '"quality":{"concentration.co2":"stale"}'],
  ])('%s', (_, text) => {
    expect(all).toContain(text);
  });
});

describe('what the recorder wrote of simulated devices', () => {
  it.each(traces.filter((name) => name.startsWith('recorded-')))('%s: the replay sends it again', (name) => {
    const trace = traceFixture(join(FOLDER, name));
    expect(trace.warnings).toEqual([]);
    const then = trace.events.flatMap(({ fact }) => (fact.kind === 'out' ? [toHex(fact.bytes)] : []));
    expect(then.length).toBeGreaterThan(5);
    const again = replay(trace);
    again.finish();
    // A beat and the question for the time that are due at once go in either order when time is real.
    expect(again.sent.toSorted()).toEqual(then.toSorted());
  });
});
