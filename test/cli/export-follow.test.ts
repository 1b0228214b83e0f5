import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, createGzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCapture } from '../../src/capture/capture-reader.ts';
import { main } from '../../src/cli/main.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { needs } from '../support/needs.ts';
import { PROJECT_ROOT, readProjectFile } from '../support/project-files.ts';
import { RecordedIo } from '../support/recorded-io.ts';
import { OVEN_MESSAGES, SpokenOven } from '../support/spoken-oven.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';
import { runCli } from './check-io.ts';

const LATE = { timeout: 30_000 };
const LIMIT = { timeout: 90_000 };
const PROGRAM = join(PROJECT_ROOT, 'dist/bin/heartwire.js');
const tshark = needs('tshark');

class ByteIo extends RecordedIo {
  bytes = Buffer.alloc(0);
  readonly outBytes = (bytes: Uint8Array): void => {
    this.bytes = Buffer.concat([this.bytes, bytes]);
  };
}

let folder: string;
let io: ByteIo;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-follow-'));
  io = new ByteIo(folder);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const packets = (bytes: Uint8Array) =>
  bytes.length === 0
    ? []
    : [...readCapture(bytes, 'test')].map(({ direction, bytes: each, comments }) => ({
        direction,
        text: Buffer.from(each).toString('latin1'),
        comments,
      }));

describe('a trace that is still written', () => {
  const whole = `${readProjectFile('fixtures/traces/client-normal.trace').trimEnd()}\n#end\n`;
  const half = whole.indexOf('\n', whole.length / 2) - 5;

  it.each(['live.trace', 'live.trace.gz'])(
    'is followed to its end as %s, byte for byte',
    LIMIT,
    async (name) => {
      const path = join(folder, name);
      const gzip = createGzip();
      const packed: Buffer[] = [];
      gzip.on('data', (piece: Buffer) => packed.push(piece));
      const write = async (text: string, last: boolean): Promise<void> => {
        if (!name.endsWith('.gz')) return appendFile(path, text);
        gzip.write(text);
        if (last) await new Promise<void>((done) => gzip.once('end', done).end());
        else await new Promise<void>((done) => gzip.flush(constants.Z_SYNC_FLUSH, done));
        await appendFile(path, Buffer.concat(packed.splice(0)));
      };
      await write(whole.slice(0, half), false);
      const ended = main(['export', name, '--follow', '--to', 'pcapng'], io);
      await expect.poll(() => packets(io.bytes).length, LATE).toBeGreaterThan(2);
      await write(whole.slice(half), true);
      expect(await ended).toBe(0);
      await runCli(['export', name, '--to', 'pcapng', '-o', 'whole.pcapng'], folder);
      expect(io.bytes.equals(await readFile(join(folder, 'whole.pcapng')))).toBe(true);
      expect(io.logged).toBe('');
      expect(io.watched).toEqual([]);
    },
  );

  it.each([
    ['a signal', () => io.signal('SIGTERM')],
    ['a reader that left', () => io.closeOut()],
  ])('is followed until %s, without complaint', LIMIT, async (_, stop) => {
    await writeFile(join(folder, 'live.trace'), whole.slice(0, half));
    const ended = main(['export', 'live.trace', '--follow', '--to', 'jsonl'], io);
    await expect.poll(() => io.printed, LATE).toContain('"direction":"in"');
    stop();
    expect(await ended).toBe(0);
    expect(io.logged).toBe('');
    expect(io.watched).toEqual([]);
  });

  it('may be empty when it is stopped', LIMIT, async () => {
    await writeFile(join(folder, 'live.trace'), '');
    const ended = main(['export', 'live.trace', '--follow', '--to', 'pcapng'], io);
    await expect.poll(() => io.watched, LATE).toEqual(['SIGINT', 'SIGTERM']);
    io.signal('SIGINT');
    expect(await ended).toBe(0);
    expect(io.logged).toBe('');
  });

  it('that becomes shorter is no trace to follow', LIMIT, async () => {
    await writeFile(join(folder, 'live.trace'), whole.slice(0, half));
    const ended = main(['export', 'live.trace', '--follow', '--to', 'jsonl'], io);
    await expect.poll(() => io.printed, LATE).toContain('"direction":"in"');
    await truncate(join(folder, 'live.trace'), 10);
    expect(await ended).toBe(1);
    expect(io.logged).toContain('live.trace: The trace could not be read: it became shorter');
  });
});

