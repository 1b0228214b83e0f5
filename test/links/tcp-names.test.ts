import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NameResolver } from '../../src/links/names/name-resolver.ts';
import { dial, listen } from '../../src/links/transports.ts';
import { DnsServer } from '../support/dns-server.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { leftBehind, resources } from '../support/resources.ts';

let dns: DnsServer;
let names: NameResolver;
let nowMs = 0;
const servers: Server[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  dns = await DnsServer.start();
  nowMs = 0;
  names = new NameResolver({
    servers: [dns.address],
    hostsFile: '/none',
    resolvConf: '/none',
    systemMayKnow: () => false,
    limitMs: 300,
    now: () => nowMs,
  });
});

afterEach(async () => {
  for (const each of sockets.splice(0)) each.destroy();
  for (const each of servers.splice(0)) each.close();
  await dns[Symbol.asyncDispose]();
});

async function serve(): Promise<number> {
  const server = createServer((socket) => void sockets.push(socket));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

interface Dialled {
  readonly recorded: RecordedLink;
  /** What was said when it began to dial. */
  readonly dialling: Array<string | undefined>;
}

function dialled(host: string, port: number): Dialled {
  const dialling: Array<string | undefined> = [];
  const recorded = new RecordedLink(dial({ scheme: 'tcp', host, port }, { names }), {
    dialling: (stale) => void dialling.push(stale),
  });
  return { recorded, dialling };
}

describe('a link to a name', () => {
  test('says that it resolves, that it dials, and that it is open', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['127.0.0.1'] });
    const port = await serve();
    const { recorded, dialling } = dialled('meter.example', port);
    expect(recorded.link.resolves).toBe(true);
    expect(dialling).toEqual([]);
    await expect.poll(() => recorded.opened).toBe(true);
    expect(dialling).toEqual([undefined]);
    expect(recorded.events).toEqual([{ event: 'opened', address: `meter.example:${port}` }]);
    recorded.link.destroy();
    await expect.poll(() => recorded.end?.code).toBe('link_ended');
  });

  test('to an address resolves nothing', async () => {
    const { recorded, dialling } = dialled('127.0.0.1', await serve());
    expect(recorded.link.resolves).toBe(false);
    await expect.poll(() => recorded.opened).toBe(true);
    expect(dialling).toEqual([]);
    recorded.link.destroy();
  });

  test('tries all of its addresses', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['127.0.0.1', '::1'] });
    const port = await serve();
    const { recorded } = dialled('meter.example', port);
    await expect.poll(() => recorded.opened).toBe(true);
    recorded.link.destroy();
  });

  test.each([
    ['deny', 'host_unknown'],
    ['drop', 'name_not_resolved'],
  ] as const)('ends without being dialled where the server does this: %s', async (does, code) => {
    dns.set('lost.example', { does });
    const { recorded, dialling } = dialled('lost.example', await serve());
    await expect.poll(() => recorded.end?.code).toBe(code);
    expect(recorded.end?.detail).toContain('lost.example');
    expect(dialling).toEqual([]);
    expect(recorded.events).toHaveLength(1);
  });

  test('that is destroyed while it resolves is closed at once and leaves nothing', async () => {
    dns.set('lost.example', { does: 'drop' });
    const before = resources();
    const { recorded } = dialled('lost.example', 9089);
    await expect.poll(() => dns.asked).toContain('lost.example');
    recorded.link.destroy();
    expect(names.running).toBe(0);
    expect(recorded.events).toEqual([]);
    await expect.poll(() => recorded.end?.code).toBe('link_ended');
    await expect.poll(() => leftBehind(before)).toEqual([]);
  });

  test('may be destroyed by whoever is told that it dials', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['127.0.0.1'] });
    const link = dial({ scheme: 'tcp', host: 'meter.example', port: await serve() }, { names });
    const recorded = new RecordedLink(link, { dialling: () => link.destroy() });
    await expect.poll(() => recorded.end?.code).toBe('link_ended');
    expect(recorded.opened).toBe(false);
  });

  test('says that its address is an old one, when it dials and when that fails', async () => {
    dns.set('meter.example', { does: 'answer', addresses: ['127.0.0.1'], ttlS: 1 });
    await names.resolve('meter.example');
    dns.set('meter.example', { does: 'drop' });
    nowMs = 60_000;
    const port = await serve();
    const there = dialled('meter.example', port);
    await expect.poll(() => there.recorded.opened).toBe(true);
    expect(there.dialling[0]).toContain('60 s ago');
    there.recorded.link.destroy();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const gone = dialled('meter.example', port);
    await expect.poll(() => gone.recorded.end?.code).toBe('connect_refused');
    expect(gone.recorded.end?.detail).toContain('60 s ago');
  });
});

describe('listening at a name', () => {
  test.each([
    ['answer', 'listening here.example:'],
    ['deny', 'closed host_unknown'],
    ['drop', 'closed name_not_resolved'],
  ] as const)('where the server does this: %s', async (does, expected) => {
    dns.set('here.example', does === 'answer' ? { does, addresses: ['127.0.0.1'] } : { does });
    const listener = listen({ scheme: 'tcp-listen', host: 'here.example', port: 0 }, { names: names });
    const events: string[] = [];
    listener.start({
      listening: (address) => void events.push(`listening ${address}`),
      accepted: () => undefined,
      closed: ({ code }) => void events.push(`closed ${code}`),
    });
    await expect.poll(() => events[0]).toContain(expected);
    listener.close();
    await expect.poll(() => events.at(-1)).toContain('closed');
    expect(events.filter((each) => each.startsWith('closed'))).toHaveLength(1);
  });

  test('that is closed while it resolves is never bound', async () => {
    dns.set('here.example', { does: 'answer', addresses: ['127.0.0.1'] });
    dns.hold();
    const listener = listen({ scheme: 'tcp-listen', host: 'here.example', port: 0 }, { names: names });
    const events: string[] = [];
    listener.start({
      listening: () => void events.push('listening'),
      accepted: () => undefined,
      closed: ({ code }) => void events.push(code),
    });
    await expect.poll(() => dns.asked).toContain('here.example');
    listener.close();
    dns.release();
    await expect.poll(() => events).toEqual(['link_ended']);
    expect(names.running).toBe(0);
  });
});
