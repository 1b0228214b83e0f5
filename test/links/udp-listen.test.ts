import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Link, LinkEnd, Listener } from '../../src/links/link.ts';
import { listen } from '../../src/links/transports.ts';
import type { UdpListenerOptions } from '../../src/links/udp-listen.ts';
import { type LinkPair, linkContract } from '../support/link-contract.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { leftBehind, resources } from '../support/resources.ts';

interface Watched {
  readonly listener: Listener;
  readonly events: string[];
  readonly accepted: Array<{ readonly link: Link; readonly host: string }>;
  end(): LinkEnd | undefined;
  readonly port: number;
}

const watching: Watched[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const each of watching.splice(0)) {
    for (const { link } of each.accepted) link.destroy();
    each.listener.close();
    await expect.poll(() => each.end()).toBeDefined();
  }
  for (const each of sockets.splice(0)) each.close();
});

async function start(options: UdpListenerOptions = {}, host = '127.0.0.1', port = 0): Promise<Watched> {
  let ended: LinkEnd | undefined;
  const listener = listen({ scheme: 'udp-listen', host, port }, options);
  const watched: Watched = {
    listener,
    events: [],
    accepted: [],
    end: () => ended,
    get port() {
      return Number(listener.address.slice(listener.address.lastIndexOf(':') + 1));
    },
  };
  listener.start({
    listening: (address) => void watched.events.push(`listening ${address}`),
    accepted: (link, peer) => void watched.accepted.push({ link, host: peer }),
    closed: (end) => {
      watched.events.push(`closed ${end.code}`);
      ended = end;
    },
  });
  expect(watched.events).toEqual([]);
  await expect.poll(() => watched.events.length).toBe(1);
  return watched;
}

async function listening(...given: Parameters<typeof start>): Promise<Watched> {
  const watched = await start(...given);
  watching.push(watched);
  return watched;
}

