import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { needs } from '../support/needs.ts';
import { PythonPeer } from '../support/python-peer.ts';
import { RecordedIo } from '../support/recorded-io.ts';

class TerminalIo extends RecordedIo {
  override readonly terminal = true;
}

async function refused(...argv: string[]): Promise<string> {
  const io = new RecordedIo();
  expect(await main(['simulate', ...argv], io)).toBe(2);
  expect(io.printed).toBe('');
  expect(io.watched).toEqual([]);
  return io.logged;
}

const jsonLines = (io: RecordedIo): Array<Record<string, unknown>> =>
  io.printed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>); // The command prints objects only.

describe('simulate: wrong usage', () => {
  test.each([
    [[], /Choose one of --connect HOST:PORT, --listen PORT and --pty PATH; seen: 0 of them/],
    [['--connect', 'a:1', '--listen', '2'], /seen: 2 of them/],
    [['--connect', 'a'], /--connect "a": .*port.* Write HOST:PORT, for example 10/i],
    [['--listen', 'a'], /Write HOST:PORT, for example 127/],
    [['--listen', '99999'], /--listen "99999"/],
    [['--listen', '0', '--count', '0'], /--count is a whole number from 1 to 10000; seen: 0/],
    [
      ['--listen', '65535', '--count', '2'],
      /--listen PORT and --count stay within port 65535; seen: 65535 and 2/,
    ],
    [['--pty', '/dev/ttyS0', '--count', '2'], /--pty is one device/],
    [['--listen', '0', '--seed', '1.5'], /--seed is a whole number/],
    [['--listen', '0', '--every', '3'], /--every is a duration with a unit, such as 100ms or 3s; seen: 3/],
    [['--listen', '0', '--clock-offset', '-5'], /--clock-offset is a duration/],
    [['--listen', '0', '--time-zone', 'Mars/North'], /--time-zone is an IANA name/],
    [['--connect', 'a:1', '--early', 'register'], /--early takes heartbeat, datetime or both/],
    [['--connect', 'a:1', '--imei', '123'], /--imei has 15 characters/],
    [['--connect', 'a:1', '--appid', '123'], /--appid has 36 characters/],
    [['--listen', '0', '--fault', 'dorp=1'], /no fault "dorp"/],
    [['--listen', '0', '--fault', 'short'], /"short" does not fit/],
    [['--lisen', '0'], /lisen/],
    [
      ['--pty', '/there-is-none/line'],
      /There is no folder \/there-is-none\. Create it, or name another path/,
    ],
    [['--pack', 'eastron-sdm', '--pty', './there-is-none/line'], /There is no folder .*\/there-is-none\./],
    [['--pty', '/etc/hostname/line'], /This is no folder: \/etc\/hostname/],
    [['--connect', 'a:1', '--identity', '7'], /--identity goes with --messages or --pack/],
    [['--connect', 'a:1', '--pack', 'vedirect', '--identity', '7'], /declare no login; leave out --identity/],
    [['--listen', '0', '--pack', 'gt06', '--fault', 'short'], /"short" does not fit/],
  ])('%j', async (argv, message) => {
    expect(await refused(...argv)).toMatch(message);
  });
});

