import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { BridgeFace } from '../support/bridge-face.ts';
import { RecordedIo } from '../support/recorded-io.ts';
import { ScriptedFeed } from '../support/scripted-feed.ts';

class TerminalIo extends RecordedIo {
  override readonly terminal = true;
}

describe('tail', () => {
  let face: BridgeFace;
  let io: RecordedIo;

  beforeEach(async () => {
    face = await BridgeFace.open();
    face.store.publishState('devices/a/state', {
      device: 'a',
      status: 'online',
      link: { status: 'connected' },
    });
    io = new RecordedIo();
  });
  afterEach(() => face[Symbol.asyncDispose]());

  const tail = (...args: string[]) => main(['tail', '--url', face.url, ...args], io);
  const lines = (): unknown[] =>
    io.printed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const printed = (times: number) => expect.poll(() => lines().length).toBe(times);

  it('prints what came as JSON lines, and ends after --count of them', async () => {
    const ended = tail('devices/#', '--count', '3');
    await printed(1);
    face.store.publishState('devices/a/state', {
      device: 'a',
      status: 'stale',
      link: { status: 'connected' },
    });
    await printed(2);
    face.store.publishEvent('devices/a/messages', { message: 'heartbeat' });
    expect(await ended).toBe(0);
    const head = { timestamp: expect.any(Number), epoch: 'epoch-of-the-test' };
    expect(lines()).toEqual([
      {
        ...head,
        topic: 'devices/a/state',
        rev: 1,
        seq: 1,
        full: true,
        state: { device: 'a', status: 'online', link: { status: 'connected' } },
      },
      { ...head, topic: 'devices/a/state', rev: 2, seq: 2, prev: 1, patch: { status: 'stale' } },
      { ...head, topic: 'devices/a/messages', rev: 3, seq: 1, data: { message: 'heartbeat' } },
    ]);
    expect(io.logged).toBe('');
    expect(io.watched).toEqual([]);
  });

  it('prints whole documents with --merged', async () => {
    const ended = tail('--merged', '--count', '2');
    await printed(1);
    face.store.publishState('devices/a/state', { device: 'a', status: 'stale' });
    expect(await ended).toBe(0);
    expect(lines()[1]).toMatchObject({ seq: 2, state: { device: 'a', status: 'stale' } });
  });

  it('prints short lines on a terminal, without orders to it', async () => {
    io = new TerminalIo();
    const ended = tail('--count', '3');
    await expect.poll(() => io.printed).toContain('connected');
    face.store.publishState('devices/a/state', {
      device: 'a',
      status: 'stale',
      reason: 'red \u001b[31m\u009b2J \u202egnp',
    });
    await expect.poll(() => io.printed).toContain('stale');
    face.store.removeState('devices/a/state');
    expect(await ended).toBe(0);
    // Colours are the only orders.
    const [first, second, third] = stripVTControlCharacters(io.printed).split('\n');
    expect(first).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}devices\/a\/state {2}device=a status=online link\.status=connected$/,
    );
    expect(second).toContain('status=stale reason="red \\u001b[31m\\u009b2J \\u202egnp" -link');
    expect(third).toMatch(/devices\/a\/state {2}removed$/);
  });

  it('prints units and colours on a terminal, and no colours where they are not wanted', async () => {
    const key = 'declaration-of-the-test';
    face.store.publishState(`declarations/${key}`, {
      fields: { air: {}, 'air.temperature': { unit: '°C' } },
    });
    const state = (temperature: number) => ({
      device: 'b',
      status: 'online',
      declaration: key,
      values: { air: { temperature } },
    });
    for (const [env, expected] of [
      [{}, '\u001b[2mvalues.air.temperature=\u001b[22m'],
      [{ NO_COLOR: '1' }, '  devices/b/state  values.air.temperature='],
    ] as const) {
      io = new (class extends TerminalIo {
        override readonly env = env;
      })();
      const ended = tail('devices/b/state', '--count', '40');
      // The unit is known once the declaration has come, which the first line asks for.
      let next = 20;
      face.store.publishState('devices/b/state', state(next));
      await expect
        .poll(() => {
          face.store.publishState('devices/b/state', state(++next));
          return io.printed;
        })
        .toMatch(/\d\d °C/);
      expect(io.printed).toContain(expected);
      expect(io.printed).not.toContain('declarations/');
      io.signal('SIGINT');
      await ended;
    }
  });

  it('prints raw bytes as hex', async () => {
    const ended = tail('--bytes', 'a', '--count', '2');
    await expect.poll(() => face.subscribers).toBe(1);
    const publish = (direction: string, bytes: number[]): void =>
      face.store.publishEvent('devices/a/bytes', {
        at: Date.UTC(2026, 0, 1),
        direction,
        bytes: { $bytes: Buffer.from(bytes).toString('base64'), len: bytes.length },
      });
    // The first may come before the subscription does.
    await expect
      .poll(() => {
        publish('in', [0, 0, 0, 1, 1]);
        publish('out', [0, 0, 0, 2, 1, 0]);
        return io.printed;
      })
      .not.toBe('');
    expect(await ended).toBe(0);
    expect(io.printed).toBe(
      '2026-01-01T00:00:00.000Z < 00000001 01\n2026-01-01T00:00:00.000Z > 00000002 0100\n',
    );
  });

  it.each([
    ['an interrupt', () => io.signal('SIGINT')],
    ['a closed pipe', () => io.closeOut()],
  ])('ends quietly at %s', async (_what, stop) => {
    const ended = tail();
    await printed(1);
    stop();
    expect(await ended).toBe(0);
    expect(io.logged).toBe('');
  });

  it('reconnects by itself, and tells only what is new', async () => {
    const ended = tail('devices/+/state', '--count', '2');
    await printed(1);
    const { port, store } = face;
    await face[Symbol.asyncDispose]();
    await expect.poll(() => io.logged).toContain('lost the bridge');
    face = await BridgeFace.open({ port, store });
    await expect.poll(() => io.logged).toContain('connected again');
    expect(lines()).toHaveLength(1);
    face.store.publishState('devices/a/state', { device: 'a', status: 'away' });
    expect(await ended).toBe(0);
  });

  it('prints what happened while it was cut off, once', async () => {
    const ended = tail('devices/#', '--count', '5');
    await printed(1);
    const { port, store } = face;
    store.publishEvent('devices/a/messages', { n: 1 });
    await printed(2);
    await face[Symbol.asyncDispose]();
    store.publishEvent('devices/a/messages', { n: 2 });
    store.publishEvent('devices/a/messages', { n: 3 });
    store.removeState('devices/a/state');
    face = await BridgeFace.open({ port, store });
    expect(await ended).toBe(0);
    expect(lines().slice(1)).toMatchObject([
      { topic: 'devices/a/messages', data: { n: 1 } },
      ...[expect.anything(), expect.anything(), expect.anything()],
    ]);
    expect(lines().slice(2)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ topic: 'devices/a/messages', data: { n: 2 } }),
        expect.objectContaining({ topic: 'devices/a/messages', data: { n: 3 } }),
        expect.objectContaining({ topic: 'devices/a/state', removed: true }),
      ]),
    );
  });

  it('says what to do where there is no bridge, and waits for one with --retry', async () => {
    const { port, store, url } = face;
    await face[Symbol.asyncDispose]();
    expect(await tail()).toBe(1);
    expect(io.logged).toMatch(/could not be reached: .*ECONNREFUSED.*Start it with "heartwire run"/);
    const waiting = main(['tail', '--url', url, '--retry', '--count', '1'], io);
    await expect.poll(() => io.logged).toContain('no answer from the bridge');
    face = await BridgeFace.open({ port, store });
    expect(await waiting).toBe(0);
  });

  it('finds the bridge by HEARTWIRE_URL', async () => {
    io = new (class extends RecordedIo {
      override readonly env = { HEARTWIRE_URL: face.url.replace('http:', 'ws:') };
    })();
    expect(await main(['tail', '--count', '1'], io)).toBe(0);
  });

  it.each([
    [['a//b'], 'empty level'],
    [['devices/a#'], 'whole level'],
    [['--count', '0'], 'above 0'],
    [['--url', 'ftp://x'], 'no address of a bridge'],
  ])('refuses %j', async (args, message) => {
    expect(await main(['tail', ...args], io)).toBe(2);
    expect(io.logged).toContain(message);
  });
});

