import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NameResolver, type NameResolverOptions } from '../../../src/links/names/name-resolver.ts';
import type { SystemLookup } from '../../../src/links/names/system-lookup.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { leftBehind, resources } from '../../support/resources.ts';

let dns: DnsServer;
let folder: string;
let now = 0;

beforeEach(async () => {
  dns = await DnsServer.start();
  folder = mkdtempSync(join(tmpdir(), 'names-'));
  now = 0;
  for (const name of ['hosts', 'resolv.conf', 'nsswitch.conf']) writeFileSync(join(folder, name), '');
});

afterEach(async () => {
  expect(unexpected).not.toHaveBeenCalled();
  await dns[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const SOON_MS = 300;

const resolverWith = (options: NameResolverOptions = {}): NameResolver =>
  new NameResolver({
    servers: [dns.address],
    hostsFile: join(folder, 'hosts'),
    resolvConf: join(folder, 'resolv.conf'),
    nsswitchConf: join(folder, 'nsswitch.conf'),
    systemMayKnow: () => false,
    now: () => now,
    limitMs: SOON_MS,
    ...options,
  });

const unexpected = vi.fn();

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

describe('a name', () => {
  test('has the addresses that the server says, IPv4 first', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['2001:db8::7', '10.0.0.7', '10.0.0.8'] });
    const answer = await resolverWith().resolve('Meter.Example');
    expect(answer).toEqual({ ok: true, addresses: ['10.0.0.7', '10.0.0.8', '2001:db8::7'] });
  });

  test('that does not exist is unknown', async () => {
    const answer = await resolverWith().resolve('none.example');
    expect(answer).toMatchObject({ ok: false, end: { code: 'host_unknown' } });
    expect(answer.ok ? '' : answer.end.detail).toContain('none.example');
  });

  test.each(['drop', 'refuse', 'fail'] as const)(
    'is not resolved where the server does this: %s',
    async (does) => {
      dns.set('lost.example', { does });
      const answer = await resolverWith().resolve('lost.example');
      expect(answer).toMatchObject({ ok: false, end: { code: 'name_not_resolved' } });
      expect(answer.ok ? '' : answer.end.detail).toContain('lost.example');
    },
  );

  test('is not taken from answers to other questions', async () => {
    dns.set('lied.example', { does: 'lie', addresses: ['10.6.6.6'] });
    const answer = await resolverWith().resolve('lied.example');
    expect(answer).toMatchObject({ ok: false, end: { code: 'name_not_resolved' } });
  });

  test('does not wait for IPv6 where only IPv4 is answered', async () => {
    dns.set('half.example', { does: 'halve', addresses: ['10.0.0.7'] });
    const answer = await resolverWith({ limitMs: 60_000 }).resolve('half.example');
    expect(answer).toEqual({ ok: true, addresses: ['10.0.0.7'] });
  });

  test('is asked of the next server where the first one refuses', async () => {
    await using second = await DnsServer.start();
    dns.set('meter.example', { does: 'refuse' });
    second.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'] });
    const resolver = resolverWith({ servers: [dns.address, second.address] });
    expect(await resolver.resolve('meter.example')).toEqual({ ok: true, addresses: ['10.0.0.7'] });
  });

  test('of this machine needs no server', async () => {
    const resolver = resolverWith();
    expect(await resolver.resolve('localhost')).toEqual({ ok: true, addresses: ['127.0.0.1', '::1'] });
    expect(await resolver.resolve('pump.localhost')).toMatchObject({ ok: true });
    expect(dns.asked).toEqual([]);
  });

  test('in the hosts file is as it stands there, also after a change', async () => {
    write('hosts', '10.0.0.1 pump.example pump # the old one\n');
    const resolver = resolverWith();
    expect(await resolver.resolve('pump')).toEqual({ ok: true, addresses: ['10.0.0.1'] });
    write('hosts', '10.0.0.2 pump.example pump\n::7 pump\n');
    expect(await resolver.resolve('PUMP')).toEqual({ ok: true, addresses: ['10.0.0.2', '::7'] });
    rmSync(join(folder, 'hosts'));
    expect(await resolver.resolve('pump')).toMatchObject({ ok: false, end: { code: 'host_unknown' } });
  });

  test('without a dot is searched for in the domains of this machine', async () => {
    write('resolv.conf', 'search a.example b.example\noptions ndots:1\n');
    dns.set('pump.b.example', { does: 'answer', addresses: ['10.0.0.7'] });
    expect(await resolverWith().resolve('pump')).toEqual({ ok: true, addresses: ['10.0.0.7'] });
    expect(dns.asked).toEqual(['pump.a.example', 'pump.b.example']);
  });
});