async function peer(host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  sockets.push(socket);
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

const say = (socket: Socket, port: number, text: string, host = '127.0.0.1'): Promise<void> =>
  new Promise((resolve) => socket.send(text, port, host, () => resolve()));

linkContract(
  'A peer of a UDP listener',
  async (): Promise<LinkPair> => {
    const watched = await start();
    const socket = createSocket('udp4');
    const received: Buffer[] = [];
    socket.on('message', (datagram) => received.push(datagram));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    // A peer is there from its first datagram on; an empty one would be none.
    await say(socket, watched.port, 'x');
    await expect.poll(() => watched.accepted.length).toBe(1);
    const link = watched.accepted[0]?.link;
    if (link === undefined) throw new Error('Nothing came.');
    return {
      link: withoutFirst(link),
      peer: async () => ({
        write: (bytes) => socket.send(bytes, watched.port, '127.0.0.1'),
        received: () => Buffer.concat(received),
        stall: () => undefined,
        resume: () => undefined,
        hangUp: () => undefined,
      }),
      dispose: async () => {
        link.destroy();
        watched.listener.close();
        await expect.poll(() => watched.end()).toBeDefined();
        await new Promise<void>((resolve) => socket.close(() => resolve()));
      },
    };
  },
  { hangUpCodes: [], bulk: 32_768, datagrams: true },
);

/** The contract wants a link over which nothing has come yet. */
function withoutFirst(link: Link): Link {
  return new Proxy(link, {
    get(target, key) {
      if (key !== 'open') {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (handlers: Parameters<Link['open']>[0]) => {
        let first = true;
        let idle = true;
        target.open({
          ...handlers,
          opened: (address) => handlers.opened(address),
          data: (chunk) => {
            if (!first) handlers.data(chunk);
            first = false;
          },
          idle: () => {
            if (!idle) handlers.idle();
            idle = false;
          },
          closed: (end) => handlers.closed(end),
        });
      };
    },
  });
}

describe('a UDP listener', () => {
  test('is bound, names its address as one of UDP, and accepts peers by host and port', async () => {
    const watched = await listening();
    expect(watched.events).toEqual([`listening udp:127.0.0.1:${watched.port}`]);
    const [one, two] = [await peer(), await peer()];
    await say(one, watched.port, 'one');
    await say(two, watched.port, 'two');
    await expect.poll(() => watched.accepted.length).toBe(2);
    const heard = watched.accepted.map(({ link }) => new RecordedLink(link));
    await say(one, watched.port, 'more');
    await expect.poll(() => heard.map((each) => each.bytes().toString())).toEqual(['onemore', 'two']);
    expect(heard[0]?.events.map(({ event }) => event)).toEqual(['opened', 'data', 'idle', 'data', 'idle']);
    expect(watched.accepted[0]?.host).toBe('127.0.0.1');
    expect(watched.accepted[0]?.link.address).toBe(`127.0.0.1:${one.address().port}`);
    const answer = once(two, 'message');
    watched.accepted[1]?.link.send(Buffer.from('back'));
    expect(String((await answer)[0])).toBe('back');
  });

  test('by host, a peer that changes its port stays the same, and is answered at the present one', async () => {
    const watched = await listening({ peersByHost: true });
    const [before, after] = [await peer(), await peer()];
    await say(before, watched.port, 'a');
    await expect.poll(() => watched.accepted.length).toBe(1);
    const link = watched.accepted[0]?.link;
    if (link === undefined) throw new Error('Nothing came.');
    const recorded = new RecordedLink(link);
    await say(after, watched.port, 'b');
    await expect.poll(() => recorded.bytes().toString()).toBe('ab');
    const answer = once(after, 'message');
    link.send(Buffer.from('back'));
    expect(String((await answer)[0])).toBe('back');
    expect(watched.accepted).toHaveLength(1);
  });

  test('a peer whose link was closed is a new one with its next datagram', async () => {
    const watched = await listening();
    const one = await peer();
    await say(one, watched.port, 'a');
    await expect.poll(() => watched.accepted.length).toBe(1);
    watched.accepted[0]?.link.destroy();
    await say(one, watched.port, 'b');
    await expect.poll(() => watched.accepted.length).toBe(2);
  });

  test('a silent peer is gone after its time', async () => {
    const watched = await listening({ silentAfterMs: 40 });
    await say(await peer(), watched.port, 'a');
    await expect.poll(() => watched.accepted.length).toBe(1);
    const [first] = watched.accepted;
    if (first === undefined) throw new Error('Nothing came.');
    const recorded = new RecordedLink(first.link);
    await expect.poll(() => recorded.end?.code).toBe('link_closed');
    expect(recorded.end?.detail).toContain('no datagram for');
  });

  test('datagrams that come before the link is opened are held, and not without end', async () => {
    const watched = await listening();
    const one = await peer();
    for (let at = 0; at < 40; at += 1) await say(one, watched.port, 'x');
    await say(await peer(), watched.port, 'y');
    await expect.poll(() => watched.accepted.length).toBe(2);
    const [first] = watched.accepted;
    if (first === undefined) throw new Error('Nothing came.');
    const recorded = new RecordedLink(first.link);
    await expect.poll(() => recorded.arrived).toBe(16);
  });

  test('its links outlive it; the port is free behind the last one', async () => {
    const watched = await listening();
    const one = await peer();
    await say(one, watched.port, 'a');
    await expect.poll(() => watched.accepted.length).toBe(1);
    const [first] = watched.accepted;
    if (first === undefined) throw new Error('Nothing came.');
    const recorded = new RecordedLink(first.link);
    watched.listener.close();
    await expect.poll(() => watched.end()?.code).toBe('link_ended');
    await say(one, watched.port, 'b');
    await say(await peer(), watched.port, 'stranger');
    await expect.poll(() => recorded.bytes().toString()).toBe('ab');
    expect(watched.accepted).toHaveLength(1);
    first.link.destroy();
    await expect.poll(() => recorded.end?.code).toBe('link_ended');
    const again = await listening({}, '127.0.0.1', watched.port);
    expect(again.events).toEqual([`listening udp:127.0.0.1:${watched.port}`]);
  });

  test('an address that is taken, and one of another machine', async () => {
    const taken = await peer();
    expect((await listening({}, '127.0.0.1', taken.address().port)).events).toEqual([
      'closed address_in_use',
    ]);
    expect((await listening({}, '192.0.2.1')).events).toEqual(['closed address_unavailable']);
  });

  test('IPv4 peers of a dual-stack socket have IPv4 addresses', async () => {
    const watched = await listening({}, '::');
    const one = await peer();
    await say(one, watched.port, 'a');
    await say(await peer('::1'), watched.port, 'b', '::1');
    await expect.poll(() => watched.accepted.map(({ host }) => host)).toEqual(['127.0.0.1', '::1']);
    const answer = once(one, 'message');
    const [first] = watched.accepted;
    if (first === undefined) throw new Error('Nothing came.');
    new RecordedLink(first.link, { opened: () => void first.link.send(Buffer.from('back')) });
    expect(String((await answer)[0])).toBe('back');
  });

  test('leaves nothing behind', async () => {
    const before = resources();
    const watched = await start();
    watched.listener.close();
    await expect.poll(() => watched.end()).toBeDefined();
    const early = listen({ scheme: 'udp-listen', host: '127.0.0.1', port: 0 });
    const codes: string[] = [];
    early.start({
      listening: () => void codes.push('listening'),
      accepted: () => undefined,
      closed: (end) => void codes.push(end.code),
    });
    early.close();
    await expect.poll(() => codes).toEqual(['link_ended']);
    expect(await leftBehind(before)).toEqual([]);
  });
});
