import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  ConfigAssembly,
  type ConfigPart,
  ConfigReader,
  partsOf,
} from '../../../src/app/reload/config-reader.ts';
import { readConfig } from '../../../src/config/read.ts';

const folder = mkdtempSync(join(tmpdir(), 'heartwire-reader-'));
afterAll(() => rmSync(folder, { recursive: true }));

const dialled = (at: number) =>
  `  - { id: d${at}, link: "tcp:127.0.0.1:${10_000 + at}", register: { appid: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", imei: "490154203237518" } }\n`;

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text);
  return path;
}

write('key', `${Buffer.alloc(32, 7).toString('base64url')}\n`);
write(
  'meter.yaml',
  `version: 1
protocol: { byte_order: big, framing: { type: fixed, length: 3 } }
messages:
  - name: read
    from: host
    fields: [{ name: command, type: u8, value: 7 }, { type: reserved, length: 2 }]
    reply: { fields: [{ name: command, type: u8, value: 7 }, { name: power, type: u16, unit: W }] }
`,
);
const MIXED = write(
  'mixed.yaml',
  `access: { insecure: true }
server: { trusted_proxies: [10.0.0.0/24] }
secrecy: { keys: [{ id: bench, file: key }], topics: [{ pattern: "devices/d1/messages", key: bench }] }
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
devices:
  - { id: meter-1, messages: meter.yaml, session: none, match: { from: 10.0.0.7 }, poll: [{ message: read, every: 5s }] }
  - { id: meter-2, messages: meter.yaml, session: none, match: { from: 10.0.0.8 } }
  - { id: wrong, link: "tcp:nowhere" }
  - { id: odd, lnk: "tcp:127.0.0.1:1" }
${Array.from({ length: 120 }, (_, at) => dialled(at)).join('')}`,
);

describe('a configuration that is read in a thread', () => {
  it.each([
    ['with messages, keys and problems', MIXED],
    ['that is empty', write('empty.yaml', '')],
    ['that is no YAML', write('broken.yaml', 'devices: [')],
  ])('%s is the same as one that is read here', async (_what, path) => {
    using reader = new ConfigReader();
    const here = await readConfig(path, 'devices.yaml');
    const there = await reader.read(path, 'devices.yaml');
    expect(path === MIXED ? here.config?.devices.length : undefined).toBe(path === MIXED ? 122 : undefined);
    const plain = ({ config, ...found }: typeof here) => ({
      ...found,
      config: config && {
        ...config,
        devices: config.devices.map((each) => ({ ...each, messages: each.messages?.declaration })),
        listeners: config.listeners.map((each) => ({ ...each, messages: each.messages?.declaration })),
      },
    });
    expect(plain(there)).toEqual(plain(here));
  });

  it('has its messages compiled once, and they decode', async () => {
    using reader = new ConfigReader();
    const { config, problems } = await reader.read(MIXED);
    expect(problems.map(({ device }) => device)).toContain('wrong');
    const [first, second] = config?.devices ?? [];
    expect(first?.messages).toBeDefined();
    expect(first?.messages).toBe(second?.messages);
    expect(first?.messages?.decode(Uint8Array.of(7, 1, 0), 0, 3, 'device')).toMatchObject({
      message: 'read',
    });
  });

  it('rejects as a reading here does', async () => {
    using reader = new ConfigReader();
    const missing = join(folder, 'missing.yaml');
    await expect(reader.read(missing, 'm.yaml')).rejects.toMatchObject({
      name: 'HeartwireError',
      code: 'config_unreadable',
      message: 'There is no such file: m.yaml.',
      seen: 'm.yaml',
      fix: expect.stringContaining('heartwire init'),
    });
  });

  it('ends when it takes too long, or is not wanted any more', async () => {
    using hasty = new ConfigReader({ longestMs: 1 });
    await expect(hasty.read(MIXED, 'm.yaml')).rejects.toMatchObject({
      code: 'config_reader_failed',
      message: expect.stringContaining('m.yaml could not be read: it took more than 0.001 s'),
    });
    const reader = new ConfigReader();
    const reading = reader.read(MIXED);
    reader[Symbol.dispose]();
    await expect(reading).rejects.toMatchObject({ code: 'config_reader_failed' });
  });

  it('holds the loop for a small part of the time that a reading here takes', async () => {
    const large = write(
      'large.yaml',
      `devices:\n${Array.from({ length: 500 }, (_, at) => dialled(at)).join('')}`,
    );
    const begun = performance.now();
    await readConfig(large);
    const hereMs = performance.now() - begun;
    let longestMs = 0;
    let last = performance.now();
    let next = setImmediate(function again() {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
      next = setImmediate(again);
    });
    using reader = new ConfigReader();
    expect((await reader.read(large)).config?.devices.length).toBe(500);
    clearImmediate(next);
    expect(longestMs / hereMs).toBeLessThan(0.5);
  }, 60_000);
});

it('crosses in parts of at most a hundred entries, which can be cloned', async () => {
  const read = await readConfig(MIXED);
  const assembly = new ConfigAssembly();
  let whole: unknown;
  for (const part of partsOf(read)) {
    const crossed: ConfigPart = structuredClone(part);
    if ('entries' in crossed) expect(crossed.entries.length).toBeLessThanOrEqual(100);
    expect(whole).toBeUndefined();
    whole = assembly.add(crossed);
  }
  expect(whole).toMatchObject({ failed: read.failed, problems: read.problems, sources: read.sources });
});
