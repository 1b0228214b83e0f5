import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/duration.ts';
import { formatPath } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';
import { LARGEST_CONFIG } from '../../src/config/read-document.ts';
import { suggest } from '../../src/system/suggest.ts';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['3s', 3_000],
    ['1.5s', 1_500],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['0s', 0],
    ['0.1ms', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    '',
    '3',
    's',
    '3 s',
    '3S',
    '-3s',
    '+3s',
    '1e3s',
    '.5s',
    '3.s',
    '3sec',
    '3s ',
    '1h30m',
    'Infinitys',
    '9'.repeat(99),
  ])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined());

  it.each(['250ms', '3s', '90s', '15m', '24h', '1501ms'])('%s is written as it was', (text) => {
    expect(formatDuration(parseDuration(text) ?? -1)).toBe(text);
  });
});

describe('suggest', () => {
  const keys = ['heartbeat', 'interval', 'max_devices', 'link', 'line', 'id'];
  it.each([
    ['heartbaet', 'heartbeat'],
    ['maxDevices', 'max_devices'],
    ['max-devices', 'max_devices'],
    ['intervall', 'interval'],
    ['lnik', 'link'],
    ['Link', 'link'],
    ['telemetry', undefined],
    ['x', undefined],
    ['y'.repeat(100_000), undefined],
  ])('%s means %s', (word, meant) => expect(suggest(word, keys)).toBe(meant));
});

describe('formatPath', () => {
  it('writes keys and indices as people do', () => {
    expect(formatPath(['devices', 0, 'heartbeat', 'interval'])).toBe('devices[0].heartbeat.interval');
    expect(formatPath(['a b', 'c'])).toBe('["a b"].c');
    expect(formatPath([])).toBe('');
  });
});

describe('readConfig', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-config-'));
    await writeFile(join(folder, 'good.yaml'), 'listeners:\n  - link: tcp-listen:127.0.0.1:0\n');
    await writeFile(join(folder, 'latin1.yaml'), Buffer.from('# caf\xe9\n', 'latin1'));
    await writeFile(join(folder, 'huge.yaml'), Buffer.alloc(LARGEST_CONFIG + 4_096, '#'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('reads a file and names it as it is told to', async () => {
    const { config, problems } = await readConfig(join(folder, 'good.yaml'), 'good.yaml');
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ file: 'good.yaml', listeners: [{ unknown: 'accept' }] });
  });

  it('refuses a file that is too large', async () => {
    const { config, problems } = await readConfig(join(folder, 'huge.yaml'));
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([
      {
        code: 'config_too_large',
        message: expect.stringMatching(/4\.0 MiB, and at most 4\.0 MiB .*huge\.yaml/),
      },
    ]);
  });

  it.each([
    ['missing.yaml', /no such file/],
    ['', /folder/],
    ['latin1.yaml', /not UTF-8/],
  ])('says why %j cannot be read', async (name, message) => {
    await expect(readConfig(join(folder, name))).rejects.toMatchObject({
      code: 'config_unreadable',
      message,
      fix: /./,
    });
  });
});
