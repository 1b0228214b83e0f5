import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../support/project-files.ts';
import { runCli } from './check-io.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-guess-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const TRACE = join(PROJECT_ROOT, 'packs/jbd-bms/jbd-bms.trace');

const run = (argv: readonly string[], stdin?: Uint8Array) => runCli(['guess', ...argv], folder, {}, stdin);

describe('heartwire guess', () => {
  it('names the packs first, then what shows the framing, and prints messages.yaml', async () => {
    const { code, out, err } = await run([TRACE]);
    expect(code).toBe(0);
    expect(err.indexOf('pack:jbd-bms')).toBeLessThan(err.indexOf('sum-16-twos from byte 2 on'));
    expect(err).toContain('right in 5 of 6 frames');
    expect(out).toContain('type: sync, sync: 0xdd, length: u8, at: 3');
  });

  it('writes a file that `check` takes', async () => {
    expect((await run([TRACE, '--out', 'messages.yaml'])).out).toBe('');
    expect((await runCli(['check', 'messages.yaml'], folder)).code).toBe(0);
    expect(await readFile(join(folder, 'messages.yaml'), 'utf8')).toContain('algorithm: sum-16-twos');
  });

  it('reads hex text, raw bytes, what is packed, and standard input', async () => {
    const frames = ['21.5,40.1', '21.6,40.0', '21.7,39.9'].map((line) => Buffer.from(`${line}\n`));
    const raw = Buffer.concat(frames);
    const hex = frames.map((frame) => `${frame.toString('hex')}\n`).join('');
    await writeFile(join(folder, 'raw.bin'), raw);
    await writeFile(join(folder, 'dump.hex.gz'), gzipSync(hex));
    for (const { code, out } of [await run(['raw.bin']), await run(['dump.hex.gz']), await run(['-'], raw)]) {
      expect(code).toBe(0);
      expect(out).toContain('columns: auto');
    }
  });

  it('says so where nothing holds, where there is nothing, and where a file would be written over', async () => {
    await writeFile(join(folder, 'one.bin'), Uint8Array.of(0xd3, 0x11, 0x00));
    const nothing = await run(['one.bin']);
    expect(nothing.code).toBe(1);
    expect(nothing.err).toContain('nothing was found that holds');
    expect((await run([TRACE, '--from', 'host'])).err).toContain('no bytes from the host');
    await writeFile(join(folder, 'same.trace'), await readFile(TRACE));
    expect((await run(['same.trace', '-o', 'same.trace'])).err).toContain('is the file that is read');
  });
});
