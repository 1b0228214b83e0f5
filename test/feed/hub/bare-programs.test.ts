import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { CommandOutcome } from '../../../src/contract/command.ts';
import { withResolvers } from '../../../src/system/with-resolvers.ts';
import { BridgeFace } from '../../support/bridge-face.ts';
import { LinesWorld } from '../../support/lines-world.ts';
import { needs } from '../../support/needs.ts';
import { needsPythonPackages } from '../../support/needs-python.ts';

type World = Awaited<ReturnType<typeof LinesWorld.start>>;
type Stranger = ReturnType<World['stranger']>;

const types = ({ messages }: Stranger): string[] => messages.map(({ type }) => type);
const advance = (world: World, seconds: number): void => {
  for (let second = 0; second < seconds; second++) world.clock.advance(1_000);
};

describe('a program that writes objects without newlines', () => {
  it('gets one object for each of them, and nothing else', async () => {
    await using world = await LinesWorld.start({
      commands: async () => ({ ok: true, result: { error: 0 } }),
    });
    const loud = await world.client();
    const bare = world.stranger();
    const asked = [
      ['{"type":"ping","id":"1"}', 'pong'],
      ['{"type":"echo","id":"2","data":"{\\n"}', 'echo'],
      ['{"type":"get_clients","id":"3"}', 'clients_list'],
      ['{"type":"command","id":"4","device":"a","message":"heartbeat"}', 'response'],
      ['{"type":"broadcast","id":"5","data":1}', 'broadcast_ack'],
      ['{"type":"unsubscribe","id":"6","topics":["#"]}', 'error'],
      ['{"type":"nonsense","id":"7"}', 'error'],
    ] as const;
    for (const [text, answer] of asked) {
      bare.send(text);
      await bare.next(answer);
      // What a peer that reads a stream gets by and by.
      loud.send({ type: 'broadcast', data: text });
      await loud.next('broadcast');
      world.store.publishState('devices/a/state', { text });
      advance(world, 45);
      await loud.next('ping');
    }
    expect(types(bare)).toEqual(asked.map(([, answer]) => answer));
  });

  it('is no recipient of a broadcast, and still a client', async () => {
    await using world = await LinesWorld.start();
    const bare = world.stranger();
    bare.send('{"type":"broadcast","data":1}');
    expect((await bare.next('broadcast_ack')).payload.recipients).toBe(0);
    expect(world.subscriberRegistry.clients()).toHaveLength(1);
  });

  it.each(['\n', ' \r\n'])('behind which a newline (%j) comes late: it is welcomed then', async (late) => {
    await using world = await LinesWorld.start();
    const slow = world.stranger();
    slow.send('{"type":"ping","id":"1"}');
    await slow.next('pong');
    slow.send(late);
    await slow.next('welcome');
    slow.send('{"type":"ping","id":"2"}');
    await slow.next('pong');
    expect(types(slow)).toEqual(['pong', 'welcome', 'pong']);
  });

  it('is decided about by its first object: a newline behind a later one says nothing', async () => {
    await using world = await LinesWorld.start();
    const bare = world.stranger();
    bare.send('{"type":"ping"}{"type":"ping"}\n', '\n{"type":"ping"}\n');
    for (let count = 0; count < 3; count++) await bare.next('pong');
    expect(types(bare)).toEqual(['pong', 'pong', 'pong']);
  });

  it('that subscribes is welcomed before the answer, and pinged from then on', async () => {
    await using world = await LinesWorld.start();
    const bare = world.stranger();
    bare.send('{"type":"ping"}');
    await bare.next('pong');
    bare.send('{"type":"subscribe","topics":["devices/#"]}');
    await bare.next('synced');
    world.store.publishState('devices/a/state', { n: 1 });
    await bare.next('update');
    advance(world, 21);
    await bare.next('ping');
    expect(types(bare).slice(0, 5)).toEqual(['pong', 'welcome', 'snapshot', 'synced', 'update']);
  });

  it('that says "pong" is not taken for one that answers pings', async () => {
    await using world = await LinesWorld.start();
    const bare = world.stranger();
    bare.send('{"type":"pong"}{"type":"ping"}');
    await bare.next('pong');
    advance(world, 120);
    bare.send('{"type":"ping"}');
    await bare.next('pong');
    expect(types(bare)).toEqual(['pong', 'pong']);
  });

  it('gets the reason of its end only where that is its answer', async () => {
    await using world = await LinesWorld.start({ maxMessageBytes: 60 });
    const [large, wrong, kept, mute] = [1, 2, 3, 4].map(() => world.stranger());
    large?.send(`{"type":"echo","data":"${'x'.repeat(100)}"}`);
    await large?.closed;
    expect(large && types(large)).toEqual(['closing']);

    for (let count = 1; count <= 21; count++) wrong?.send('{"type":"x"}');
    await wrong?.closed;
    expect(wrong && types(wrong)).toEqual(Array(21).fill('error'));

    kept?.send('{"type":"ping"}');
    await kept?.next('pong');
    await expect.poll(() => world.subscriberRegistry.clients().length).toBe(2);
    await world.subscriberRegistry[Symbol.asyncDispose]();
    await Promise.all([kept?.closed, mute?.closed]);
    expect([kept, mute].map((each) => each && types(each))).toEqual([['pong'], ['closing']]);
  });
});

