import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from '../../src/cli/command.ts';
import { main } from '../../src/cli/main.ts';
import { Encryptor } from '../../src/encryption/encryptor.ts';
import { BridgeFace } from '../support/bridge-face.ts';
import { RecordedIo } from '../support/recorded-io.ts';

/** A terminal whose keys the test presses, and whose window it pulls at. */
class TypedTerminal implements Terminal {
  columns = 90;
  rows = 8;
  readonly resizers = new Set<() => void>();
  readonly listeners = new Set<(text: string) => void>();
  resumed: (() => void) | undefined;

  size() {
    return { columns: this.columns, rows: this.rows };
  }
  onResize(callback: () => void) {
    this.resizers.add(callback);
    return () => void this.resizers.delete(callback);
  }
  onKeys(callback: (text: string) => void) {
    this.listeners.add(callback);
    return () => void this.listeners.delete(callback);
  }
  suspend(resumed: () => void) {
    this.resumed = resumed;
  }
  press(text: string): void {
    for (const each of [...this.listeners]) each(text);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what moves the cursor
const PLACED = /\u001b\[(\d+);1H((?:(?!\u001b\[\d+;1H|\u001b\[\?).)*)/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are how text stands out
const STYLE = /\u001b\[\d+m/g;

class TerminalIo extends RecordedIo {
  override readonly terminal = true;
  override env: Readonly<Record<string, string | undefined>> = { NO_COLOR: '1' };
  readonly tty = new TypedTerminal();

  /** What stands on the screen, from what was written: only whole lines are, each at its place. */
  get screen(): string[] {
    const shown: string[] = [];
    const last = this.printed.slice(this.printed.lastIndexOf('\u001b[2J'));
    for (const [, line, text = ''] of last.matchAll(PLACED)) {
      shown[Number(line) - 1] = text.replace(STYLE, '').trimEnd();
    }
    return shown;
  }
}

const state = (device: string, status: string, more: object = {}) => ({
  device,
  status,
  since: 0,
  link: { status: 'connected', address: '10.0.0.7:9089', since: 0, attempt: 0 },
  ...more,
});

describe('monitor', () => {
  let face: BridgeFace;

  beforeEach(async () => {
    face = await BridgeFace.open();
    face.store.publishState('devices/psu-1/state', state('psu-1', 'online', { values: { t: { v: 1 } } }));
    face.store.publishState('devices/rack-7/state', state('rack-7', 'offline', { reason: 'silent' }));
  });
  afterEach(() => face[Symbol.asyncDispose]());

  describe('on a terminal', () => {
    let io: TerminalIo;
    let ended: Promise<number>;

    const start = async (...args: string[]) => {
      io = new TerminalIo();
      ended = main(['monitor', '--url', face.url, ...args], io);
      await expect.poll(() => io.screen[0]).toMatch(/connected$/);
    };
    const shows = (line: RegExp) => expect.poll(() => io.screen.join('\n')).toMatch(line);
    /** Everything that was taken has been given back. */
    const leftAlone = () => {
      expect(io.printed.endsWith('\u001b[?7h\u001b[?25h\u001b[?1049l')).toBe(true);
      expect([io.tty.listeners.size, io.tty.resizers.size, io.watched.length]).toEqual([0, 0, 0]);
      expect(face.subscribers).toBe(0);
    };

    it('shows every device and follows it, until q', async () => {
      await start();
      await shows(/^psu-1 +online .*v=1$/m);
      await shows(/^rack-7 +offline .*silent$/m);
      face.store.publishState('devices/psu-1/state', state('psu-1', 'stale'));
      await shows(/^psu-1 +stale/m);
      face.store.removeState('devices/rack-7/state');
      await shows(/^1 device +1 stale/m);
      io.tty.press('q');
      expect(await ended).toBe(0);
      await expect.poll(() => face.subscribers).toBe(0);
      leftAlone();
    });

    it('shows the units of what devices speak, also those that it comes to know later', async () => {
      const values = { t: { v: 1 } };
      face.store.publishState('declarations/k1', { fields: { 't.v': { unit: 'kN' } } });
      face.store.publishState('devices/psu-1/state', state('psu-1', 'online', { values, declaration: 'k1' }));
      await start();
      await shows(/^psu-1 +online .*t\.v=1 kN$/m);
      face.store.publishState('declarations/k2', { fields: { 't.v': { unit: 'N' } } });
      face.store.publishState('devices/psu-1/state', state('psu-1', 'online', { values, declaration: 'k2' }));
      await shows(/^psu-1 +online .*t\.v=1 N$/m);
      io.tty.press('q');
      expect(await ended).toBe(0);
    });

    it.each(['SIGINT', 'SIGTERM'] as const)('gives the terminal back on %s', async (signal) => {
      await start();
      io.signal(signal);
      expect(await ended).toBe(0);
      await expect.poll(() => face.subscribers).toBe(0);
      leftAlone();
    });

    it('fits the window, whatever its size becomes', async () => {
      await start();
      await shows(/rack-7/);
      io.tty.rows = 5;
      for (const each of io.tty.resizers) each();
      await expect.poll(() => io.screen.length).toBe(5);
      await shows(/rows 1 to 1 of 2/);
      io.tty.press('j');
      await shows(/^rack-7/m);
      io.tty.press('q');
      await ended;
    });

    it('takes a filter from the command line, and another one from the keys', async () => {
      await start('offline');
      await shows(/leaves 1/);
      expect(io.screen.join('\n')).not.toContain('psu-1');
      io.tty.press('\u001b/psu\r');
      await shows(/^psu-1/m);
      expect(io.screen.join('\n')).not.toContain('rack-7');
      io.tty.press('q');
      await ended;
    });

    it('goes to sleep as others do, and draws everything when it wakes', async () => {
      await start();
      await shows(/psu-1/);
      io.tty.press('\u001a');
      expect(io.printed.endsWith('\u001b[?1049l')).toBe(true);
      expect(io.tty.listeners.size).toBe(0);
      face.store.publishState('devices/psu-1/state', state('psu-1', 'away'));
      io.printed = '';
      io.tty.resumed?.();
      expect(io.printed.startsWith('\u001b[?1049h')).toBe(true);
      await shows(/^psu-1 +away/m);
      io.tty.press('q');
      await ended;
    });

    it('says that the bridge is gone, and for how long what it shows is true no more', async () => {
      await start();
      const { store, port } = face;
      await face[Symbol.asyncDispose]();
      await shows(/NOT CONNECTED for \d+s: .*next try in/);
      expect(io.screen.join('\n')).toMatch(/^psu-1 +online/m);
      face = await BridgeFace.open({ store, port });
      await expect.poll(() => io.screen[0]).toMatch(/ connected$/);
      expect(io.logged).toBe('');
      io.tty.press('q');
      await ended;
    });

    it('shows what is encrypted with the key, and marks it without, with no word beside the table', async () => {
      const key = new Uint8Array(randomBytes(32));
      const rules = [{ pattern: 'devices/#', key: 'k' }];
      const encryptor = new Encryptor({ rules, keys: new Map([['k', key]]) });
      const topic = 'devices/psu-1/state';
      const sealed = await encryptor.encrypt(topic, state('psu-1', 'online', { values: { t: { v: 7 } } }));
      face.store.publishState(topic, sealed);
      await start();
      await shows(/^psu-1 +secret .*encrypted; its key/m);
      expect(io.logged).toBe('');
      io.tty.press('q');
      await ended;
      io = new TerminalIo();
      io.env = { NO_COLOR: '1', HEARTWIRE_KEY: Buffer.from(key).toString('base64') };
      ended = main(['monitor', '--url', face.url], io);
      await shows(/^psu-1 +online .*v=7$/m);
      io.tty.press('q');
      await ended;
    });

    it('leaves the terminal as it was where there is no bridge', async () => {
      io = new TerminalIo();
      expect(await main(['monitor', '--url', 'http://127.0.0.1:1'], io)).toBe(1);
      expect(io.printed.endsWith('\u001b[?1049l')).toBe(true);
      expect(io.logged).toMatch(/could not be reached/);
    });
  });

  describe('in a pipe', () => {
    const AT = /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}/;
    const lines = (io: RecordedIo) => io.printed.split('\n').filter((line) => line !== '');

    it('prints a line for each device, and for each change of how it is', async () => {
      const io = new RecordedIo();
      const ended = main(['monitor', '--url', face.url], io);
      await expect.poll(() => lines(io).length).toBe(2);
      const values = { t: { v: 2 } };
      face.store.publishState('declarations/k1', { fields: { 't.v': { unit: 'kN' } } });
      face.store.publishState('devices/psu-1/state', state('psu-1', 'online', { values, declaration: 'k1' }));
      await expect.poll(() => face.clients[0]?.subscriptions).toContain('declarations/k1');
      face.store.publishState('devices/psu-1/state', state('psu-1', 'stale', { values, declaration: 'k1' }));
      face.store.removeState('devices/rack-7/state');
      await expect.poll(() => lines(io).length).toBe(4);
      expect(lines(io).every((line) => AT.test(line))).toBe(true);
      expect(lines(io).map((line) => line.replace(AT, ''))).toEqual([
        'psu-1  online  connected 10.0.0.7:9089',
        'rack-7  offline  connected 10.0.0.7:9089  silent',
        'psu-1  stale  connected 10.0.0.7:9089  t.v=2 kN',
        'rack-7  removed',
      ]);
      io.signal('SIGINT');
      expect(await ended).toBe(0);
      expect(io.printed).not.toContain('\u001b');
    });

    it('prints JSON where that is asked for, on a terminal too', async () => {
      const io = new TerminalIo();
      const ended = main(['monitor', '--json', 'silent', '--url', face.url], io);
      await expect.poll(() => lines(io).length).toBe(1);
      expect(JSON.parse(io.printed)).toMatchObject({ device: 'rack-7', status: 'offline', reason: 'silent' });
      io.closeOut();
      expect(await ended).toBe(0);
    });
  });
});
