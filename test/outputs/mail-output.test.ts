import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/system/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { OutputWorld } from '../support/output-world.ts';
import { SmtpPeer } from '../support/smtp-peer.ts';

const LATE = { timeout: 30_000 };

let folder: string;
let peer: SmtpPeer;
let world: OutputWorld;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-mail-'));
  peer = await SmtpPeer.start();
  world = new OutputWorld();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await peer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const begin = (more = '', wait = '0s') =>
  world.apply(
    `  - mail: { url: "smtp://127.0.0.1:${peer.port}", from: bridge@example.com, to: [a@example.com, b@example.com], for: ${wait} ${more} }`,
  );
const offline = (device = 'psu-1') => world.state(device, { status: 'offline', reason: 'heartbeat_missed' });
const alarm = (level: string, value = 61.5) =>
  world.store.publishEvent('devices/psu-1/alarms', {
    ...{ at: 1_767_225_600_000, message: 't', field: 'x', level, previous: 'good', value, unit: '°C' },
  });
const header = (data: string, name: string): string => {
  const [, value = ''] =
    new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(data.split('\r\n\r\n')[0] ?? '') ?? [];
  const words = value.replace(/\?=\s+=\?/g, '?==?').replace(/\r\n[ \t]/g, ' ');
  return words.replace(/=\?UTF-8\?([BQ])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
    kind.toUpperCase() === 'B'
      ? Buffer.from(text, 'base64').toString()
      : decodeURIComponent(text.replaceAll('_', ' ').replace(/=/g, '%')),
  );
};
const subjects = (): string[] => peer.taken.map(({ data }) => header(data, 'Subject'));

describe('mail', () => {
  it('is sent to all receivers when a device goes away, and when it is back', async () => {
    await begin();
    world.state('psu-1', { label: '电源' });
    world.state('psu-1', { label: '电源', status: 'offline', reason: 'heartbeat_missed' });
    await expect.poll(subjects, LATE).toEqual(['电源 (psu-1) is offline (heartbeat_missed)']);
    world.state('psu-1', { label: '电源' });
    await expect.poll(subjects, LATE).toHaveLength(2);
    const [{ from, to, data } = { from: '', to: [], data: '' }] = peer.taken;
    expect([from, to]).toEqual(['bridge@example.com', ['a@example.com', 'b@example.com']]);
    expect(header(data, 'From')).toBe('bridge@example.com');
    expect(header(data, 'Auto-Submitted')).toBe('auto-generated');
    expect(header(data, 'Message-ID')).toMatch(/^<[0-9a-f-]{36}@heartwire>$/);
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 2, lost: 0, waiting: 0 });
  });

  it('says an alarm in the language of the people, and lets no name begin a header', async () => {
    await begin(', language: zh');
    world.state('psu-1', { label: 'x\r\nBcc: c@example.com' });
    alarm('alarm');
    await expect.poll(subjects, LATE).toEqual(['x Bcc: c@example.com (psu-1) t.x = 61.5 °C: 报警 alarm']);
    expect(peer.taken[0]?.to).toEqual(['a@example.com', 'b@example.com']);
    expect(header(peer.taken[0]?.data ?? '', 'Bcc')).toBe('');
  });

  it('of a device that flaps is one message, and none in quiet hours, as with webhooks', async () => {
    const clock = new FakeClock();
    await world[Symbol.asyncDispose]();
    world = new OutputWorld({ clock: clock as Clock });
    await begin('', '10s');
    world.state('psu-1');
    for (let times = 0; times < 50; times++) {
      offline();
      clock.advance(1_000);
      world.state('psu-1');
      clock.advance(1_000);
    }
    expect(world.counts()).toEqual({ sent: 0, lost: 0, waiting: 0 });
    offline();
    clock.advance(10_001);
    await expect.poll(subjects, LATE).toEqual(['psu-1 is offline (heartbeat_missed)']);
  });

  it.each([
    ['is busy', { MAIL: '451 try later' }, 'output_refused'],
    ['does not take the mail now', { '.': '452 no room' }, 'output_refused'],
  ])('goes again under the same id where the server %s', async (_, replies, reason) => {
    await begin();
    peer.replies = replies;
    world.state('psu-1');
    offline();
    await expect.poll(() => world.shown(), LATE).toMatchObject({ status: 'backoff', reason, waiting: 1 });
    peer.replies = {};
    await expect.poll(subjects, LATE).toHaveLength(1);
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 0, waiting: 0 });
  });

  it('waits while the server is away', async () => {
    await begin();
    const { port } = peer;
    await peer.stop();
    world.state('psu-1');
    offline();
    await expect
      .poll(() => world.shown(), LATE)
      .toMatchObject({ status: 'backoff', reason: 'output_unreachable', url: `smtp://127.0.0.1:${port}` });
    await peer.listen(port);
    await expect.poll(subjects, LATE).toHaveLength(1);
  });

  it('that is refused for good is lost alone, and counted with what the server said', async () => {
    await begin();
    peer.replies = { RCPT: '550 no such user' };
    world.state('psu-1');
    offline();
    await expect
      .poll(() => world.shown(), LATE)
      .toMatchObject({ status: 'failed', reason: 'output_refused', lost: 1, waiting: 0 });
    expect(String(world.shown().detail)).toContain('550');
    peer.replies = {};
    world.state('psu-1');
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 1, waiting: 0 });
  });

  it('logs in with the password of its file, and a wrong one is said without being shown', async () => {
    await writeFile(join(folder, 'password'), 'p4ss w0rd\n');
    peer.replies = { AUTH: '535 no' };
    await begin(`, username: me, password_file: ${join(folder, 'password')}`);
    world.state('psu-1');
    offline();
    await expect
      .poll(() => world.shown(), LATE)
      .toMatchObject({ status: 'backoff', reason: 'output_refused' });
    expect(JSON.stringify(world.shown())).not.toContain('p4ss');
    peer.replies = {};
    await expect.poll(subjects, LATE).toHaveLength(1);
    const plain = Buffer.from('\0me\0p4ss w0rd').toString('base64');
    expect(peer.lines).toContain(`AUTH PLAIN ${plain}`);
  });

  it('holds up nothing where the server never says a word', async () => {
    await begin();
    peer.mute = true;
    world.state('psu-1');
    offline();
    await expect.poll(() => world.counts().waiting, LATE).toBe(1);
    // It ends with its farewell, and waits for no server.
    await world[Symbol.asyncDispose]();
    expect(peer.taken).toEqual([]);
  });
});
