import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { main } from '../../src/cli/main.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { RecordedIo } from '../support/recorded-io.ts';
import { dialIn, QUICK_HEARTBEAT, SIMULATED_IMEI } from '../support/simulated-device.ts';

const key = randomBytes(32).toString('base64');
const otherKey = randomBytes(32).toString('base64');

class IoWithKey extends RecordedIo {
  override readonly env: Readonly<Record<string, string | undefined>>;

  constructor(cwd: string, given?: string) {
    super(cwd);
    this.env = { HEARTWIRE_KEY: given };
  }
}

describe('the commands on topics that the bridge encrypts', () => {
  let folder: string;
  let url: string;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-secret-'));
    const file = join(folder, 'devices.yaml');
    await writeFile(join(folder, 'bench.key'), `${key}\n`);
    await writeFile(join(folder, 'other.key'), `${otherKey}\n`);
    await writeFile(join(folder, 'both.keys'), `${otherKey}\n${key}\n`);
    await writeFile(join(folder, 'short.key'), `${randomBytes(16).toString('base64')}\n`);
    await writeFile(join(folder, 'empty.key'), '\n');
    await writeFile(
      file,
      `server: { port: 0 }
${QUICK_HEARTBEAT}
devices: [{ id: psu-1, match: { imei: "${SIMULATED_IMEI}" } }]
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
secrecy:
  keys: [{ id: bench-2026, file: bench.key }]
  topics: [{ pattern: devices/psu-1/#, key: bench-2026 }]
`,
    );
    const { config, failed, problems } = await readConfig(file);
    if (config === undefined) throw new Error(JSON.stringify(problems));
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const bridge = new Bridge({ config, failed, clock: systemClock, log: silent, version: '0.0.0-test' });
    open.push(bridge);
    const { url: address, listeners } = await bridge.start();
    url = address;
    open.push(await dialIn(Number(listeners[0]?.split(':').at(-1))));
    // It is there once it answers.
    await vi.waitFor(async () => expect((await run(key, 'send', 'psu-1', 'heartbeat')).code).toBe(0), 5_000);
  });
  afterAll(async () => {
    for (const each of open.reverse()) await each[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  async function run(given: string | undefined, ...argv: string[]) {
    const io = new IoWithKey(folder, given);
    const code = await main([...argv, '--url', url], io);
    expect(`${io.printed}${io.logged}`).not.toContain(key);
    return { code, out: io.printed, err: io.logged };
  }
  const tail = ['tail', 'devices/psu-1/state', '--count', '1'];
  const send = ['send', 'psu-1', 'datetime'];

  it.each([
    ['HEARTWIRE_KEY', key, []],
    ['HEARTWIRE_KEY with several', `${otherKey} ${key}`, []],
    ['a file', undefined, ['--key-file', 'bench.key']],
    ['one of two files', undefined, ['--key-file', 'bench.key', '--key-file', 'other.key']],
    ['a file with two keys', undefined, ['--key-file', 'both.keys']],
    ['a file instead of HEARTWIRE_KEY', otherKey, ['--key-file', 'bench.key']],
  ])('are given the key by %s', async (_, given, args) => {
    const said = await run(given, ...tail, ...args);
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(said.out)).toMatchObject({ state: { device: 'psu-1', link: { status: 'connected' } } });
    const answered = await run(given, ...send, ...args);
    expect(answered).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(answered.out)).toMatchObject({
      fields: { datetime: expect.stringMatching(/^\d{4}-/) },
    });
  });

  it.each([
    ['no key', undefined, 'No key was given.'],
    ['another key', otherKey, 'the key does not fit.'],
  ])('show ciphertext with %s, and say once what would help', async (_, given, why) => {
    for (const argv of [['tail', 'devices/psu-1/#', '--count', '4'], send]) {
      const { code, out, err } = await run(given, ...argv);
      expect(code).toBe(0);
      expect(out).toContain('"$jwe":"');
      expect(err).toContain('is encrypted with the key "bench-2026", and shown as it came.');
      expect(err).toContain(why);
      expect(err).toContain('HEARTWIRE_KEY');
      expect(err.split('\n')).toHaveLength(2);
    }
  });

  it('print events and raw bytes decrypted', async () => {
    const { out, err } = await run(key, 'tail', '--bytes', 'psu-1', '--count', '2', '--json');
    expect(err).toBe('');
    const events = out.trim().split('\n');
    expect(events.map((line) => JSON.parse(line).data.bytes)).toEqual(
      events.map(() => ({ $bytes: expect.any(String), len: expect.any(Number) })),
    );
  });

  it('watch values with the key, and mark what is secret without', async () => {
    const watch = async (given: string | undefined, expected: RegExp) => {
      const io = new IoWithKey(folder, given);
      const ended = main(['monitor', '--url', url], io);
      await expect.poll(() => io.printed).toMatch(expected);
      io.signal('SIGINT');
      expect(await ended).toBe(0);
      return io.logged;
    };
    expect(await watch(key, / {2}psu-1 {2}(?:online|stale) {2}connected 127\.0\.0\.1/)).toBe('');
    const told = await watch(undefined, / {2}psu-1 {2}secret {2}encrypted; its key is not here/);
    expect(told).toMatch(/encrypted with the key "bench-2026"/);
  });

  it.each([
    [
      'a file that is not there',
      undefined,
      ['--key-file', 'nowhere.key'],
      'nowhere.key, could not be read (ENOENT)',
    ],
    [
      'a file with half a key',
      undefined,
      ['--key-file', 'short.key'],
      'short.key holds no key, but 16 bytes in base64.',
    ],
    ['an empty file', undefined, ['--key-file', 'empty.key'], 'empty.key holds no key.'],
    ['what is no key', 'not-a-key!', [], 'HEARTWIRE_KEY holds no key, but something else than base64.'],
    ['too many keys', `${key} `.repeat(17), [], 'At most 16 keys'],
  ])('refuse %s', async (_, given, args, message) => {
    for (const argv of [tail, send, ['monitor']]) {
      const { code, out, err } = await run(given, ...argv, ...args);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(message);
      expect(err).not.toContain('not-a-key!');
    }
  });
});
