import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Link, LinkEnd, Listener } from '../../src/links/link.ts';
import { listenEnd } from '../../src/links/tcp-end.ts';
import { listen } from '../../src/links/transports.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { leftBehind, resources } from '../support/resources.ts';

interface Watched {
  readonly listener: Listener;
  readonly events: string[];
  readonly accepted: Array<{ readonly link: Link; readonly host: string }>;
  end(): LinkEnd | undefined;
}

const listeners: Watched[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const each of listeners.splice(0)) {
    each.listener.close();
    for (const { link } of each.accepted) link.destroy();
    await expect.poll(() => each.end()).toBeDefined();
  }
  for (const each of sockets.splice(0)) each.destroy();
});

function start(host: string, port = 0): Watched {
  let ended: LinkEnd | undefined;
  const watched: Watched = {
    listener: listen({ scheme: 'tcp-listen', host, port }),
    events: [],
    accepted: [],
    end: () => ended,
  };
  listeners.push(watched);
  watched.listener.start({
    listening: (address) => void watched.events.push(`listening ${address}`),
    accepted: (link, peer) => {
      watched.events.push('accepted');
      watched.accepted.push({ link, host: peer });
    },
    closed: (end) => {
      watched.events.push(`closed ${end.code}`);
      ended = end;
    },
  });
  expect(watched.events).toEqual([]);
  return watched;
}

const portOf = ({ listener }: Watched): number =>
  Number(listener.address.slice(listener.address.lastIndexOf(':') + 1));

async function startListening(host: string): Promise<Watched> {
  const watched = start(host);
  await expect.poll(() => watched.events.length).toBe(1);
  expect(watched.events).toEqual([`listening ${watched.listener.address}`]);
  expect(portOf(watched)).toBeGreaterThan(0);
  return watched;
}

async function dialIn(
  watched: Watched,
  host: string,
): Promise<{ readonly link: Link; readonly host: string }> {
  const count = watched.accepted.length;
  sockets.push(connect(portOf(watched), host));
  await expect.poll(() => watched.accepted.length).toBe(count + 1);
  const accepted = watched.accepted[count];
  if (accepted === undefined) throw new Error('Nobody was accepted.');
  return accepted;
}

