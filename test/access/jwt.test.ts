import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JwtVerifier } from '../../src/access/jwt-verifier.ts';
import type { JwtConfig } from '../../src/config/jwt.ts';
import { AccessWorld } from '../support/access-world.ts';

const NOW = Date.UTC(2026, 0, 1);
const PEM = { type: 'spki', format: 'pem' } as const;
const CLAIMS = { heartwire_roles: ['read', 'command'], heartwire_topics: ['devices/#'] };

let folder: string;
const file = (name: string) => join(folder, name);
const secret = randomBytes(48).toString('base64url');
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-jwt-'));
  await writeFile(file('secret'), `${secret}\n`);
  await writeFile(file('short'), 'too short to be one');
  await writeFile(file('public.pem'), pair.publicKey.export(PEM));
  await writeFile(file('private.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' };
  await writeFile(file('keys.json'), JSON.stringify({ keys: [jwk] }));
});
afterAll(() => rm(folder, { recursive: true }));

const config = (kind: JwtConfig['key']['kind'], name: string, more: Partial<JwtConfig> = {}): JwtConfig => ({
  key: { kind, path: file(name) },
  algorithms: kind === 'secret' ? ['HS256'] : ['ES256'],
  rolesClaim: 'heartwire_roles',
  topicsClaim: 'heartwire_topics',
  clockToleranceMs: 5_000,
  ...more,
});

interface Signing {
  readonly key?: KeyObject | Uint8Array;
  readonly alg?: string;
  readonly kid?: string;
  readonly expiresInS?: number | undefined;
}

function sign(claims: JWTPayload, { key = pair.privateKey, alg = 'ES256', kid, ...more }: Signing = {}) {
  const { expiresInS = 60 } = more;
  const jwt = new SignJWT({ sub: 'alice', ...claims }).setProtectedHeader({ alg, ...(kid && { kid }) });
  if (!('expiresInS' in more) || more.expiresInS !== undefined)
    jwt.setExpirationTime(NOW / 1_000 + expiresInS);
  return jwt.sign(key);
}

describe('a signed token', () => {
  it.each([
    ['a secret', () => config('secret', 'secret'), { key: Buffer.from(secret), alg: 'HS256' }],
    ['a public key', () => config('pem', 'public.pem'), {}],
    ['a set of keys', () => config('jwks', 'keys.json'), { kid: 'k1' }],
  ] as const)('is checked with %s', async (_, of, how) => {
    const verifier = await JwtVerifier.open(of());
    expect(await verifier.verify(await sign(CLAIMS, how), NOW)).toEqual({
      subject: 'jwt:alice',
      role: 'command',
      topics: ['devices/#'],
      // The clock of its issuer may be off so far, and it is judged by the same measure while it is connected.
      expiresAtMs: NOW + 65_000,
    });
    expect(
      await verifier.verify(await sign(CLAIMS, { ...how, key: stranger.privateKey, alg: 'ES256' }), NOW),
    ).toEqual({
      problem: expect.any(String),
    });
  });

  it.each<[string, JWTPayload, Signing, string]>([
    ['has expired', CLAIMS, { expiresInS: -6 }, 'it has expired'],
    ['never expires', CLAIMS, { expiresInS: undefined }, 'its claim exp is missing'],
    ['is not valid yet', { ...CLAIMS, nbf: NOW / 1_000 + 60 }, {}, 'its claim nbf does not fit'],
    ['is of nobody', { ...CLAIMS, sub: '' }, {}, 'it says no subject'],
    [
      'has no role',
      { heartwire_topics: ['#'] },
      {},
      'its claim heartwire_roles holds none of read, command and admin',
    ],
    [
      'has a role of others',
      { ...CLAIMS, heartwire_roles: 'root' },
      {},
      'its claim heartwire_roles holds none of read, command and admin',
    ],
    ['names no topics', { heartwire_roles: 'read' }, {}, 'its claim heartwire_topics names no topics'],
    [
      'names what is no pattern',
      { ...CLAIMS, heartwire_topics: ['a/#/b'] },
      {},
      'its claim heartwire_topics holds what is no pattern of topics, or more than 64',
    ],
    ['is signed by a stranger', CLAIMS, { key: stranger.privateKey }, 'it is not known here'],
    [
      'is of another issuer',
      { ...CLAIMS, iss: 'https://evil.example', aud: 'heartwire' },
      {},
      'its claim iss does not fit',
    ],
    [
      'is for somebody else',
      { ...CLAIMS, iss: 'https://login.example', aud: 'mail' },
      {},
      'its claim aud does not fit',
    ],
  ])('that %s is not taken', async (_, claims, how, problem) => {
    const verifier = await JwtVerifier.open(
      config(
        'pem',
        'public.pem',
        / (iss|aud) /.test(problem) ? { issuer: ['https://login.example'], audience: ['heartwire'] } : {},
      ),
    );
    expect(await verifier.verify(await sign(claims, how), NOW)).toEqual({ problem });
  });

  it('is taken by its algorithm only if that is pinned', async () => {
    const verifier = await JwtVerifier.open(config('pem', 'public.pem'));
    const none = new UnsecuredJWT({ sub: 'alice', ...CLAIMS }).setExpirationTime('1h').encode();
    // The public key is known to everybody; as the secret of an HMAC it must open nothing.
    const confused = await sign(CLAIMS, { key: Buffer.from(pair.publicKey.export(PEM)), alg: 'HS256' });
    for (const each of [none, confused, 'a.b.c', '', 'x'.repeat(10_000)]) {
      expect(await verifier.verify(each, NOW)).toEqual({ problem: expect.not.stringContaining('aaaa') });
    }
    const shared = await JwtVerifier.open(config('secret', 'secret'));
    const other = await sign(CLAIMS, { key: Buffer.from(secret), alg: 'HS512' });
    expect(await shared.verify(other, NOW)).toEqual({
      problem: 'it is signed in a way that is not allowed here',
    });
    const [head = '', , signature = ''] = (await sign(CLAIMS)).split('.');
    const body = Buffer.from(JSON.stringify({ sub: 'root', exp: NOW, ...CLAIMS })).toString('base64url');
    expect(await verifier.verify(`${head}.${body}.${signature}`, NOW)).toEqual({
      problem: 'it is not known here',
    });
  });

  it.each([
    ['secret', 'nowhere'],
    ['secret', 'short'],
    ['pem', 'secret'],
    ['pem', 'private.pem'],
    ['jwks', 'public.pem'],
  ] as const)('needs its key: %s from %s is an error', async (kind, name) => {
    await expect(JwtVerifier.open(config(kind, name))).rejects.toMatchObject({
      code: 'config_key_unreadable',
      message: expect.not.stringContaining('too short to be one'),
    });
  });
});

