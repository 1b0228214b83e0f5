import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askFor, byDefault, initText } from '../../src/cli/commands/init.ts';
import { main } from '../../src/cli/main.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { RecordedIo } from '../support/recorded-io.ts';

const PORTS = [
  { path: '/dev/ttyUSB0', link: 'serial:usb_serial=FT1234' },
  { path: '/dev/ttyACM0', link: 'serial:usb=0403:6001' },
];

/** A terminal on which somebody has typed these lines already. */
class TypingIo extends RecordedIo {
  override readonly terminal = true;
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    super();
    this.#lines = lines;
  }

  async *stdin(): AsyncGenerator<Uint8Array> {
    for (const line of this.#lines) yield Buffer.from(`${line}\n`);
  }
}

function loaded(text: string) {
  const { config, problems } = loadConfig(text, 'devices.yaml');
  expect(problems.map(formatProblem)).toEqual([]);
  return config;
}

describe('a file of heartwire init', () => {
  it.each([
    ['nothing', []],
    ['two ports', PORTS],
  ])('is right as it stands, with %s found', (_, ports) => {
    const config = loaded(initText(byDefault(ports)));
    expect(config?.devices).toHaveLength(ports.length);
    expect(config?.listeners).toHaveLength(1);
  });

  it('holds what was answered, and asks again what cannot be', async () => {
    const io = new TypingIo([
      ...[
        'y',
        'fast',
        '9600-8N1',
        'psu 1',
        'psu-1',
        'y',
        '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
        '490154203237518',
      ],
      'n',
      ...['nowhere', '10.0.0.7:9089', 'psu-1', '', 'n', ''],
      '-',
    ]);
    const answers = await askFor(PORTS, io);
    expect(answers).toEqual({
      devices: [
        {
          id: 'psu-1',
          link: 'serial:usb_serial=FT1234',
          baud: '9600-8N1',
          register: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
        },
        { id: 'device-2', link: 'tcp:10.0.0.7:9089' },
      ],
    });
    expect(loaded(initText(answers))?.listeners).toEqual([]);
    expect(io.logged).toContain('Another device has this id.');
  });

  it('says what becomes of a device that registers with what nobody knows', async () => {
    const io = new TypingIo(['y', '', '', 'y', '', 'n', '', '-']);
    const answers = await askFor(PORTS, io);
    expect(answers.devices).toEqual([{ id: 'serial-1', link: 'serial:usb_serial=FT1234', baud: '115200' }]);
    expect(io.logged).toContain(
      'Then serial-1 is written without: put `register:` in place of `session: none`',
    );
    expect(initText(answers)).toContain('session: none');
  });

  it('takes what stands in brackets where no answer comes any more', async () => {
    const answers = await askFor(PORTS, new TypingIo([]));
    expect(answers.devices.map(({ id, baud }) => [id, baud])).toEqual([
      ['serial-1', '115200'],
      ['serial-2', '115200'],
    ]);
    expect(answers.listenAt).toBe('127.0.0.1:9089');
  });
});

describe('heartwire init', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heartwire-init-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('asks nothing in a pipe, and says what to type next', async () => {
    const io = new RecordedIo(dir);
    expect(await main(['init'], io)).toBe(0);
    expect(io.logged).toContain('heartwire run devices.yaml');
    expect(await readFile(join(dir, 'devices.yaml'), 'utf8')).toContain('devices:');
  });

  it('never overwrites, but with --force', async () => {
    const file = join(dir, 'devices.yaml');
    await writeFile(file, 'mine');
    const io = new RecordedIo(dir);
    expect(await main(['init'], io)).toBe(1);
    expect(io.logged).toContain('--force');
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect(await main(['init', '--force'], new RecordedIo(dir))).toBe(0);
    expect(await readFile(file, 'utf8')).not.toBe('mine');
  });
});
