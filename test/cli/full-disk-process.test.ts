import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;
const hasFullDisk = existsSync('/dev/full');
if (!hasFullDisk) console.warn('skipped: there is no /dev/full, which is a disk without room');

const REGISTER = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-full-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** Starts the program with a disk without room below one of its outputs; the other one is collected. */
async function start(full: 'out' | 'err', ...argv: string[]) {
  expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
  const disk = await open('/dev/full', 'w');
  const started = spawn(process.execPath, [program, ...argv], {
    cwd: folder,
    stdio: ['ignore', full === 'out' ? disk.fd : 'pipe', full === 'err' ? disk.fd : 'pipe'],
  });
  await disk.close();
  child = started;
  const seen = { text: '' };
  (started.stdout ?? started.stderr)?.on('data', (chunk) => {
    seen.text += chunk;
  });
  return { started, seen };
}

describe.runIf(hasFullDisk)('a disk that is full', () => {
  it('below the log does not end the bridge', { timeout: 30_000 }, async () => {
    await writeFile(
      join(folder, 'devices.yaml'),
      'server: { port: 0 }\nlisteners:\n  - link: tcp-listen:127.0.0.1:0\n',
    );
    const { started, seen } = await start('err', 'run', '--no-watch');
    await expect.poll(() => seen.text, { timeout: 15_000 }).toMatch(/dial in at/);
    const device = connect(Number(/dial in at 127\.0\.0\.1:(\d+)/.exec(seen.text)?.[1]), '127.0.0.1');
    device.on('error', () => undefined);
    device.write(encodeFrame({ name: 'register', kind: 'request', fields: REGISTER }));
    await once(device, 'data');
    const url = /at (http:\S+)/.exec(seen.text)?.[1];
    const status = async () => (await fetch(`${url}/api/devices/${REGISTER.imei}`)).text();
    await expect.poll(status).toContain('"online"');
    device.destroy();
    // Each of these is a line of the log that cannot be written.
    await expect.poll(status).toContain('"offline"');
    started.kill('SIGTERM');
    expect(await once(started, 'close')).toEqual([0, null]);
  });

  it('below the results is said in a sentence, and the work has failed', { timeout: 30_000 }, async () => {
    const { started, seen } = await start('out', 'decode', '0000000101');
    expect((await once(started, 'close'))[0]).toBe(1);
    expect(seen.text).toMatch(/^heartwire: The output could not be written: ENOSPC[^\n]*\n$/);
  });
});
