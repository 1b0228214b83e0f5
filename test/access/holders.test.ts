import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../src/access/authenticator.ts';
import { AccessWorld, secretOf, token } from '../support/access-world.ts';
import { FakeClock } from '../support/fake-clock.ts';

const TOKENS = [
  token('panel', 'read', ['devices/#']),
  token('other', 'read', ['devices/#']),
  token('ops', 'admin', ['#']),
];
const open = () => AccessWorld.start({ tokens: TOKENS });

describe('a session', () => {
  it('is resumed with the same token only, and stays where another one tries', async () => {
    await using world = await open();
    const first = world.socket('/ws/hmi-1');
    const { session } = (await first.next('welcome')).payload;
    first.send({ type: 'auth', id: '1', token: secretOf('panel') });
    await first.next('response');
    first.socket.terminate();
    await first.closed;
    await expect.poll(() => world.feed.clients().length).toBe(0);
    for (const name of ['other', 'ops']) {
      const thief = await world.member(name);
      thief.send({ type: 'resume', id: '2', session });
      expect((await thief.next('error')).payload).toMatchObject({ reply_to: '2', code: 'session_unknown' });
    }
    const own = await world.member('panel');
    own.send({ type: 'resume', id: '3', session });
    expect((await own.next('response')).payload.result).toEqual({ client_id: 'hmi-1', unacknowledged: 0 });
  });

  it('is not taken from a connection that has it by another token', async () => {
    await using world = await open();
    const holder = world.socket('/ws', [], { headers: { Authorization: `Bearer ${secretOf('ops')}` } });
    const { session } = (await holder.next('welcome')).payload;
    const thief = await world.member('panel');
    thief.send({ type: 'resume', id: '1', session });
    expect((await thief.next('error')).payload.code).toBe('session_unknown');
    holder.send({ type: 'echo', id: '1', data: 1 });
    await holder.next('echo');
  });

  it('of the same subject with other topics is another one', async () => {
    await using world = await open();
    const before = world.socket();
    const { session } = (await before.next('welcome')).payload;
    before.send({ type: 'auth', id: '1', token: secretOf('panel') });
    await before.next('response');
    const narrower = { ...token('panel', 'read', ['devices/p1/#']) };
    await world.auth.replace({ tokens: [narrower], insecure: false });
    expect((await before.closed).code).toBe(4500);
    const after = await world.member('panel');
    after.send({ type: 'resume', id: '2', session });
    expect((await after.next('error')).payload.code).toBe('session_unknown');
  });
});

describe('a client id', () => {
  it('goes over to a connection with the same token, and to no other', async () => {
    await using world = await open();
    const first = await world.member('panel', '/ws/hmi-1');
    const foreign = world.socket('/ws/hmi-1');
    await foreign.next('welcome');
    foreign.send({ type: 'auth', id: '1', token: secretOf('other') });
    expect((await foreign.next('error')).payload.code).toBe('client_id_in_use');
    expect((await foreign.closed).code).toBe(4507);
    const second = world.socket('/ws/hmi-1');
    await second.next('welcome');
    second.send({ type: 'auth', id: '1', token: secretOf('panel') });
    await second.next('response');
    expect((await first.closed).code).toBe(4505);
    expect(world.feed.clients().map(({ id }) => id)).toEqual(['hmi-1']);
    const third = await world.member('panel', '/ws/hmi-1');
    expect((await second.closed).code).toBe(4505);
    third.send({ type: 'echo', id: '1', data: 1 });
    await third.next('echo');
  });
});

describe('a second token on one connection', () => {
  it('is welcome where it gives the same, and refused where it gives something else', async () => {
    await using world = await open();
    const client = await world.member('panel');
    client.send({ type: 'auth', id: '1', token: secretOf('panel') });
    expect((await client.next('response')).payload.reply_to).toBe('1');
    client.send({ type: 'auth', id: '2', token: secretOf('ops') });
    expect((await client.next('error')).payload).toMatchObject({ reply_to: '2', code: 'forbidden' });
    client.send({ type: 'kick', id: '3', client_id: 'x' });
    expect((await client.next('error')).payload).toMatchObject({ reply_to: '3', code: 'forbidden' });
  });
});