describe('what cannot be followed', () => {
  it.each([
    [['--to', 'csv'], 'Name a trace, or --follow a --device'],
    [['--follow', '--to', 'csv'], 'Name the --device of the bridge'],
    [['x.trace', '--follow', '--device', 'a', '--to', 'csv'], 'and not both'],
    [['x.trace', '--follow', '--values', '--to', 'csv'], '--follow has frames, and no values'],
    [['x.trace', '--follow', '--to', 'parquet', '-o', 'x'], '--follow has frames, and no values'],
  ])('%j is wrong usage', async (argv, said) => {
    expect(await main(['export', ...argv], io)).toBe(2);
    expect(io.logged).toContain(said);
  });

  it('is a bridge that is not there, or a device that it does not know', LIMIT, async () => {
    const away = ['export', '--follow', '--device', 'a', '--to', 'csv', '--url', 'http://127.0.0.1:1'];
    expect(await main(away, io)).toBe(1);
    expect(io.logged).toContain('could not be reached');
    await using bridge = await startBridge('devices: []');
    const unknown = ['export', '--follow', '--device', 'nothing', '--to', 'csv', '--url', bridge.url];
    expect(await main(unknown, io)).toBe(1);
    expect(io.logged).toContain('No device is known as "nothing"');
  });
});

