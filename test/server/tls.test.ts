import { once } from 'node:events';
import { chmodSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasOpenssl, makeCertificate } from '../support/certificates.ts';
import { LinesClient } from '../support/lines-world.ts';
import { TlsWorld } from '../support/tls-world.ts';

const LOOK_MS = 5_000;

describe.runIf(hasOpenssl)('over TLS', () => {
  it('serves page and API, and says so in its address', async () => {
    await using world = await TlsWorld.start();
    expect(world.url).toBe(`https://127.0.0.1:${world.port}`);
    expect(world.linesAddress).toMatch(/^tls:\/\/127\.0\.0\.1:\d+$/);
    world.store.publishState('devices/a/state', { device: 'a' });
    expect(await world.get('/api/devices/a')).toEqual({ status: 200, text: '{"device":"a"}\n' });
    expect((await world.get('/')).text).toContain('<title>Heartwire</title>');
  });

  it('delivers shared frames whole and in order to every subscriber, whatever their size', async () => {
    await using world = await TlsWorld.start();
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.client()));
    const lines = new LinesClient(await world.connect('lines'));
    await Promise.all([...clients, lines].map((client) => client.subscribe('1', 'devices/#')));
    for (let round = 0; round < 300; round += 1) {
      const text = String.fromCharCode(97 + (round % 26)).repeat((round * 7_919) % 40_000);
      world.store.publishState(`devices/d${round % 5}/state`, { round, text });
      world.store.publishEvent('devices/d0/messages', { round, text: text.slice(0, 100) });
      if (round % 3 === 0) await turn();
    }
    const present = Object.fromEntries(
      world.store.documents('#').map(({ topic, document }) => [topic, document]),
    );
    for (const client of [...clients, lines]) {
      await expect.poll(() => client.view.documents()).toEqual(present);
      await expect.poll(() => client.view.events.get('devices/d0/messages')?.length).toBe(300);
      expect([client.view.breaches, client.view.gaps]).toEqual([[], []]);
    }
    for (const client of clients) client.socket.terminate();
    lines.socket.destroy();
  });

  it('bounds what waits for a subscriber that does not read, and brings it back up', async () => {
    await using world = await TlsWorld.start();
    const slow = await world.client('/ws/slow');
    await slow.subscribe('1', 'devices/#');
    slow.socket.pause();
    const backlog = (): number => world.feed.clients().find(({ id }) => id === 'slow')?.backlog ?? 0;
    const big = 'x'.repeat(16 * 1024);
    let round = 0;
    for (; round < 4_000 && backlog() < 64 * 1024; round += 1) {
      for (const device of ['a', 'b', 'c', 'd']) {
        world.store.publishState(`devices/${device}/state`, { round, text: `${big}${round}` });
      }
      await turn();
    }
    expect(backlog()).toBeGreaterThanOrEqual(64 * 1024);
    for (let more = 0; more < 500; more += 1) {
      world.store.publishState('devices/a/state', { more, text: `${big}${more}` });
      if (more % 10 === 0) await turn();
    }
    expect(backlog()).toBeLessThan(64 * 1024 + 5 * 17 * 1024);
    slow.socket.resume();
    const present = Object.fromEntries(
      world.store.documents('#').map(({ topic, document }) => [topic, document]),
    );
    await expect.poll(() => slow.view.documents()).toEqual(present);
    expect(slow.view.breaches).toEqual([]);
    slow.socket.terminate();
  });

  it('streams events, and JSON lines to who has closed his half already', async () => {
    await using world = await TlsWorld.start();
    world.store.publishState('devices/a/state', { device: 'a' });
    const stream = await world.connect('http');
    stream.setEncoding('utf8');
    let heard = '';
    stream.on('data', (text: string) => {
      heard += text;
    });
    stream.write('GET /api/feed?topics=devices/%23 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await expect.poll(() => heard).toContain('"synced"');
    const lines = await world.connect('lines');
    const client = new LinesClient(lines);
    client.send({ type: 'subscribe', id: '1', topics: ['devices/#'] });
    lines.end();
    await client.next('synced');
    world.store.publishState('devices/a/state', { device: 'a', status: 'online' });
    expect((await client.next('update')).payload).toMatchObject({ patch: { status: 'online' } });
    await expect.poll(() => heard).toContain('"online"');
    stream.destroy();
    lines.destroy();
  });

  it('lets go of who speaks no TLS, or nothing, and goes on', async () => {
    const world = await TlsWorld.start();
    const plain = connect(world.port, '127.0.0.1', () =>
      plain.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
    );
    plain.on('error', () => plain.destroy());
    await once(plain, 'close');
    const silent = ['http', 'lines'].map((to) =>
      connect(to === 'http' ? world.port : Number(world.linesAddress.split(':').at(-1)), '127.0.0.1'),
    );
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    expect((await world.get('/healthz')).status).toBe(200);
    const gone = silent.map((socket) =>
      once(
        socket.on('error', () => socket.destroy()),
        'close',
      ),
    );
    await world[Symbol.asyncDispose]();
    await Promise.all(gone);
  });
});

describe.runIf(hasOpenssl)('a pair that changes', () => {
  /** The source looks, and looks again: what it does between is real reading, so that it takes turns of the loop. */
  const looks = async (world: TlsWorld, until: () => void): Promise<void> => {
    await expect
      .poll(() => {
        world.clock.advance(LOOK_MS);
        until();
        return true;
      })
      .toBe(true);
  };

  it('is served to newcomers on every port, and disturbs nobody', async () => {
    await using world = await TlsWorld.start();
    const client = await world.client();
    await client.subscribe('1', '#');
    const next = makeCertificate(world.folder, 'next');
    copyFileSync(next.cert, world.files.cert);
    copyFileSync(next.key, world.files.key);
    await looks(world, () => expect(world.renewed).toBe(1));
    expect([await world.shown('http'), await world.shown('lines')]).toEqual([
      next.fingerprint,
      next.fingerprint,
    ]);
    world.store.publishState('devices/a/state', { device: 'a' });
    expect((await client.next('update')).payload).toMatchObject({ topic: 'devices/a/state' });
    expect(world.failed).toEqual([]);
    client.socket.terminate();
  });

  it('and cannot be served leaves the former one in place, with a code', async () => {
    await using world = await TlsWorld.start();
    const next = makeCertificate(world.folder, 'next');
    const steps: ReadonlyArray<readonly [() => void, string]> = [
      [() => copyFileSync(next.cert, world.files.cert), 'tls_mismatch'],
      [() => writeFileSync(world.files.cert, 'no certificate'), 'tls_invalid'],
      [() => rmSync(world.files.key), 'tls_unreadable'],
    ];
    const codes: string[] = [];
    for (const [step, code] of steps) {
      step();
      codes.push(code);
      await looks(world, () => expect(world.failed).toEqual(codes));
      expect(await world.shown()).toBe(world.first.fingerprint);
    }
    expect(world.renewed).toBe(0);
    copyFileSync(next.cert, world.files.cert);
    copyFileSync(next.key, world.files.key);
    chmodSync(world.files.key, 0o600);
    await looks(world, () => expect(world.renewed).toBe(1));
    expect(await world.shown()).toBe(next.fingerprint);
  });
});
