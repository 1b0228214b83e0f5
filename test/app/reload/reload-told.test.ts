import { describe, expect, it } from 'vitest';
import { ConfigApplier } from '../../../src/app/reload/config-applier.ts';
import { ConfigReloader } from '../../../src/app/reload/config-reloader.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { ReadConfig } from '../../../src/config/read.ts';
import type { LoadedConfig } from '../../../src/config/report.ts';
import { HeartwireError } from '../../../src/errors.ts';
import { LiveConfig } from '../../../src/system/live-config.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { readProjectFile } from '../../support/project-files.ts';

const device = (id: string, more = '') =>
  `  - { id: ${id}, link: "tcp:${id}.example:9089", register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }${more} }\n`;
const BEFORE = `devices:\n${device('psu-1')}${device('rack-7')}${device('meter-1')}`;
const SLOWER = ', heartbeat: { interval: 9s }';
const AFTER = `server: { port: 9000, origins: ["https://panel.example"] }\ndevices:\n${device('psu-1', SLOWER)}${device('psu-2')}${device('meter-1', ', heartbeat: { interval: 3 }')}`;

/** A reloader whose file is what the test writes, and which runs nothing. */
function bench(first: string) {
  const { config } = loadConfig(first, 'devices.yaml');
  if (config === undefined) throw new Error('the first version is wrong');
  const clock = new FakeClock();
  const lines: string[] = [];
  const note = (_: object, text: string) => void lines.push(text);
  let file: string | HeartwireError | Error = first;
  let reads = 0;
  let told = 0;
  const run = async () => undefined;
  const applier = new ConfigApplier({
    live: new LiveConfig(config),
    problems: [],
    clock,
    run,
    applied: () => void told++,
  });
  const reloader = new ConfigReloader({
    file: 'devices.yaml',
    clock,
    log: { info: note, warn: note, error: note },
    async read(): Promise<ReadConfig> {
      reads += 1;
      if (typeof file !== 'string') throw file;
      return { ...loadConfig(file, 'devices.yaml'), sources: new Map() };
    },
    apply: (loaded: LoadedConfig) => applier.apply(loaded),
  });
  return {
    applier,
    reloader,
    lines,
    reads: () => reads,
    told: () => told,
    async becomes(next: string | Error) {
      lines.length = 0;
      file = next;
      await reloader.reload();
    },
  };
}

describe('what is told of a reload', () => {
  it('is what the document of the configuration says', async () => {
    const { becomes, lines, applier } = bench(BEFORE);
    await becomes(AFTER);
    expect(lines).toEqual([
      expect.stringMatching(/^devices\.yaml:5:\d+: error: devices\[2\]\.heartbeat\.interval: /),
      'devices.yaml: server.port needs a restart to take effect',
      'devices.yaml was reloaded (version 2): psu-2 added; psu-1, server.origins changed; rack-7 removed; meter-1 goes on as it was',
    ]);
    await becomes('devices: [');
    expect(lines.at(-1)).toMatch(/^devices\.yaml was not reloaded \(\d errors?\): all goes on as it was$/);
    const document = readProjectFile('docs/reference/devices-yaml.md');
    for (const words of [
      'was reloaded (version 2): psu-2 added',
      'was not reloaded (1 error): all goes on as it was',
    ]) {
      expect(document).toContain(`devices.yaml ${words}`);
    }
    expect(document).toContain('devices.yaml: server.port needs a restart to take effect');
    // The status is as docs/reference/feed.md has it, key by key.
    const example =
      /\{"config":\{"file".*?\n```/s
        .exec(readProjectFile('docs/reference/feed.md'))?.[0]
        .replace('```', '') ?? '';
    await becomes(AFTER);
    const shown: unknown = JSON.parse(example);
    expect(keysOf({ config: applier.status() })).toEqual(keysOf(shown));
  });

  it('counts what is too much to be listed', async () => {
    const { becomes, lines, applier } = bench('devices: []');
    const many = Array.from({ length: 150 }, (_, index) => device(`d${index}`)).join('');
    await becomes(`devices:\n${many}`);
    expect(lines.at(-1)).toMatch(/: d0, d1, .*, d9 and 140 more added$/);
    expect(applier.status()).toMatchObject({ applied: { omitted: 50 } });
    const bad = Array.from({ length: 60 }, (_, index) => device(`b${index}`, ', heartbeat: { interval: 3 }'));
    await becomes(`devices:\n${bad.join('')}`);
    expect(lines.filter((line) => line.includes('error:'))).toHaveLength(50);
    expect(lines).toContain('10 more problems; heartwire check lists them all');
  });

  it('is that a file cannot be read, in the words of whoever read it', async () => {
    const { becomes, lines, applier, told } = bench(BEFORE);
    await becomes(
      new HeartwireError('config_unreadable', 'There is no such file: devices.yaml.', { fix: 'Write it.' }),
    );
    expect(lines[0]).toBe('devices.yaml:1:1: error: There is no such file: devices.yaml. Write it.');
    expect(applier.status()).toMatchObject({ generation: 1, rejected_at: expect.any(Number) });
    expect(told()).toBe(1);
    await becomes(new Error('a defect'));
    expect(lines).toEqual([
      expect.stringContaining('defect of Heartwire, please report it: Error: a defect'),
      'devices.yaml was not applied; every device goes on as it was',
    ]);
    await becomes(BEFORE);
    expect(lines).toEqual(['devices.yaml was reloaded (version 2): nothing is different']);
    expect(applier.status()).not.toHaveProperty('rejected_at');
  });

  it('is one reload for all that was asked for while one was under way', async () => {
    const { reloader, reads } = bench(BEFORE);
    const first = reloader.reload();
    const others = [reloader.reload(), reloader.reload(), reloader.reload()];
    await Promise.all([first, ...others]);
    expect(reads()).toBe(2);
    await reloader[Symbol.asyncDispose]();
    await reloader.reload();
    expect(reads()).toBe(2);
  });
});

/** The keys of a document and of those in it, dotted. */
function keysOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => [`${path}${key}`, ...keysOf(each, `${path}${key}.`)]);
}
