import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askFor } from '../../src/cli/commands/init.ts';
import type { Heard } from '../../src/cli/listen-in.ts';
import { initText } from '../../src/cli/new-devices.ts';
import type { Prompter } from '../../src/cli/ui/prompter.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { hasPtys, openPty } from '../support/pty.ts';
import { runCli } from './check-io.ts';

const PORTS = [
  { path: '/dev/ttyUSB0', link: 'serial:usb_serial=FT1234' },
  { path: '/dev/ttyACM0', link: 'serial:usb=0403:6001' },
];
const SILENT: Heard = { baud: '115200', listened: { chunks: [], bytes: 0 }, guessed: undefined, tried: [] };

/** Answers in order; what a question refuses is kept, and the next answer is taken. */
class Script implements Prompter {
  readonly refused: string[] = [];
  readonly #answers: unknown[];

  constructor(answers: readonly unknown[]) {
    this.#answers = [...answers];
  }

  #next(): unknown {
    if (this.#answers.length === 0) throw new Error('a question more than there are answers');
    return this.#answers.shift();
  }

  async text(...[, { preset, problem }]: Parameters<Prompter['text']>): Promise<string> {
    for (;;) {
      const given = String(this.#next());
      const answer = given === '' ? (preset ?? '') : given;
      const wrong = problem(answer);
      if (wrong === undefined) return answer;
      this.refused.push(wrong);
    }
  }

  confirm = async (): Promise<boolean> => this.#next() === true;
  select = async <T extends string>(_: string, choices: readonly { readonly value: T }[]): Promise<T> => {
    const wanted = this.#next();
    const found = choices.find(({ value }) => value === wanted);
    if (found === undefined) throw new Error(`${String(wanted)} is not offered`);
    return found.value;
  };
  several = async <T extends string>(
    _: string,
    choices: readonly { readonly value: T }[],
  ): Promise<readonly T[]> => {
    const wanted: unknown = this.#next();
    return choices
      .map(({ value }) => value)
      .filter((value) => Array.isArray(wanted) && wanted.includes(value));
  };
  during = async <T>(_: string, work: Promise<T>): Promise<T> => await work;
  note = (): void => undefined;

  get left(): number {
    return this.#answers.length;
  }
}

function loaded(text: string) {
  const { config, problems } = loadConfig(text, 'devices.yaml');
  expect(problems.map(formatProblem)).toEqual([]);
  return config;
}

describe('what heartwire init asks', () => {
  const silently = { seconds: 1, hearing: async () => SILENT };

  it('is what stands in the file; what cannot be is asked again', async () => {
    const script = new Script([
      ['serial:usb_serial=FT1234'],
      ...['nowhere', '10.0.0.7:9089', ''],
      ...['fast', '9600-8N1', 'psu 1', 'psu-1', 'register'],
      ...['unknown', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', '490154203237518'],
      ...['psu-1', '', 'none'],
      '-',
    ]);
    const { config, files } = await askFor(PORTS, script, silently);
    expect(config).toMatchObject({
      devices: [
        {
          id: 'psu-1',
          link: 'serial:usb_serial=FT1234',
          register: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
        },
        { id: 'device-2', link: 'tcp:10.0.0.7:9089', baud: undefined },
      ],
      listenAt: undefined,
    });
    expect(files).toEqual([]);
    expect(loaded(initText(config))?.listeners).toEqual([]);
    expect(script.refused).toHaveLength(5);
    expect(script.refused).toContain('Another device has this id.');
    expect(script.left).toBe(0);
  });

  it.each([
    ['nothing', []],
    ['two ports', PORTS.map(({ link }) => link)],
  ])('gives a file that is right as it stands, with %s', async (_, wanted) => {
    const answers = [wanted, '', ...wanted.flatMap(() => ['', '', 'none']), ''];
    const { config } = await askFor(PORTS, new Script(answers), silently);
    const written = loaded(initText(config));
    expect(written?.devices).toHaveLength(wanted.length);
    expect(written?.listeners).toHaveLength(1);
  });
});

describe('heartwire init without a terminal', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-init-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const init = (...args: string[]) => runCli(['init', ...args], folder);
  const written = (name = 'devices.yaml') => readFile(join(folder, name), 'utf8');

  it('says which options name what is to be written', async () => {
    const { code, err } = await init();
    expect(code).not.toBe(0);
    for (const option of ['--link', '--listen', '--yes']) expect(err).toContain(option);
    await expect(written()).rejects.toThrow();
  });

  it.each([
    [['--link', 'ttyUSB0'], 'must be absolute'],
    [['--link', 'tcp:10.0.0.7:9089', '--id', 'a b'], 'is no id'],
    [['--link', 'tcp:10.0.0.7:9089', '--id', 'a', '--id', 'b'], 'more --id than --link'],
    [['--link', 'tcp:10.0.0.7:9089', '--baud', 'fast'], 'no baud rate'],
    [['--listen', 'everywhere'], 'Write'],
  ])('refuses %j', async (args, problem) => {
    const { code, err } = await init('--yes', ...args);
    expect(code).not.toBe(0);
    expect(err).toContain(problem);
  });

  it('writes links, ids, speed and messages as they were given', async () => {
    const { code } = await init(
      ...['--link', '/dev/ttyUSB7', '--link', 'tcp:10.0.0.7:4001', '--id', 'scale'],
      ...['--baud', '9600-7E1', '--messages', 'pack:mettler-sics', '--listen', 'none', '--seconds', '0'],
    );
    expect(code).toBe(0);
    const text = await written();
    expect(text).toContain('baud: 9600-7E1');
    expect(text).toContain('"scale"');
    expect(text.match(/pack:mettler-sics/g)).toHaveLength(2);
    expect((await runCli(['check', 'devices.yaml'], folder)).code).toBe(0);
  });

  it('never overwrites, but with --force', async () => {
    await writeFile(join(folder, 'devices.yaml'), 'mine');
    const args = ['--listen', '127.0.0.1:9089'];
    const { code, err } = await init(...args);
    expect(code).toBe(1);
    expect(err).toContain('--force');
    expect(await written()).toBe('mine');
    expect((await init(...args, '--force')).code).toBe(0);
    expect(await written()).not.toBe('mine');
  });

  describe('with a device over TCP', () => {
    let server: Server | undefined;
    afterEach(
      () =>
        new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))),
    );

    /** Sends its frames over and over, as long as it is listened to. */
    async function device(frames: readonly Uint8Array[]): Promise<string> {
      server = createServer((socket) => {
        let index = 0;
        const timer = setInterval(() => socket.write(frames[index++ % frames.length] ?? ''), 20);
        socket.on('error', () => undefined);
        socket.on('close', () => clearInterval(timer));
      });
      const listening = server;
      await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
      const address = listening.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return `tcp:127.0.0.1:${address.port}`;
    }

    it('proposes the pack that fits', async () => {
      const hex = [
        'dd05000a30313233343536373839fde977',
        'dd04001e0f660f630f630f640f3e0f630f370f5b0f650f3b0f630f630f3c0f660f3df9f977',
      ];
      const link = await device(hex.map((each) => Buffer.from(each, 'hex')));
      const { code, err } = await init('--link', link, '--id', 'battery');
      expect(code).toBe(0);
      expect(err).toContain('pack:jbd-bms fits');
      expect(await written()).toContain('messages: "pack:jbd-bms"');
      expect((await runCli(['check', 'devices.yaml'], folder)).code).toBe(0);
    });

    it('writes down what it found where no pack fits', async () => {
      const frames = Array.from({ length: 24 }, (_, index) => {
        const body = Buffer.from([
          0x5a,
          0xa5,
          6,
          index & 0xff,
          0,
          (index * 37) & 0xff,
          1,
          (index * 11) & 0xff,
          0,
        ]);
        return Buffer.from([...body, body.reduce((sum, byte) => sum ^ byte, 0)]);
      });
      const link = await device(frames);
      const { code } = await init('--link', link, '--id', 'pump');
      expect(code).toBe(0);
      expect(await written()).toContain('messages: "pump.yaml"');
      expect(await written('pump.yaml')).toContain('algorithm: xor-8');
      expect((await runCli(['check', 'devices.yaml'], folder)).code).toBe(0);
    });

    it('says so where nothing answers', async () => {
      const link = await device([]);
      const { code, err } = await init('--link', link, '--seconds', '1');
      expect(code).toBe(0);
      expect(err).toContain('No bytes came');
      expect((await runCli(['check', 'devices.yaml'], folder)).code).toBe(0);
    });
  });

  describe.runIf(hasPtys())('with a serial device', () => {
    it('finds a speed at which what comes makes sense', async () => {
      const line = openPty();
      let value = 200;
      const timer = setInterval(() => line.write(Buffer.from(`${(value++ / 10).toFixed(1)},on\r\n`)), 20);
      try {
        const { code, err } = await init('--link', line.path, '--id', 'logger', '--baud', 'auto');
        expect([code, err]).toEqual([0, expect.stringContaining('lines of text')]);
      } finally {
        clearInterval(timer);
        await line.dispose();
      }
      expect(await written()).toContain('messages: "logger.yaml"');
      expect(await written('logger.yaml')).toContain('columns: auto');
    });
  });
});