describe('tail on a feed that goes wrong', () => {
  it('ends with what the bridge said where it does not want us', async () => {
    await using feed = new ScriptedFeed();
    await feed.start();
    const io = new RecordedIo();
    const ended = main(['tail', '--url', feed.url], io);
    await expect.poll(() => feed.asked('subscribe').length).toBe(1);
    feed.say('error', { reply_to: '1', code: 'forbidden', message: 'Not for you.', retry: false });
    expect(await ended).toBe(1);
    expect(io.logged).toContain('Not for you.');
  });

  it('asks again for a document that it cannot follow', async () => {
    await using feed = new ScriptedFeed();
    await feed.start();
    const io = new RecordedIo();
    const ended = main(['tail', '--url', feed.url, '--count', '1'], io);
    await expect.poll(() => feed.asked('subscribe').length).toBe(1);
    feed.sync([]);
    const topic = 'devices/a/state';
    feed.say('update', { topic, epoch: 'e', rev: 2, seq: 2, prev: 1, patch: { status: 'x' } });
    await expect.poll(() => feed.asked('resync')).toEqual([{ type: 'resync', id: '2', topics: [topic] }]);
    feed.say('snapshot', {
      reply_to: '2',
      items: [{ topic, epoch: 'e', rev: 2, seq: 2, state: { status: 'x' } }],
      removed: [],
    });
    expect(await ended).toBe(0);
    expect(io.printed).toContain('"state":{"status":"x"}');
  });
});
