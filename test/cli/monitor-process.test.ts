import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type IPty, spawn } from '@lydell/node-pty';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BridgeFace } from '../support/bridge-face.ts';
import { hasPtys } from '../support/pty.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;
const RESTORED = '\u001b[?7h\u001b[?25h\u001b[?1049l';

describe.runIf(hasPtys())('the compiled monitor on a real terminal', () => {
  let face: BridgeFace;
  let pty: IPty;
  let out: string;
  let exited: Promise<number>;

  beforeEach(async () => {
    face = await BridgeFace.open();
    face.store.publishState('devices/psu-1/state', { device: 'psu-1', status: 'online', since: 0 });
    expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
    out = '';
    pty = spawn(process.execPath, [program, 'monitor', '--url', face.url], {
      cols: 100,
      rows: 12,
      cwd: root,
    });
    pty.onData((text) => {
      out += text;
    });
    exited = new Promise((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    await expect.poll(() => out).toMatch(/psu-1 +.*online/);
  });
  afterEach(async () => {
    pty.kill('SIGKILL');
    await face[Symbol.asyncDispose]();
  });

  const leftAsItWas = () => expect.poll(() => out.endsWith(RESTORED)).toBe(true);

  it.each([
    ['q', 'q'],
    ['Ctrl-C', '\u0003'],
  ])('ends on %s, with the terminal as it was', async (_, key) => {
    pty.write(key);
    expect(await exited).toBe(0);
    await leftAsItWas();
  });

  it('ends on SIGTERM, with the terminal as it was', async () => {
    process.kill(pty.pid, 'SIGTERM');
    expect(await exited).toBe(0);
    await leftAsItWas();
  });

  it('follows the size of the window', async () => {
    out = '';
    pty.resize(60, 6);
    await expect.poll(() => out).toContain('\u001b[6;1H');
    expect(out).not.toContain('\u001b[7;1H');
  });

  it('goes on where nobody could wake it from Ctrl-Z', async () => {
    out = '';
    pty.write('\u001a');
    await expect.poll(() => out).toContain(RESTORED);
    await expect.poll(() => afterReturn(out)).toContain('psu-1');
    pty.write('q');
    expect(await exited).toBe(0);
  });

  it('sleeps on Ctrl-Z under a shell, and comes back with fg', async () => {
    const shell = spawn('bash', ['--norc', '--noprofile', '-i'], { cols: 100, rows: 12, cwd: root });
    let said = '';
    shell.onData((text) => {
      said += text;
    });
    try {
      shell.write(`"${process.execPath}" "${program}" monitor --url ${face.url}\n`);
      await expect.poll(() => said).toMatch(/psu-1 +.*online/);
      shell.write('\u001a');
      await expect.poll(() => said).toMatch(/Stopped/);
      said = '';
      shell.write('fg\n');
      await expect.poll(() => afterReturn(said)).toContain('psu-1');
      shell.write('q');
      await expect.poll(() => said.includes(RESTORED)).toBe(true);
      shell.write('echo code=$?\n');
      await expect.poll(() => said).toMatch(/code=0/);
    } finally {
      shell.kill('SIGKILL');
    }
  });
});

/** What was written since the screen was taken the last time. */
function afterReturn(text: string): string {
  const [, ...taken] = text.split('\u001b[?1049h');
  return taken.at(-1) ?? '';
}