describe('look-ups', () => {
  test('of one name are one, however many wait', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'] });
    dns.hold();
    const resolver = resolverWith({ limitMs: 60_000 });
    const answers = Promise.all(Array.from({ length: 50 }, () => resolver.resolve('meter.example')));
    await expect.poll(() => dns.asked.length).toBe(1);
    expect(resolver.running).toBe(1);
    dns.release();
    for (const answer of await answers) expect(answer).toMatchObject({ ok: true });
    expect(dns.asked).toEqual(['meter.example']);
  });

  test('of 100 names that no server answers for do not hold up another one', async () => {
    const resolver = resolverWith({ limitMs: 60_000 });
    const leave = Array.from({ length: 100 }, (_, index) => {
      dns.set(`lost${index}.example`, { does: 'drop' });
      return resolver.lookUp(`lost${index}.example`, unexpected);
    });
    await expect.poll(() => new Set(dns.asked).size).toBe(100);
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'] });
    expect(await resolver.resolve('meter.example')).toMatchObject({ ok: true });
    expect(resolver.running).toBe(100);
    for (const each of leave) each();
    expect(resolver.running).toBe(0);
  });

  test('that nothing waits for any more leave nothing that runs', async () => {
    const before = resources();
    dns.set('lost.example', { does: 'drop' });
    const resolver = resolverWith({ limitMs: 60_000 });
    const leave = resolver.lookUp('lost.example', unexpected);
    await expect.poll(() => dns.asked.length).toBeGreaterThan(0);
    leave();
    leave();
    await expect.poll(() => leftBehind(before)).toEqual([]);
    expect(resolver.running).toBe(0);
  });

  test('end for those who stay, also where another one leaves', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'] });
    dns.hold();
    const resolver = resolverWith({ limitMs: 60_000 });
    const leave = resolver.lookUp('meter.example', unexpected);
    const stays = resolver.resolve('meter.example');
    await expect.poll(() => dns.asked.length).toBe(1);
    leave();
    dns.release();
    expect(await stays).toMatchObject({ ok: true });
  });
});

describe('an answer', () => {
  test('is kept for its time to live, and no longer', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'], ttlS: 30 });
    const resolver = resolverWith();
    await resolver.resolve('meter.example');
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.8'], ttlS: 0 });
    now = 29_999;
    expect(await resolver.resolve('meter.example')).toEqual({ ok: true, addresses: ['10.0.0.7'] });
    expect(dns.asked).toHaveLength(1);
    now = 30_000;
    expect(await resolver.resolve('meter.example')).toEqual({ ok: true, addresses: ['10.0.0.8'] });
    await resolver.resolve('meter.example');
    expect(dns.asked).toHaveLength(3);
  });

  test('that is old is used where no server says anything, and it is said so', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'], ttlS: 30 });
    const resolver = resolverWith();
    await resolver.resolve('meter.example');
    dns.set('meter.example', { does: 'drop' });
    now = 100_000;
    const answer = await resolver.resolve('meter.example');
    expect(answer).toMatchObject({ ok: true, addresses: ['10.0.0.7'] });
    expect(answer.ok && answer.stale).toContain('100 s ago');
    const asked = dns.asked.length;
    now += 29_999;
    expect(await resolver.resolve('meter.example')).toMatchObject({ ok: true, addresses: ['10.0.0.7'] });
    expect(dns.asked).toHaveLength(asked);
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.9'] });
    now += 10;
    expect(await resolver.resolve('meter.example')).toEqual({ ok: true, addresses: ['10.0.0.9'] });
  });

  test('that is old is not used where the server says that the name is gone', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'], ttlS: 0 });
    const resolver = resolverWith();
    await resolver.resolve('meter.example');
    dns.set('meter.example', { does: 'deny' });
    expect(await resolver.resolve('meter.example')).toMatchObject({
      ok: false,
      end: { code: 'host_unknown' },
    });
    dns.set('meter.example', { does: 'drop' });
    expect(await resolver.resolve('meter.example')).toMatchObject({
      ok: false,
      end: { code: 'name_not_resolved' },
    });
  });

  test('of more than a day ago is not used', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.7'], ttlS: 0 });
    const resolver = resolverWith();
    await resolver.resolve('meter.example');
    dns.set('meter.example', { does: 'drop' });
    now = 24 * 3_600_000;
    expect(await resolver.resolve('meter.example')).toMatchObject({
      ok: false,
      end: { code: 'name_not_resolved' },
    });
  });
});

describe('what the system knows besides', () => {
  const asked: string[] = [];
  const knows: SystemLookup = (name) => {
    asked.push(name);
    return Promise.resolve(name === 'pump.local' || name === 'printer' ? ['10.0.0.7'] : []);
  };

  beforeEach(() => void asked.splice(0));

  test('is asked for by mDNS while the DNS server is silent', async () => {
    dns.set('pump.local', { does: 'drop' });
    const resolver = resolverWith({ system: knows, systemMayKnow: () => true, limitMs: 60_000 });
    expect(await resolver.resolve('pump.local')).toEqual({ ok: true, addresses: ['10.0.0.7'] });
    expect(resolver.running).toBe(0);
  });

  test('is asked for where DNS has no such name, and only there', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['10.0.0.8'] });
    const resolver = resolverWith({ system: knows, systemMayKnow: () => true });
    expect(await resolver.resolve('meter.example')).toMatchObject({ addresses: ['10.0.0.8'] });
    expect(await resolver.resolve('printer')).toEqual({ ok: true, addresses: ['10.0.0.7'] });
    expect(await resolver.resolve('none.example')).toMatchObject({ end: { code: 'host_unknown' } });
    expect(asked).toEqual(['printer', 'none.example']);
  });

  test('is given up with its look-up', async () => {
    let given: AbortSignal | undefined;
    const hangs: SystemLookup = (_name, signal) => {
      given = signal;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve([])));
    };
    const resolver = resolverWith({ system: hangs, systemMayKnow: () => true });
    expect(await resolver.resolve('none.example')).toMatchObject({ end: { code: 'name_not_resolved' } });
    expect(given?.aborted).toBe(true);
  });
});
