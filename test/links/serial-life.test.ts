import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Link } from '../../src/links/link.ts';
import type { SerialAddress } from '../../src/links/serial-address.ts';
import { dial } from '../../src/links/transports.ts';
import { needs } from '../support/needs.ts';
import { hasPtys, openPty, type Pty } from '../support/pty.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { serialAddress } from '../support/serial-address.ts';

const python = needs('python3');

const HOLDER = `
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(fd, fcntl.LOCK_EX)
print('held', flush=True)
sys.stdin.read()
`;

describe.runIf(hasPtys())('a serial link on a pty', () => {
  const links: RecordedLink[] = [];
  const ptys: Pty[] = [];
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'heartwire-serial-'));
  });

  afterEach(async () => {
    for (const each of links) each.link.destroy();
    for (const each of links.splice(0)) await expect.poll(() => each.end).toBeDefined();
    for (const each of ptys.splice(0)) await each.dispose();
    rmSync(folder, { recursive: true });
  });

  const newPty = (): Pty => {
    const pty = openPty();
    ptys.push(pty);
    return pty;
  };
  const start = (address: SerialAddress, gapMs?: number, device?: string): RecordedLink => {
    const link: Link = dial(address, { gapMs, device });
    const recorded = new RecordedLink(link);
    links.push(recorded);
    return recorded;
  };
  const startOpen = async (address: SerialAddress, gapMs?: number): Promise<RecordedLink> => {
    const recorded = start(address, gapMs);
    await expect.poll(() => recorded.events.length).toBeGreaterThan(0);
    expect(recorded.end).toBeUndefined();
    return recorded;
  };

  test('is unplugged, and found again when the same name leads to another port', async () => {
    const name = join(folder, 'meter');
    const first = newPty();
    symlinkSync(first.path, name);
    const before = await startOpen(serialAddress(name));
    expect(before.events).toEqual([{ event: 'opened', address: name }]);
    first.hangUp();
    await expect.poll(() => before.end?.code).toBe('port_unplugged');
    expect(before.end?.detail).toContain(name);

    rmSync(name);
    const missing = start(serialAddress(name));
    await expect.poll(() => missing.end?.code).toBe('port_missing');

    const second = newPty();
    symlinkSync(second.path, name);
    const after = await startOpen(serialAddress(name));
    second.write(Uint8Array.of(7));
    await expect.poll(() => after.bytes()).toEqual(Buffer.of(7));
  });

  test('vanishing of the name alone is no unplugging: what counts is the port behind it', async () => {
    const name = join(folder, 'meter');
    const pty = newPty();
    symlinkSync(pty.path, name);
    const recorded = await startOpen(serialAddress(name));
    rmSync(name);
    pty.write(Uint8Array.of(1));
    await expect.poll(() => recorded.arrived).toBe(1);
    expect(recorded.end).toBeUndefined();
  });

  test('one owner per port: a second link is told so, and has it once the first is closed', async () => {
    const pty = newPty();
    const name = join(folder, 'other-name');
    symlinkSync(pty.path, name);
    const first = await startOpen(serialAddress(pty.path));
    const second = start(serialAddress(name));
    await expect.poll(() => second.end?.code).toBe('port_busy');
    expect(second.end?.detail).toContain('another device of this bridge');
    expect(first.end).toBeUndefined();
    first.link.destroy();
    await expect.poll(() => first.end?.code).toBe('link_ended');
    await startOpen(serialAddress(name));
  });

  test.each([
    ['of the same device', 'meter', 'its own former link is still being closed'],
    ['of another device', 'pump', 'that of the device meter is still being closed'],
    ['of nobody that is known', undefined, 'that of the device meter is still being closed'],
  ])('a port that is still being closed is not held for good: a link %s', async (_, device, words) => {
    const { path } = newPty();
    const first = start(serialAddress(path, { xon: true }), undefined, 'meter');
    await expect.poll(() => first.events.length).toBe(1);
    const beside = start(serialAddress(path), undefined, 'pump');
    await expect.poll(() => beside.end?.detail).toContain('is held by the device meter of this bridge');
    // With flow control all of its time is given to the line.
    first.link.end();
    const next = start(serialAddress(path), undefined, device);
    await expect.poll(() => next.end).toMatchObject({ code: 'port_busy' });
    expect(next.end?.detail).toContain(words);
    await expect.poll(() => first.end?.code, { timeout: 5_000 }).toBe('link_ended');
    await startOpen(serialAddress(path));
  });

  test.runIf(python.run)('a port held by another process: says by which', async () => {
    const pty = newPty();
    const holder = spawn(python.path, ['-c', HOLDER, pty.path], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(holder.stdout, 'data');
      const recorded = start(serialAddress(pty.path));
      await expect.poll(() => recorded.end?.code).toBe('port_busy');
      if (process.platform === 'linux') {
        expect(recorded.end?.detail).toMatch(new RegExp(`python.*\\(process ${holder.pid}\\)`, 's'));
      }
    } finally {
      holder.stdin.end();
      await once(holder, 'exit');
    }
    await startOpen(serialAddress(pty.path));
  });

  test('what is no serial port is named as such', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'no port');
    for (const path of [file, folder, '/dev/null']) {
      const recorded = start(serialAddress(path));
      await expect.poll(() => recorded.end?.code).toBe('port_not_serial');
      expect(recorded.end?.detail).toContain(path);
      expect(recorded.opened).toBe(false);
    }
  });

  test('modem lines that the driver does not have are refused, and the port is free again', async () => {
    const pty = newPty();
    const refused = start(serialAddress(pty.path, { dtr: false }));
    await expect.poll(() => refused.end?.code).toBe('port_settings');
    await startOpen(serialAddress(pty.path));
  });

  test('two frames in one burst are handed on at once, and silence is told once', async () => {
    const pty = newPty();
    const recorded = await startOpen(serialAddress(pty.path), 60);
    pty.write(Buffer.from('00000001010000000102', 'hex'));
    await expect.poll(() => recorded.idles).toBe(1);
    expect(recorded.bytes().toString('hex')).toBe('00000001010000000102');
    expect(recorded.events.at(-1)).toEqual({ event: 'idle' });
    pty.write(Uint8Array.of(0));
    await expect.poll(() => recorded.idles).toBe(2);
  });

  test('a loop that stands still in the middle of a frame senses no silence there', async () => {
    const pty = newPty();
    const recorded = await startOpen(serialAddress(pty.path), 50);
    pty.write(Uint8Array.of(0, 0, 0));
    await expect.poll(() => recorded.arrived, { interval: 1 }).toBe(3);
    const standUntil = performance.now() + 80;
    pty.writeNow(Uint8Array.of(1, 1));
    while (performance.now() < standUntil);
    await expect.poll(() => recorded.idles).toBe(1);
    expect(recorded.events.map((each) => each.event)).toEqual(['opened', 'data', 'data', 'idle']);
  });

  test('one frame in many chunks: silence only after the last', async () => {
    const pty = newPty();
    const recorded = await startOpen(serialAddress(pty.path), 500);
    for (let at = 0; at < 52; at += 1) {
      pty.write(Uint8Array.of(at));
      await expect.poll(() => recorded.arrived, { interval: 1 }).toBe(at + 1);
    }
    await expect.poll(() => recorded.idles).toBe(1);
    expect(recorded.events.at(-1)).toEqual({ event: 'idle' });
    expect([...recorded.bytes()]).toEqual(Array.from({ length: 52 }, (_, at) => at));
  });
});
