import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { NameResolver } from '../../src/links/names/name-resolver.ts';
import { dial } from '../../src/links/transports.ts';
import { datagramEnd } from '../../src/links/udp-end.ts';
import { linkContract, type RawPeer } from '../support/link-contract.ts';
import { RecordedLink } from '../support/recorded-link.ts';

const sockets: Socket[] = [];

afterEach(() => {
  for (const each of sockets.splice(0)) each.close();
});

async function bind(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

async function serve(address?: string): Promise<Socket> {
  const socket = await bind(address);
  sockets.push(socket);
  return socket;
}

async function freePort(): Promise<number> {
  const socket = await bind();
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** A plain socket that sends its datagrams to one port. */
function peerAt(socket: Socket, port: number): RawPeer & { close(): void } {
  const datagrams: Buffer[] = [];
  let gone = false;
  const close = (): void => {
    if (!gone) socket.close();
    gone = true;
  };
  socket.on('message', (datagram) => datagrams.push(datagram));
  return {
    write: (bytes) => socket.send(bytes, port, '127.0.0.1'),
    received: () => Buffer.concat(datagrams),
    stall: () => undefined,
    resume: () => undefined,
    hangUp: close,
    close,
  };
}

linkContract(
  'A UDP link',
  async () => {
    const socket = await bind();
    const localPort = await freePort();
    const peer = peerAt(socket, localPort);
    return {
      link: dial({ scheme: 'udp', host: '127.0.0.1', port: socket.address().port, localPort }),
      peer: async () => peer,
      dispose: async () => peer.close(),
    };
  },
  { hangUpCodes: ['connect_refused'], bulk: 32_768, datagrams: true },
);

describe('a UDP link', () => {
  test('hands on each datagram as a chunk, and its end as a silence', async () => {
    const server = await serve();
    const recorded = new RecordedLink(
      dial({ scheme: 'udp', host: '127.0.0.1', port: server.address().port }),
    );
    await expect.poll(() => recorded.opened).toBe(true);
    recorded.link.send(Uint8Array.of(9));
    const [, from] = (await once(server, 'message')) as [Buffer, { port: number }];
    for (const bytes of [[1, 2], [], [3]]) server.send(Uint8Array.from(bytes), from.port, '127.0.0.1');
    await expect.poll(() => recorded.idles).toBe(2);
    expect(recorded.events.map(({ event }) => event)).toEqual(['opened', 'data', 'idle', 'data', 'idle']);
    expect([...recorded.bytes()]).toEqual([1, 2, 3]);
    recorded.link.destroy();
  });

  test('hears its peer only', async () => {
    const server = await serve();
    const stranger = await serve();
    const localPort = await freePort();
    const recorded = new RecordedLink(
      dial({ scheme: 'udp', host: '127.0.0.1', port: server.address().port, localPort }),
    );
    await expect.poll(() => recorded.opened).toBe(true);
    await new Promise((resolve) => stranger.send('not for you', localPort, '127.0.0.1', resolve));
    server.send('for you', localPort, '127.0.0.1');
    await expect.poll(() => recorded.arrived).toBeGreaterThan(0);
    expect(recorded.bytes().toString()).toBe('for you');
    recorded.link.destroy();
  });

  test('is open though nothing receives, and says so once something was sent', async () => {
    const port = await freePort();
    const recorded = new RecordedLink(dial({ scheme: 'udp', host: '127.0.0.1', port }));
    await expect.poll(() => recorded.opened).toBe(true);
    expect(recorded.link.send(Uint8Array.of(1))).toBe('accepted');
    await expect.poll(() => recorded.end?.code).toBe('connect_refused');
    expect(recorded.end?.detail).toContain(`127.0.0.1:${port}`);
  });

  test('a frame that fits in no datagram ends it, with its length', async () => {
    const server = await serve();
    const recorded = new RecordedLink(
      dial({ scheme: 'udp', host: '127.0.0.1', port: server.address().port }),
    );
    await expect.poll(() => recorded.opened).toBe(true);
    expect(recorded.link.send(new Uint8Array(70_000))).toBe('accepted');
    await expect.poll(() => recorded.end?.code).toBe('datagram_too_long');
    expect(recorded.end?.detail).toContain('70000 bytes');
  });

  test('IPv6, and a local port that is taken', async () => {
    const server = await serve('::1');
    const { port } = server.address();
    const recorded = new RecordedLink(dial({ scheme: 'udp', host: '::1', port }));
    await expect.poll(() => recorded.opened).toBe(true);
    expect(recorded.events).toEqual([{ event: 'opened', address: `[::1]:${port}` }]);
    recorded.link.destroy();
    const taken = createSocket('udp4');
    sockets.push(taken);
    taken.bind(0);
    await once(taken, 'listening');
    const localPort = taken.address().port;
    const second = new RecordedLink(dial({ scheme: 'udp', host: '127.0.0.1', port: 9, localPort }));
    await expect.poll(() => second.end?.code).toBe('address_in_use');
  });

  test('a name is looked up as for TCP', async () => {
    const server = await serve();
    const { port } = server.address();
    const names = new NameResolver({ hostsFile: '/etc/hosts' });
    const dialling: string[] = [];
    const known = new RecordedLink(dial({ scheme: 'udp', host: 'localhost', port }, { names }), {
      dialling: () => void dialling.push('dialling'),
    });
    await expect.poll(() => known.opened).toBe(true);
    expect(known.link.resolves).toBe(true);
    expect(dialling).toEqual(['dialling']);
    known.link.destroy();
    const left = new RecordedLink(dial({ scheme: 'udp', host: 'localhost', port }, { names }));
    left.link.destroy();
    await expect.poll(() => left.end?.code).toBe('link_ended');
    expect(names.running).toBe(0);
  });
});

test.each([
  ['ECONNREFUSED', 'connect_refused', 'nothing receives'],
  ['EMSGSIZE', 'datagram_too_long', 'use TCP'],
  ['EHOSTUNREACH', 'connect_unreachable', 'route'],
  ['EACCES', 'connect_failed', 'broadcast'],
])('a datagram fails with %s: %s', (code, expected, words) => {
  const end = datagramEnd(Object.assign(new Error(code), { code }), 'meter:9089', 5);
  expect(end.code).toBe(expected);
  expect(end.detail).toContain('meter:9089');
  expect(end.detail).toContain(words);
});