describe('simulate', () => {
  test('in a pipe, says where devices listen and nothing else; a signal ends it with 0', async () => {
    const io = new RecordedIo();
    const done = main(['simulate', '--listen', '0', '--count', '2'], io);
    await expect
      .poll(() => io.printed)
      .toMatch(/^sim-1: listens at 127.0.0.1:\d+\nsim-2: listens at 127.0.0.1:\d+\n$/);
    io.signal('SIGTERM');
    expect(await done).toBe(0);
    expect(io.printed.split('\n')).toHaveLength(3);
    expect(io.watched).toEqual([]);
  });

  test('ends when nobody reads its output any more', async () => {
    const io = new RecordedIo();
    const done = main(['simulate', '--listen', '0'], io);
    await expect.poll(() => io.printed).toContain('listens');
    io.closeOut();
    expect(await done).toBe(0);
  });

  test('a port that is taken is the work failing, with the reason', async () => {
    const holder = new RecordedIo();
    const holding = main(['simulate', '--listen', '0'], holder);
    await expect.poll(() => holder.printed).toContain('listens');
    const taken = /:(\d+)\n/.exec(holder.printed)?.[1] ?? '';
    const io = new RecordedIo();
    expect(await main(['simulate', '--listen', taken], io)).toBe(1);
    expect(io.logged).toContain(taken);
    expect(io.watched).toEqual([]);
    holder.signal('SIGINT');
    expect(await holding).toBe(0);
  });

  test('a device that cannot connect says so once in a pipe, on standard error, and goes on trying', async () => {
    const holder = new RecordedIo();
    const holding = main(['simulate', '--listen', '0'], holder);
    await expect.poll(() => holder.printed).toContain('listens');
    const free = /:(\d+)\n/.exec(holder.printed)?.[1] ?? '';
    holder.signal('SIGINT');
    await holding;
    const io = new RecordedIo();
    const done = main(['simulate', '--connect', `127.0.0.1:${free}`], io);
    await expect.poll(() => io.logged).toMatch(/^sim-1: disconnected\. .*Again in \d+\.\d s\.\n$/);
    io.signal('SIGINT');
    expect(await done).toBe(0);
    expect(io.printed).toBe('');
  });
});

describe.runIf(needs('python3').run)('simulate against a peer in Python', () => {
  test('on a terminal, tells what a device does, and sums up', async () => {
    const { peer, port } = await PythonPeer.serve();
    await using _ = peer;
    const io = new TerminalIo();
    const imei = '869858030720693';
    const done = main(['simulate', '--connect', `127.0.0.1:${port}`, '--every', '50ms', '--imei', imei], io);
    expect(await peer.waitFor((each) => each.message === 'register')).toMatchObject({ imei });
    await peer.waitFor((each) => each.message === 'heartbeat');
    await expect.poll(() => io.printed).toContain('sim-1: registered');
    io.signal('SIGINT');
    expect(await done).toBe(0);
    expect(io.printed).toMatch(/^sim-1: connected with 127\.0\.0\.1:\d+\nsim-1: registered\n/);
    expect(io.printed).toMatch(/Stopped\. \d+ frames sent, \d+ received\.\n$/);
  });

  test('--json prints every event, with keys in snake_case', async () => {
    const io = new RecordedIo();
    const argv = ['simulate', '--listen', '0', '--clock-offset', '-1h', '--time-zone', 'UTC', '--json'];
    const done = main(argv, io);
    await expect.poll(() => jsonLines(io)[0]).toMatchObject({ kind: 'listening', device: 'sim-1' });
    const port = Number(String(jsonLines(io)[0]?.address).split(':').at(-1));
    await using peer = PythonPeer.dial(port);
    const { text = '' } = await peer.waitFor((each) => each.event === 'reply' && each.message === 'datetime');
    const behindMs = Date.now() - Date.parse(`${text.replace(' ', 'T')}Z`);
    expect(Math.abs(behindMs - 3_600_000)).toBeLessThan(60_000);
    await peer.kill();
    await expect.poll(() => jsonLines(io).at(-1)).toMatchObject({ kind: 'disconnected' });
    io.signal('SIGTERM');
    expect(await done).toBe(0);
    expect(jsonLines(io).map(({ kind }) => kind)).toEqual([
      'listening',
      'connected',
      'peer_registered',
      'disconnected',
      'stopped',
    ]);
    expect(jsonLines(io).every(({ timestamp }) => typeof timestamp === 'number')).toBe(true);
  });

  test('of a large fleet on a terminal, only the sums are told', async () => {
    const { peer, port } = await PythonPeer.serve();
    await using _ = peer;
    const io = new TerminalIo();
    const argv = ['simulate', '--connect', `127.0.0.1:${port}`, '--count', '12', '--every', '100ms'];
    const done = main([...argv, '--early', 'heartbeat,datetime', '--fault', 'late-reply=10ms'], io);
    await expect.poll(() => io.printed).toContain('12 of 12 connected, 12 registered; ');
    io.signal('SIGINT');
    expect(await done).toBe(0);
    expect(io.printed).not.toContain('sim-');
    const registered = peer.events.filter((each) => each.event === 'request' && each.message === 'register');
    expect(new Set(registered.map((each) => each.imei)).size).toBe(12);
  });
});