describe('a device of a running bridge', () => {
  let oven: SpokenOven;
  let bridge: TestBridge;
  beforeEach(async () => {
    oven = await SpokenOven.start();
    // Each answer is another one, so that one that is missing is seen.
    Object.defineProperty(oven, 'temperature', { get: () => oven.asked });
    await writeFile(join(folder, 'messages.yaml'), OVEN_MESSAGES);
    const yaml = `devices:
  - { id: oven, link: "tcp:127.0.0.1:${oven.port}", session: none, messages: messages.yaml, poll: [{ message: climate, every: 20ms }] }`;
    const file = loadMessages(OVEN_MESSAGES, 'messages.yaml');
    bridge = await startBridge(yaml, undefined, undefined, new Map([['messages.yaml', file]]));
  });
  afterEach(async () => {
    await bridge[Symbol.asyncDispose]();
    await oven[Symbol.asyncDispose]();
  });

  const argv = () => ['export', '--follow', '--device', 'oven', '--url', bridge.url, '--to', 'pcapng'];
  /** Questions and answers by turns, and each answer the one behind the last. */
  const expectConversation = (lines: readonly (readonly [direction: string, text: string])[]): void => {
    // The settings are asked for in between.
    const answers = lines
      .filter(([, text]) => !text.startsWith('S'))
      .filter(([direction]) => direction === 'in')
      .map(([, text]) => Number(/^T(\d+)\n$/.exec(text)?.[1]));
    expect(answers.length).toBeGreaterThan(5);
    expect(answers).toEqual(answers.map((_, index) => (answers[0] ?? NaN) + index));
    const others = lines.filter(([direction]) => direction === 'out');
    expect(others.every(([, text]) => text === 'TEMP?\n' || text === 'SET?\n')).toBe(true);
    expect(lines.every(([direction], index) => index === 0 || direction !== lines[index - 1]?.[0])).toBe(
      true,
    );
  };
  const frames = () =>
    packets(io.bytes)
      .filter(({ text }) => text !== '')
      .map(({ direction = '', text }) => [direction, text] as const);

  it('is followed both ways, frame by frame, until a signal', LIMIT, async () => {
    const ended = main(argv(), io);
    await expect.poll(() => frames().length, LATE).toBeGreaterThan(20);
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
    expectConversation(frames());
    expect(io.logged).toBe('');
    expect(io.watched).toEqual([]);
  });

  it('begins another connection where its link ends, so that no frame is made of two', LIMIT, async () => {
    const ended = main(argv(), io);
    await expect.poll(() => frames().length, LATE).toBeGreaterThan(4);
    const before = frames().length;
    oven.hangUp();
    await expect.poll(() => frames().length, LATE).toBeGreaterThan(before + 4);
    await expect
      .poll(
        () =>
          packets(io.bytes)
            .flatMap(({ comments }) => comments)
            .join('\n'),
        LATE,
      )
      .toMatch(/= open [\s\S]*= close [\s\S]*= open /);
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('whose bridge goes away says that bytes are missing', LIMIT, async () => {
    const ended = main(argv(), io);
    await expect.poll(() => frames().length, LATE).toBeGreaterThan(4);
    await bridge[Symbol.asyncDispose]();
    await expect
      .poll(() => packets(io.bytes).flatMap(({ comments }) => comments), LATE)
      .toContain('* bytes are missing here: the connection to the bridge was lost');
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });

  describe.runIf(tshark.run)('in Wireshark', () => {
    const FIELDS = [
      '-T',
      'fields',
      '-E',
      'separator=|',
      '-e',
      'frame.packet_flags_direction',
      '-e',
      'data.data',
    ];
    const shown = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split('|'))
        .filter(([, hex = '']) => hex !== '')
        .map(
          ([direction, hex = '']) =>
            [Number(direction) === 1 ? 'in' : 'out', Buffer.from(hex, 'hex').toString('latin1')] as const,
        );
    /** What it prints until it has its packets. */
    const run = async (argv: readonly string[], env: Record<string, string>, input?: ChildProcess) => {
      const child = spawn(tshark.path, [...argv, '-l', '-c', '30', ...FIELDS], {
        env: { ...process.env, ...env },
        stdio: [input?.stdout ?? 'ignore', 'pipe', 'pipe'],
      });
      children.push(child);
      let [out, err] = ['', ''];
      child.stdout?.on('data', (text) => (out += String(text)));
      child.stderr?.on('data', (text) => (err += String(text)));
      const [code] = await once(child, 'close');
      expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
      return out;
    };

    it('is seen live through a pipe, which ends with its reader', LIMIT, async () => {
      const follower = spawn(process.execPath, [PROGRAM, ...argv()], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(follower);
      const exited = once(follower, 'exit');
      const out = await run(['-i', '-'], {}, follower);
      expectConversation(shown(out));
      follower.stdout?.destroy();
      expect(await exited).toEqual([0, null]);
    });

    it('is an interface: it is listed, has its settings, and is captured', LIMIT, async () => {
      const extcap = join(folder, 'wireshark/extcap');
      await mkdir(extcap, { recursive: true });
      const script = execFileSync(process.execPath, [PROGRAM, 'extcap'], { encoding: 'utf8' });
      await writeFile(join(extcap, 'heartwire'), script);
      await chmod(join(extcap, 'heartwire'), 0o755);
      const env = { XDG_CONFIG_HOME: folder };
      const listed = (...argv: string[]): string =>
        execFileSync(tshark.path, argv, {
          encoding: 'utf8',
          env: { ...process.env, ...env },
          stdio: ['ignore', 'pipe', 'ignore'],
        });
      expect(listed('-D')).toContain('heartwire (A device of a Heartwire bridge)');
      expect(listed('-i', 'heartwire', '-L')).toContain('USER0');
      const settings = ['-o', 'extcap.heartwire.device:oven', '-o', `extcap.heartwire.url:${bridge.url}`];
      expectConversation(shown(await run(['-i', 'heartwire', ...settings], env)));
    });
  });

  it('goes into the pipe that Wireshark names, and ends with it', LIMIT, async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const words = ['--extcap-interface', 'heartwire', '--capture', '--fifo', fifo, '--device', 'oven'];
    const ended = main(['extcap', ...words, '--url', bridge.url], io);
    let came = Buffer.alloc(0);
    const reader = createReadStream(fifo);
    reader.on('data', (piece) => {
      came = Buffer.concat([came, Buffer.from(piece)]);
    });
    await expect.poll(() => came.length, LATE).toBeGreaterThan(4_000);
    reader.destroy();
    expect(await ended).toBe(0);
    expect(io.logged).toBe('');
  });

  it('stands in the settings of the interface by its name', LIMIT, async () => {
    const asked = ['extcap', '--extcap-interface', 'heartwire', '--url', bridge.url];
    const config = await runCli([...asked, '--extcap-config'], folder);
    expect(config.code).toBe(0);
    expect(config.out).toContain('arg {number=0}{call=--device}{display=Device}{type=selector}');
    expect(config.out).toContain('value {arg=0}{value=oven}{display=oven}\n');
    const reload = await runCli([...asked, '--extcap-reload-option', 'device'], folder);
    expect(reload.out).toBe('value {arg=0}{value=oven}{display=oven}\n');
  });
});

describe('the extcap protocol', () => {
  it.each([
    [
      ['--extcap-interfaces', '--extcap-version=4.0'],
      0,
      /^extcap \{version=.*\ninterface \{value=heartwire\}/,
    ],
    [['--extcap-interface', 'heartwire', '--extcap-dlts'], 0, /^dlt \{number=147\}\{name=USER0\}/],
    [
      ['--extcap-interface', 'heartwire', '--extcap-config', '--url', 'http://127.0.0.1:1'],
      0,
      /^arg \{number=0\}/,
    ],
    [['--extcap-interface', 'eth0', '--extcap-dlts'], 2, /There is no interface "eth0"/],
    [['--extcap-interface', 'heartwire'], 2, /asked for nothing/],
    [['--extcap-interface', 'heartwire', '--capture', '--device', 'a'], 2, /needs --fifo/],
    [['--extcap-interface', 'heartwire', '--capture', '--fifo', 'x'], 2, /needs a --device/],
    [[], 0, /^#!\/bin\/sh\n.*\nexec 'heartwire' extcap "\$@"\n$/],
  ])('is answered to %j', async (argv, code, said) => {
    const answer = await runCli(['extcap', ...argv], folder);
    expect(answer.code).toBe(code);
    expect(answer.out + answer.err).toMatch(said);
  });
});
