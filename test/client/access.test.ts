import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Client, type ConnectOptions, connect } from '../../src/client/index.ts';
import { AccessWorld, secretOf, token } from '../support/access-world.ts';

const QUICK = { firstMs: 20, mostMs: 50 };
const HOUR_MS = 3_600_000;

describe('a client of a bridge that asks for tokens', () => {
  let world: AccessWorld;
  const clients: Client[] = [];

  beforeEach(async () => {
    // The clock of the bridge starts on 1 January 2026.
    const soon = Date.UTC(2026, 0, 1) + HOUR_MS;
    world = await AccessWorld.start({
      tokens: [
        token('hmi', 'command', ['#']),
        token('guest', 'read', ['devices/p1/#']),
        token('today', 'read', ['#'], soon),
      ],
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await world[Symbol.asyncDispose]();
  });

  const open = (options: ConnectOptions): Client => {
    const client = connect(`http://127.0.0.1:${world.port}`, { WebSocket, backOff: QUICK, ...options });
    clients.push(client);
    return client;
  };

  it('shows its token, and may do what that allows', async () => {
    const client = open({ token: secretOf('hmi'), topics: ['devices/+/state'] });
    await client.connected();
    expect([...client.view.devices()].sort()).toEqual(['p1', 'p2']);
    expect(await client.command('p1', 'heartbeat')).toMatchObject({ done: true });
  });

  it('hears of what it may not, and has the rest', async () => {
    const client = open({ token: secretOf('guest') });
    const own = client.subscribe('devices/p1/state');
    await expect(client.subscribe('devices/p2/state').ready).rejects.toMatchObject({ code: 'forbidden' });
    await own.ready;
    expect(client.status.state).toBe('connected');
    await expect(client.command('p1', 'heartbeat')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each([
    ['without a token', {}, 'token_missing'],
    ['with a wrong one', { token: 'hw_wrong' }, 'unauthorized'],
    ['where the token cannot be had', { token: () => Promise.reject(new Error('no')) }, 'token_failed'],
  ])('is closed for good %s', async (_what, options, code) => {
    const client = open(options);
    await expect(client.connected()).rejects.toMatchObject({ code });
    expect(client.status).toMatchObject({ state: 'closed', reason: code });
  });

  it('asks for a new token when its own has expired, and goes on where it was', async () => {
    const asked: boolean[] = [];
    const client = open({
      topics: ['devices/+/state'],
      token: async ({ renew }) => {
        asked.push(renew);
        return secretOf(renew ? 'hmi' : 'today');
      },
    });
    await client.connected();
    const states: string[] = [];
    client.on('status', ({ state }) => states.push(state));
    world.clock.advance(HOUR_MS + 1_000);
    await expect.poll(() => states.at(-1)).toBe('connected');
    expect(asked).toEqual([false, true]);
    expect(states.filter((each, at) => each !== states[at - 1])).toEqual([
      'stale',
      'recovering',
      'connected',
    ]);
  });
});
