import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;
const hasStdin = existsSync('/dev/stdin');
if (!hasStdin) console.warn('skipped: there is no /dev/stdin');

const HEAD =
  '#heartwire-trace 1\n#start 2026-01-01T00:00:00.000Z\n#meta role=server dial=in\n0 c1 = open 10.0.0.7:1\n';
const trace = (beats: number) => `${HEAD}${'+0.01 c1 < 0000000101\n'.repeat(beats)}`;

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
  folder = await mkdtemp(join(tmpdir(), 'heartwire-slow-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

describe('whoever reads the output slowly', () => {
  it.each([
    [['export', 'a.trace', '--to', 'csv'], 25_002],
    [['replay', 'a.trace'], 25_001],
  ])('gets all of it: %j', { timeout: 60_000 }, async (argv, lines) => {
    await writeFile(join(folder, 'a.trace'), trace(25_000));
    const started = spawn(process.execPath, [program, ...argv], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = started;
    const closed = once(started, 'close');
    // Without a listener, what is not read when the program ends would be thrown away on this side.
    started.stdout.on('readable', () => undefined);
    let read = 0;
    // A piece at each look, so that it takes much longer than the program does.
    const look = () => {
      const piece: Buffer | null = started.stdout.read();
      for (const byte of piece ?? []) if (byte === 10) read++;
      return started.stdout.readableEnded;
    };
    await expect.poll(look, { timeout: 50_000, interval: 100 }).toBe(true);
    expect(await closed).toEqual([0, null]);
    expect(read).toBe(lines);
  });
});

describe.runIf(hasStdin)('a trace from a pipe', () => {
  it.each([
    ['plain', (text: string) => Buffer.from(text)],
    ['packed', (text: string) => gzipSync(text)],
  ])('is read, %s', { timeout: 30_000 }, async (_, pack) => {
    // What Node gives to a program is a socket, which cannot be opened again; what a shell gives is a pipe.
    const script = 'cat | "$0" "$@"';
    const argv = ['-c', script, process.execPath, program, 'export', '/dev/stdin', '--to', 'csv'];
    const started = spawn('sh', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    child = started;
    let out = '';
    started.stdout.on('data', (chunk) => {
      out += chunk;
    });
    const bytes = pack(trace(2));
    // The first byte alone does not say what it is.
    started.stdin.write(bytes.subarray(0, 1));
    started.stdin.end(bytes.subarray(1));
    expect(await once(started, 'close')).toEqual([0, null]);
    expect(out.match(/heartbeat,request/g)).toHaveLength(2);
  });
});