describe('a program that ends lines with a newline', () => {
  it.each([
    '{"type":"ping"}\n',
    '{"type":"ping"} \r\n',
    '\n{"type":"ping"}',
    '{"type":"ping"}\n{"type":"ping"}',
  ])('%j is welcomed before its first answer', async (text) => {
    await using world = await LinesWorld.start();
    const peer = world.stranger();
    peer.send(text);
    await peer.next('pong');
    expect(types(peer).slice(0, 2)).toEqual(['welcome', 'pong']);
  });

  it('gets nothing before it says something', async () => {
    await using world = await LinesWorld.start();
    const loud = await world.client();
    const mute = world.stranger();
    await expect.poll(() => world.subscriberRegistry.clients().length).toBe(2);
    loud.send({ type: 'broadcast', data: 1 });
    await loud.next('broadcast');
    advance(world, 60);
    mute.send('\n');
    await mute.next('welcome');
    expect(types(mute)).toEqual(['welcome']);
  });
});

/** Runs a program that ends by itself, with what is typed into it, and gives what it printed. */
async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  child.stdin.end(input);
  await new Promise((resolve) => child.once('close', resolve));
  return said;
}

const READ_ONCE = `
import json, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as feed:
    for n in range(20):
        feed.sendall(json.dumps({"type": "echo", "id": str(n), "payload": "x" * n}).encode())
        said = json.loads(feed.recv(65536).decode())
        print(said["type"], said["payload"]["reply_to"], len(said["payload"]["data"]))
`;
const BARE_WEBSOCKET = `
import asyncio, json, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1]) as feed:
        await feed.send(json.dumps({"type": "ping", "id": "1"}))
        for _ in range(2):
            print(json.loads(await feed.recv())["type"])
asyncio.run(main())
`;
const python = needs('python3');
const websockets = needsPythonPackages('websockets');
const nc = needs('nc');

describe('programs as this field writes them', () => {
  it.runIf(python.run)('Python with a bare socket: one write, one read', async () => {
    await using face = await BridgeFace.open();
    const said = await run(python.path, ['-c', READ_ONCE, String(face.linesPort)]);
    expect(said).toBe(Array.from({ length: 20 }, (_, n) => `echo ${n} ${n}\n`).join(''));
  });

  it.runIf(nc.run)('nc, with and without a newline', async () => {
    await using face = await BridgeFace.open();
    for (const [end, types] of [
      ['', ['pong', 'pong']],
      ['\n', ['welcome', 'pong', 'pong']],
    ] as const) {
      const child = spawn(nc.path, ['127.0.0.1', String(face.linesPort)]);
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const heard = (): string[] =>
        said.split('\n').flatMap((line) => (line === '' ? [] : JSON.parse(line).type));
      child.stdin.write(`{"type":"ping"}${end}`);
      await expect.poll(heard).toContain('pong');
      child.stdin.write(`{"type":"ping"}${end}`);
      await expect.poll(heard).toEqual(types);
      child.kill();
    }
  });

  it.runIf(websockets.run)('Python with websockets, at the root', async () => {
    await using face = await BridgeFace.open();
    const { host } = new URL(face.url);
    expect(await run(websockets.path, ['-c', BARE_WEBSOCKET, `ws://${host}`])).toBe('welcome\npong\n');
  });
});

describe('a WebSocket at the root', () => {
  it.each(['', '/', '/ws', '/?x=1'])('"%s" is the feed', async (path) => {
    await using face = await BridgeFace.open();
    face.store.publishState('devices/a/state', { status: 'online' });
    const socket = new WebSocket(`${face.url.replace('http', 'ws')}${path}`);
    const said: string[] = [];
    socket.on('message', (text) => said.push(JSON.parse(String(text)).type));
    socket.on('open', () => socket.send('{"type":"subscribe","topics":["#"]}'));
    await expect.poll(() => said).toEqual(['welcome', 'snapshot', 'synced']);
    socket.close();
  });

  it('leaves the page where it is, and refuses other paths and origins', async () => {
    await using face = await BridgeFace.open();
    const page = await fetch(`${face.url}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const statusOf = (path: string, origin?: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${face.url.replace('http', 'ws')}${path}`, { origin });
        socket.on('error', ({ message }) => resolve(message));
        socket.on('open', () => {
          socket.close();
          resolve('open');
        });
      });
    expect(await statusOf('/feed')).toContain('404');
    expect(await statusOf('/', 'http://elsewhere.example')).toContain('403');
  });
});

describe('a program that sends nothing more', () => {
  const clients = (world: World) => world.subscriberRegistry.clients();

  it('is let go where it said nothing, though it goes on to read', async () => {
    await using world = await LinesWorld.start();
    const peer = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true });
    const ended = once(peer, 'end');
    peer.resume();
    await expect.poll(() => clients(world).length).toBe(1);
    peer.end();
    await ended;
    await expect.poll(() => clients(world)).toEqual([]);
  });

  it('gets the answer to its last command, however late, and is let go then', async () => {
    const { promise, resolve } = withResolvers<CommandOutcome>();
    await using world = await LinesWorld.start({ commands: () => promise });
    const bare = world.stranger();
    bare.socket.end('{"type":"command","id":"1","device":"a","message":"heartbeat"}');
    await expect.poll(() => clients(world).length).toBe(1);
    advance(world, 2);
    expect(clients(world)).toHaveLength(1);
    resolve({ ok: true, result: { error: 0 } });
    await bare.next('response');
    advance(world, 1);
    await expect.poll(() => clients(world)).toEqual([]);
  });
});