describe('other tokens while it runs', () => {
  it('close whose is gone or gives something else, and leave all others', async () => {
    await using world = await open();
    const [panel, other, ops] = [
      await world.member('panel'),
      await world.member('other'),
      await world.member('ops'),
    ];
    const pending = world.socket();
    await pending.next('welcome');
    await world.auth.replace({
      tokens: [token('panel', 'read', ['devices/#']), token('ops', 'command', ['#'])],
      insecure: false,
    });
    expect((await other.closed).code).toBe(4500);
    expect((await ops.closed).code).toBe(4500);
    panel.send({ type: 'echo', id: '1', data: 1 });
    await panel.next('echo');
    pending.send({ type: 'auth', id: '1', token: secretOf('other') });
    expect((await pending.closed).code).toBe(4500);
  });

  it('are asked for from those who came when there were none', async () => {
    await using world = await AccessWorld.start(undefined);
    const before = world.socket();
    expect((await before.next('welcome')).payload.auth).toBe('none');
    before.send({ type: 'auth', id: '1', token: 'whatever is lying around' });
    await before.next('response');
    await world.auth.replace({ tokens: TOKENS, insecure: false });
    expect((await before.closed).code).toBe(4500);
    const after = world.socket();
    expect((await after.next('welcome')).payload.auth).toBe('required');
  });
});

describe('wrong tokens', () => {
  it('are looked at ten times from one address, then some a minute; others do not suffer', async () => {
    const clock = new FakeClock();
    const auth = new Authenticator({ tokens: TOKENS, insecure: false }, clock);
    const codes = async (count: number, address: string, name = 'wrong') => {
      const seen: string[] = [];
      for (let i = 0; i < count; i++) {
        const verdict = await auth.verify(secretOf(name), address);
        seen.push(verdict.ok ? 'ok' : verdict.code);
      }
      return seen;
    };
    // Who was right before goes on, whatever else comes from his address.
    expect(await codes(1, '10.0.0.7', 'panel')).toEqual(['ok']);
    expect(await codes(10, '10.0.0.7')).toEqual(Array(10).fill('unauthorized'));
    expect(await codes(2, '10.0.0.7')).toEqual(['rate_limited', 'rate_limited']);
    expect(await auth.verify(secretOf('wrong'), '10.0.0.7')).toMatchObject({ retryAfterS: 6 });
    expect(await codes(1, '10.0.0.7', 'panel')).toEqual(['ok']);
    // Even a right one that nobody has seen yet waits, or guessing would not be limited.
    expect(await codes(1, '10.0.0.7', 'ops')).toEqual(['rate_limited']);
    expect(await codes(1, '10.0.0.8', 'other')).toEqual(['ok']);
    expect(await codes(1, '10.0.0.8')).toEqual(['unauthorized']);
    clock.advance(6_000);
    expect(await codes(1, '10.0.0.7', 'ops')).toEqual(['ok']);
    expect(await codes(2, '10.0.0.7')).toEqual(['unauthorized', 'rate_limited']);
    // One customer of a provider has 2^64 addresses, and counts as one.
    for (let i = 0; i < 10; i++) await codes(1, `2001:db8:1:2::${i}`);
    expect(await codes(1, '2001:db8:1:2:ffff::1')).toEqual(['rate_limited']);
    expect(await codes(1, '2001:db8:1:3::1')).toEqual(['unauthorized']);
  });

  it('hinder none that was right, also after a reload, until it is wrong itself', async () => {
    const auth = new Authenticator({ tokens: TOKENS, insecure: false }, new FakeClock());
    const judged = async (name: string) => {
      const verdict = await auth.verify(secretOf(name), '10.0.0.7');
      return verdict.ok ? 'ok' : verdict.code;
    };
    for (const name of ['panel', 'ops', ...Array<string>(10).fill('wrong')]) await judged(name);
    expect(await judged('wrong')).toBe('rate_limited');
    await auth.replace({ tokens: TOKENS.filter(({ name }) => name !== 'ops'), insecure: false });
    expect([await judged('panel'), await judged('ops'), await judged('ops')]).toEqual([
      'ok',
      'unauthorized',
      'rate_limited',
    ]);
  });

  it('beyond that are told when to come back, over every door', async () => {
    await using world = await open();
    for (let i = 0; i < 10; i++) world.auth.verify('hw_guess', '127.0.0.1');
    const client = world.socket();
    await client.next('welcome');
    client.send({ type: 'auth', id: '1', token: 'hw_guess' });
    expect((await client.next('error')).payload).toMatchObject({ code: 'rate_limited', retry: true });
    expect((await client.closed).code).toBe(4013);
    const reply = await fetch(`http://127.0.0.1:${world.port}/api/devices`, {
      headers: { Authorization: 'Bearer hw_guess' },
    });
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '6']);
  });
});