describe('a TCP listener', () => {
  test('accepts peers by their address, IPv4 on a dual-stack socket too', async () => {
    const watched = await startListening('::');
    const v4 = await dialIn(watched, '127.0.0.1');
    expect(v4.host).toBe('127.0.0.1');
    expect(v4.link.address).toMatch(/^127\.0\.0\.1:\d+$/);
    const v6 = await dialIn(watched, '::1');
    expect(v6.host).toBe('::1');
    expect(v6.link.address).toMatch(/^\[::1\]:\d+$/);
  });

  test('its links outlive it, and its address is free again', async () => {
    const watched = await startListening('127.0.0.1');
    const { link } = await dialIn(watched, '127.0.0.1');
    const recorded = new RecordedLink(link);
    watched.listener.close();
    watched.listener.close();
    await expect.poll(() => watched.end()?.code).toBe('link_ended');
    const again = start('127.0.0.1', portOf(watched));
    await expect.poll(() => again.events[0]).toBe(`listening ${watched.listener.address}`);
    expect(recorded.opened).toBe(true);
    sockets[0]?.write('still here');
    await expect.poll(() => recorded.bytes().toString()).toBe('still here');
    expect(recorded.end).toBeUndefined();
    expect(watched.events).toHaveLength(3);
  });

  test('what was sent before anybody opened the link is not lost', async () => {
    const watched = await startListening('127.0.0.1');
    const { link } = await dialIn(watched, '127.0.0.1');
    sockets[0]?.end('early bird');
    await new Promise((resolve) => sockets[0]?.once('finish', () => resolve(undefined)));
    const recorded = new RecordedLink(link);
    await expect.poll(() => recorded.end?.code).toBe('link_closed');
    expect(recorded.bytes().toString()).toBe('early bird');
  });

  test('what a peer said that has hung up is dropped unread, where that is wanted', async () => {
    const watched = await startListening('127.0.0.1');
    const { link } = await dialIn(watched, '127.0.0.1');
    sockets[0]?.end('register');
    await new Promise((resolve) => sockets[0]?.once('finish', () => resolve(undefined)));
    const asked: string[] = [];
    const recorded = new RecordedLink(link, {
      dropsUnread: (bytes) => asked.push(Buffer.from(bytes).toString()) > 0,
    });
    await expect.poll(() => recorded.end?.code).toBe('link_closed');
    expect(asked).toEqual(['register']);
    expect(recorded.events.map(({ event }) => event)).toEqual(['opened', 'closed']);
  });

  test('what a peer said that has hung up is read in order, where it is not to be dropped', async () => {
    const watched = await startListening('127.0.0.1');
    const { link } = await dialIn(watched, '127.0.0.1');
    sockets[0]?.end('report');
    await new Promise((resolve) => sockets[0]?.once('finish', () => resolve(undefined)));
    const recorded = new RecordedLink(link, { dropsUnread: () => false });
    await expect.poll(() => recorded.end?.code).toBe('link_closed');
    expect(recorded.bytes().toString()).toBe('report');
  });

  test('what a peer says that is there is read, and it is not asked about', async () => {
    const watched = await startListening('127.0.0.1');
    const { link } = await dialIn(watched, '127.0.0.1');
    sockets[0]?.write('one,');
    const recorded = new RecordedLink(link, { dropsUnread: () => expect.unreachable() });
    await expect.poll(() => recorded.arrived).toBe(4);
    sockets[0]?.write('two');
    await expect.poll(() => recorded.bytes().toString()).toBe('one,two');
    sockets[0]?.end();
    await expect.poll(() => recorded.end?.code).toBe('link_closed');
  });

  test('a peer that was reset before anybody opened its link is told of then', async () => {
    const watched = await startListening('127.0.0.1');
    const { link } = await dialIn(watched, '127.0.0.1');
    sockets[0]?.resetAndDestroy();
    await expect.poll(() => sockets[0]?.closed).toBe(true);
    const recorded = new RecordedLink(link);
    await expect.poll(() => recorded.end?.code).toBe('link_reset');
  });

  test('names an address in use, and one that is not ours', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const busy = start('127.0.0.1', port);
    await expect.poll(() => busy.end()?.code).toBe('address_in_use');
    expect(busy.end()?.detail).toContain(`127.0.0.1:${port}`);
    expect(busy.events).toEqual(['closed address_in_use']);
    other.close();
    const foreign = start('192.0.2.1');
    await expect.poll(() => foreign.end()?.code).toBe('address_unavailable');
    const impossible = start('127.0.0.1', 70_000);
    await expect.poll(() => impossible.end()?.code).toBe('listen_failed');
  });

  test('closed before it listens, it never does', async () => {
    const watched = start('localhost');
    watched.listener.close();
    await expect.poll(() => watched.end()?.code).toBe('link_ended');
    expect(watched.events).toEqual(['closed link_ended']);
    const before = listen({ scheme: 'tcp-listen', host: '127.0.0.1', port: 0 });
    before.close();
    const codes: string[] = [];
    before.start({
      listening: () => void codes.push('listening'),
      accepted: () => void codes.push('accepted'),
      closed: (end) => void codes.push(end.code),
    });
    await expect.poll(() => codes).toEqual(['link_ended']);
  });

  test('leaves nothing behind', async () => {
    const before = resources();
    const watched = await startListening('127.0.0.1');
    const { link } = await dialIn(watched, '127.0.0.1');
    link.destroy();
    watched.listener.close();
    for (const each of sockets.splice(0)) each.destroy();
    await expect.poll(() => watched.end()).toBeDefined();
    expect(await leftBehind(before)).toEqual([]);
  });
});

test.each([
  ['EACCES', 80, 'listen_failed', 'below 1024'],
  ['EACCES', 8080, 'listen_failed', 'another port'],
  ['EMFILE', 8080, 'open_file_limit', 'ulimit -n'],
])('listening fails with %s at port %i: %s', (code, port, expected, fix) => {
  const end = listenEnd(Object.assign(new Error(code), { code }), `host:${port}`, port);
  expect(end.code).toBe(expected);
  expect(end.detail).toContain(fix);
});
