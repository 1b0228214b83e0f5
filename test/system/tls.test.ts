import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/read.ts';
import { outOfDate, readTlsPair } from '../../src/system/tls.ts';
import { hasOpenssl, makeCertificate } from '../support/certificates.ts';
import { needs } from '../support/needs.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-pair-'));
  if (!hasOpenssl) return;
  makeCertificate(folder, 'one');
  makeCertificate(folder, 'two');
  writeFileSync(join(folder, 'words.txt'), 'no PEM at all\n');
  mkdirSync(join(folder, 'folder'));
  const openssl = needs('openssl').path;
  const locked = ['pkey', '-in', 'one.key', '-aes256', '-passout', 'pass:secret', '-out', 'locked.key'];
  execFileSync(openssl, locked, { cwd: folder, stdio: 'pipe' });
});
afterAll(() => rmSync(folder, { recursive: true }));

const WRONG = [
  ['nowhere.crt', 'one.key', 'cert', 'tls_unreadable', /no such file.*beside devices\.yaml/],
  ['one.crt', 'nowhere.key', 'key', 'tls_unreadable', /no such file/],
  ['folder', 'one.key', 'cert', 'tls_unreadable', /EISDIR/],
  ['words.txt', 'one.key', 'cert', 'tls_invalid', /holds no certificate.*BEGIN CERTIFICATE/],
  ['one.key', 'one.key', 'cert', 'tls_invalid', /holds no certificate/],
  ['one.crt', 'one.crt', 'key', 'tls_invalid', /holds no private key.*BEGIN PRIVATE KEY/],
  ['one.crt', 'locked.key', 'key', 'tls_invalid', /locked with a passphrase.*openssl pkey/],
  ['one.crt', 'two.key', 'key', 'tls_mismatch', /does not belong/],
] as const;

describe.runIf(hasOpenssl)('a certificate and its key', () => {
  it('that fit are read', async () => {
    const read = await readTlsPair({ cert: join(folder, 'one.crt'), key: join(folder, 'one.key') });
    expect(read).toMatchObject({ cert: expect.any(Buffer), key: expect.any(Buffer) });
  });

  it.each(WRONG)('%s with %s: the %s is named, %s', async (cert, key, of, code, words) => {
    const files = { cert: join(folder, cert), key: join(folder, key) };
    const read = await readTlsPair(files);
    if (!('error' in read)) throw new Error('it was read');
    const { message, fix, seen } = read.error;
    expect([read.of, read.error.code, seen]).toEqual([of, code, files[of]]);
    expect(`${message} ${fix}`).toMatch(words);
  });

  it('are out of date before and after, and not between', async () => {
    const files = { cert: join(folder, 'one.crt'), key: join(folder, 'one.key') };
    const read = await readTlsPair(files);
    if ('error' in read) throw read.error;
    const about = (wallMs: number) => outOfDate(read, files, wallMs);
    expect(about(read.validFrom - 1)).toMatchObject({
      code: 'tls_expired',
      fix: expect.stringContaining('clock'),
    });
    expect(about(read.validFrom)).toBeUndefined();
    expect(about(read.validUntil)).toBeUndefined();
    expect(about(read.validUntil + 1)?.message).toMatch(/was valid until \d{4}-/);
  });
});

describe.runIf(hasOpenssl)('in devices.yaml', () => {
  const checked = (text: string) => {
    const path = join(folder, 'devices.yaml');
    writeFileSync(path, `${text}\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n`);
    return readConfig(path, 'devices.yaml');
  };

  it('they are looked for beside it', async () => {
    const { config, problems } = await checked('server: { tls: { cert: one.crt, key: one.key } }');
    expect(problems).toEqual([]);
    expect(config?.server.tls).toEqual({ cert: join(folder, 'one.crt'), key: join(folder, 'one.key') });
  });

  it('are checked, and the problem points at the file that is to be fixed', async () => {
    const { config, problems } = await checked('server:\n  tls:\n    cert: one.crt\n    key: two.key');
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([
      { severity: 'error', line: 4, column: 10, path: 'server.tls.key', code: 'tls_mismatch' },
    ]);
  });

  it('serve JSON lines too, unless it says otherwise', async () => {
    const pair = 'tls: { cert: one.crt, key: one.key }';
    const tcp = async (text: string) => (await checked(`server: { ${text} }`)).config?.server.tcp?.tls;
    expect(await tcp(`${pair}, tcp: { port: 1 }`)).toBe(true);
    expect(await tcp(`${pair}, tcp: { port: 1, tls: false }`)).toBe(false);
    expect(await tcp('tcp: { port: 1 }')).toBe(false);
    expect((await checked('server: { tcp: { port: 1, tls: true } }')).problems).toMatchObject([
      { path: 'server.tcp.tls', code: 'config_missing_key' },
    ]);
  });
});