describe('a bridge with signed tokens', () => {
  it('holds what comes behind a token until that is judged, and renews it on the open connection', async () => {
    await using world = await AccessWorld.start({ jwt: config('pem', 'public.pem') });
    for (const client of [world.socket(), world.lines()]) {
      await client.next('welcome');
      client.send({ type: 'auth', id: '1', token: await sign(CLAIMS, { expiresInS: 3 }) });
      client.send({ type: 'subscribe', id: '2', topics: ['#'] });
      client.send({ type: 'subscribe', id: '3', topics: ['devices/+/state'] });
      expect((await client.next('response')).payload).toMatchObject({
        reply_to: '1',
        result: { subject: 'jwt:alice' },
      });
      expect((await client.next('error')).payload).toMatchObject({ reply_to: '2', code: 'forbidden' });
      expect((await client.next('synced')).payload.reply_to).toBe('3');
      client.send({ type: 'auth', id: '4', token: await sign(CLAIMS, { expiresInS: 60 }) });
      expect((await client.next('response')).payload.result.expires_at).toBe(NOW + 65_000);
    }
    for (let second = 0; second < 15; second++) world.clock.advance(1_000);
    expect(world.feed.clients()).toHaveLength(2);
  });

  it('takes them with the handshake and over HTTP', async () => {
    await using world = await AccessWorld.start({ jwt: config('jwks', 'keys.json') });
    const jwt = await sign(CLAIMS, { kid: 'k1' });
    const headers = { Authorization: `Bearer ${jwt}` };
    expect((await world.socket('/ws', [], { headers }).next('welcome')).payload.auth).toBe('ok');
    const protocols = ['heartwire.v1', `heartwire.token.${Buffer.from(jwt).toString('base64url')}`];
    expect((await world.socket('/ws', protocols).next('welcome')).payload.auth).toBe('ok');
    const url = `http://127.0.0.1:${world.port}`;
    expect((await fetch(`${url}/api/devices/p1`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/api/feed?topics=bridge/status`, { headers })).status).toBe(403);
  });

  it('reads its key again, and lets go of whom it no longer opens', async () => {
    await writeFile(file('changing.pem'), pair.publicKey.export(PEM));
    const jwt = config('pem', 'changing.pem');
    await using world = await AccessWorld.start({ jwt });
    const headers = { Authorization: `Bearer ${await sign(CLAIMS)}` };
    const client = world.socket('/ws', [], { headers });
    await client.next('welcome');
    await world.auth.replace({ tokens: [], jwt, insecure: false });
    client.send({ type: 'echo', id: '1', data: 1 });
    await client.next('echo');
    await writeFile(file('changing.pem'), 'half a fi');
    await expect(world.auth.replace({ tokens: [], jwt, insecure: false })).rejects.toMatchObject({
      code: 'config_key_unreadable',
    });
    client.send({ type: 'echo', id: '2', data: 1 });
    await client.next('echo');
    await writeFile(file('changing.pem'), stranger.publicKey.export(PEM));
    await world.auth.replace({ tokens: [], jwt, insecure: false });
    expect((await client.closed).code).toBe(4500);
    expect(world.logged).not.toContain('eyJ');
  });
});
