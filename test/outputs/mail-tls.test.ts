import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasOpenssl, makeCertificate, type TestCertificate } from '../support/certificates.ts';
import { OutputWorld } from '../support/output-world.ts';
import { SmtpPeer, type SmtpTls } from '../support/smtp-peer.ts';

const LATE = { timeout: 30_000 };
const LIMIT = { timeout: 60_000 };
const PASSWORD = 'p4ss w0rd';

/** Every name is this machine: what is no address is somewhere on a network, as far as the output knows. */
const lookup: LookupFunction = (_name, options, callback) =>
  options.all === true
    ? callback(null, [{ address: '127.0.0.1', family: 4 }])
    : callback(null, '127.0.0.1', 4);

let folder: string;
let peer: SmtpPeer | undefined;
let world: OutputWorld;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-mail-tls-'));
  world = new OutputWorld({ lookup });
  writeFileSync(join(folder, 'password'), PASSWORD);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  peer = undefined;
  rmSync(folder, { recursive: true });
});

const pair = ({ cert, key }: TestCertificate) => ({
  cert: readFileSync(cert, 'utf8'),
  key: readFileSync(key, 'utf8'),
});

/** Sends one mail, with a login, to a server of this name. */
async function send(scheme: string, host: string, more = '', tls?: SmtpTls): Promise<SmtpPeer> {
  peer = await SmtpPeer.start(tls);
  const login = `username: me, password_file: ${join(folder, 'password')}`;
  await world.apply(
    `  - mail: { url: "${scheme}://${host}:${peer.port}", from: a@b.c, to: d@e.f, for: 0s, ${login} ${more} }`,
  );
  world.state('psu-1');
  world.state('psu-1', { status: 'offline', reason: 'heartbeat_missed' });
  return peer;
}

const isRefused = (text: string | RegExp, reason = 'output_refused') =>
  expect
    .poll(() => world.shown(), LATE)
    .toMatchObject({
      status: 'backoff',
      reason,
      detail: expect.stringMatching(text),
      sent: 0,
      lost: 0,
      waiting: 1,
    });

describe.runIf(hasOpenssl)('mail over TLS', LIMIT, () => {
  it.each([
    ['smtps', 'start'],
    ['smtp', 'STARTTLS'],
  ] as const)('goes by %s, and nothing of it in plain but the greeting', async (scheme, from) => {
    const own = makeCertificate(folder, 'mail.test');
    const { taken, lines, secureLines } = await send(scheme, 'mail.test', `, ca_file: ${own.cert}`, {
      ...pair(own),
      from,
    });
    await expect.poll(() => taken.length, LATE).toBe(1);
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 0, waiting: 0 });
    const plain = lines.filter((line) => !secureLines.includes(line));
    expect(plain).toEqual(from === 'start' ? [] : ['STARTTLS']);
    expect(secureLines).toContain(`AUTH PLAIN ${Buffer.from(`\0me\0${PASSWORD}`).toString('base64')}`);
  });

  it.each([
    ['smtps', 'start', 'output_unreachable'],
    ['smtp', 'STARTTLS', 'output_unreachable'],
  ] as const)(
    'by %s gives nothing to a server with the certificate of another authority',
    async (scheme, from, reason) => {
      const own = makeCertificate(folder, 'mail.test');
      const other = makeCertificate(folder, 'other');
      const { taken, lines } = await send(scheme, 'mail.test', `, ca_file: ${other.cert}`, {
        ...pair(own),
        from,
      });
      await isRefused(/certificate/, reason);
      expect([taken, lines.filter((line) => line.startsWith('AUTH'))]).toEqual([[], []]);
    },
  );

  it.each([
    ['smtps', 'start'],
    ['smtp', 'STARTTLS'],
  ] as const)('by %s gives nothing to a server of another name', async (scheme, from) => {
    const own = makeCertificate(folder, 'mail.test');
    const { taken } = await send(scheme, 'elsewhere.test', `, ca_file: ${own.cert}`, { ...pair(own), from });
    await isRefused(/elsewhere\.test/, 'output_unreachable');
    expect(taken).toEqual([]);
  });

  it('sends no password in plain to a server on a network that offers no STARTTLS', async () => {
    const { taken, lines } = await send('smtp', 'mail.test');
    await isRefused(/TLS/);
    expect([taken, lines.filter((line) => /^AUTH/.test(line))]).toEqual([[], []]);
  });
});
