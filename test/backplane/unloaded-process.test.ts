import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';

const PATIENCE = { timeout: 60_000 };

let folder: string;
beforeEach(() => {
  // The program as it is, but for the part that shares a feed.
  folder = mkdtempSync(join(tmpdir(), 'heartwire-'));
  for (const part of ['dist/bin', 'dist/lib', 'dist/web', 'package.json'])
    cpSync(join(PROJECT_ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(folder, 'node_modules'));
  rmSync(join(folder, 'dist/lib/parts/backplane.js'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Whether the program serves; it is ended. */
async function serves(keys: string): Promise<boolean> {
  const port = await freePort();
  writeFileSync(
    join(folder, 'devices.yaml'),
    `server: { port: ${port} }\nhistory: false\n${keys}devices: []\n`,
  );
  const program = join(folder, 'dist/bin/heartwire.js');
  const argv = [program, 'run', 'devices.yaml', '--no-watch', '--quiet'];
  const child = spawn(process.execPath, argv, { cwd: folder, stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    const state = async () => {
      if (child.exitCode !== null) return 'ended';
      const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
      return response?.ok === true ? 'serves' : 'starting';
    };
    await expect.poll(state, PATIENCE).not.toBe('starting');
    return (await state()) === 'serves';
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

describe('the part that shares a feed', () => {
  it('is loaded where `backplane:` is there, and only there', { timeout: 150_000 }, async () => {
    expect(await serves('')).toBe(true);
    expect(await serves('backplane: { url: "redis://127.0.0.1:1", instance: north }\n')).toBe(false);
  });
});
