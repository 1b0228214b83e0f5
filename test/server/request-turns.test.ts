import { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../src/access/http-answer.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { HttpServer, type HttpServerOptions } from '../../src/server/http/http-server.ts';
import { withResolvers } from '../../src/system/with-resolvers.ts';
import { rawExchange } from '../support/http.ts';

const HOST = 'Host: 127.0.0.1\r\n';
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${HOST}${more}\r\n`;
const UPGRADE = get('/ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n');
const plain = (body: string): Answer => ({ status: 200, headers: {}, body });

const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server[Symbol.asyncDispose]();
});

class Door {
  readonly heads: string[] = [];
  handleUpgrade(_request: unknown, socket: Duplex, head: Buffer): void {
    this.heads.push(head.toString('latin1'));
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  }
}

async function serve(further: HttpServerOptions['further'], more: Partial<HttpServerOptions> = {}) {
  const door = new Door();
  const names = { host: '127.0.0.1', hosts: [], origins: [] };
  const store = new FeedStore({ epoch: 'e' });
  const server = new HttpServer({
    ...names,
    port: 0,
    store,
    feedServer: door,
    ...(further === undefined ? {} : { further }),
    ...more,
  });
  running.push(server);
  return { ...(await server.start()), door };
}

/** Counts the turns of the loop. */
function countTurns() {
  let turn = 0;
  let next = setImmediate(function again() {
    turn++;
    next = setImmediate(again);
  });
  return { now: () => turn, [Symbol.dispose]: () => clearImmediate(next) };
}

const answers = (reply: string): readonly string[] =>
  [...reply.matchAll(/HTTP\/1\.1 (\d{3}) |\r\n\r\n(first|second|third)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );

describe('requests that come in one write', () => {
  it('have a turn of the loop each', async () => {
    using turns = countTurns();
    const answeredIn: number[] = [];
    const { port } = await serve(() => () => {
      answeredIn.push(turns.now());
      return plain('x');
    });
    const count = 300;
    await rawExchange(port, get('/a').repeat(count) + get('/a', 'Connection: close\r\n'));
    expect(answeredIn.length).toBe(count + 1);
    expect(new Set(answeredIn).size).toBe(count + 1);
  });

  it('hold a turn of the loop no longer together than one of them does, however many connections there are', async () => {
    using turns = countTurns();
    const answeredIn: number[] = [];
    const { port } = await serve((path) => () => {
      if (path === '/first') return plain('');
      answeredIn.push(turns.now());
      // Longer than the share of a turn that pipelined requests have.
      for (const endMs = performance.now() + 2; performance.now() < endMs; );
      return plain('x');
    });
    const text = get('/first') + get('/next').repeat(5) + get('/next', 'Connection: close\r\n');
    await Promise.all(Array.from({ length: 8 }, () => rawExchange(port, text)));
    expect(answeredIn.length).toBe(8 * 6);
    expect(new Set(answeredIn).size).toBe(8 * 6);
  });

  it('are not read as requests before their turn, so that a closed connection costs nothing for each', async () => {
    const { port } = await serve(() => () => plain('x'));
    let seen = 0;
    const emit = IncomingMessage.prototype.emit;
    IncomingMessage.prototype.emit = function (this: IncomingMessage, ...args: Parameters<typeof emit>) {
      if (args[0] === 'aborted') seen++;
      return emit.apply(this, args);
    };
    try {
      await rawExchange(port, get('/a', 'Connection: close\r\n') + get('/b').repeat(50));
    } finally {
      IncomingMessage.prototype.emit = emit;
    }
    expect(seen).toBeLessThan(2);
  });

  it('cut anywhere, are answered in their order', async () => {
    const { port } = await serve((path) => () => plain(path.slice(1)));
    const text = get('/first') + get('/second') + get('/third', 'Connection: close\r\n');
    const whole = answers(await rawExchange(port, text));
    expect(whole).toEqual(['200', 'first', '200', 'second', '200', 'third']);
    for (let at = 1; at < text.length; at += 7) {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      let reply = '';
      socket.on('data', (chunk) => {
        reply += chunk.toString('latin1');
      });
      socket.write(text.slice(0, at), () => setImmediate(() => socket.write(text.slice(at))));
      await expect.poll(() => answers(reply)).toEqual(whole);
    }
  });

  it('wait until the one before is answered', async () => {
    const slow = withResolvers<Answer>();
    const asked: string[] = [];
    const { port } = await serve((path) => () => {
      asked.push(path);
      return path === '/first' ? { ...plain(''), later: () => slow.promise } : plain('second');
    });
    const reply = rawExchange(port, get('/first') + get('/second', 'Connection: close\r\n'));
    await expect.poll(() => asked).toEqual(['/first']);
    // Others are answered meanwhile.
    await rawExchange(port, get('/other', 'Connection: close\r\n'));
    expect(asked).toEqual(['/first', '/other']);
    slow.resolve(plain('first'));
    expect(answers(await reply)).toEqual(['200', 'first', '200', 'second']);
  });

  it('are answered though nothing more is said', async () => {
    const { port } = await serve((path) => () => ({ ...plain(''), later: async () => plain(path.slice(1)) }));
    const socket = connect(port, '127.0.0.1');
    let reply = '';
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1');
    });
    socket.end(get('/first') + get('/second') + get('/third'));
    await expect.poll(() => answers(reply)).toEqual(['200', 'first', '200', 'second', '200', 'third']);
    await expect.poll(() => socket.closed).toBe(true);
  });
});

describe('an upgrade behind a request', () => {
  it('has its turn when that is answered, with the bytes behind it', async () => {
    const slow = withResolvers<Answer>();
    let asked = false;
    const { port, door } = await serve(() => () => {
      asked = true;
      return { ...plain(''), later: () => slow.promise };
    });
    const behind = 'x'.repeat(5_000);
    const reply = rawExchange(port, `${get('/first')}${UPGRADE}${behind}`);
    await expect.poll(() => asked).toBe(true);
    await rawExchange(port, get('/healthz', 'Connection: close\r\n'));
    expect(door.heads).toEqual([]);
    slow.resolve(plain('first'));
    expect(answers(await reply)).toEqual(['200', 'first', '101']);
    expect(door.heads).toEqual([behind]);
  });

  it('is given up where the other side is gone by then', async () => {
    const slow = withResolvers<Answer>();
    let asked = false;
    const { port, door } = await serve(() => () => {
      asked = true;
      return { ...plain(''), later: () => slow.promise };
    });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.write(get('/first') + UPGRADE);
    await expect.poll(() => asked).toBe(true);
    socket.resetAndDestroy();
    await rawExchange(port, get('/healthz', 'Connection: close\r\n'));
    slow.resolve(plain('first'));
    await rawExchange(port, get('/healthz', 'Connection: close\r\n'));
    expect(door.heads.length).toBeLessThanOrEqual(1);
  });
});

it('what cannot be parsed is answered behind the requests before it', async () => {
  const { port } = await serve(() => () => ({ ...plain(''), later: async () => plain('first') }));
  expect(answers(await rawExchange(port, `${get('/first')}no request\r\n\r\n`))).toEqual([
    '200',
    'first',
    '400',
  ]);
});

describe('a header that says who asks, given twice', () => {
  it.each([
    ['Host', get('/healthz', HOST)],
    ['Host of another spelling', get('/healthz', 'hOST: elsewhere.example\r\n')],
    ['Origin', get('/healthz', 'Origin: http://127.0.0.1\r\nOrigin: http://127.0.0.1\r\n')],
    ['Authorization', get('/healthz', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n')],
    ['Host of an upgrade', UPGRADE.replace(HOST, HOST + HOST)],
  ])('%s: 400, and the connection ends', async (_what, request) => {
    const { port, door } = await serve(undefined);
    const reply = await rawExchange(port, request + get('/healthz'));
    expect(answers(reply)).toEqual(['400']);
    expect(reply).toContain('bad_request');
    expect(door.heads).toEqual([]);
  });
});

describe('an answer that its peer does not take', () => {
  const LONG = 'x'.repeat(24 * 1024 * 1024);
  const patience = { headersMs: 60_000, requestMs: 60_000, lookMs: 50, idleMs: 300 };

  it('ends the connection, though the peer goes on to send', async () => {
    const { port } = await serve(() => () => plain(LONG), { patience });
    const peer = connect(port, '127.0.0.1');
    peer.on('error', () => peer.destroy());
    peer.write(get('/long'));
    // One byte a turn: less than what the server reads ahead in all this time.
    const closed = (): boolean => {
      if (!peer.destroyed) peer.write('X');
      return peer.destroyed;
    };
    await expect.poll(closed, { timeout: 20_000, interval: 20 }).toBe(true);
  });

  it('is sent to its end, where the peer takes a piece of it at a time', async () => {
    const { port } = await serve(() => () => plain(LONG), { patience });
    const peer = connect(port, '127.0.0.1');
    let received = 0;
    peer.on('data', (chunk) => {
      received += chunk.byteLength;
      peer.pause();
      setImmediate(() => peer.resume());
    });
    const ended = new Promise((resolve) => peer.once('close', resolve));
    peer.write(get('/long', 'Connection: close\r\n'));
    await ended;
    expect(received).toBeGreaterThan(LONG.length);
  });
});
