import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Server } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Handshakes } from '../../src/system/handshakes.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { TlsWorld } from '../support/tls-world.ts';

/** The head of a record that holds 512 bytes of a handshake; they come one by one, and never all of them. */
const HEAD = Buffer.from('1603010200', 'hex');
const EVERY_MS = 20;

/** A bare socket, which says nothing, or goes on saying too little. */
class Peer {
  closed = false;
  readonly #socket: Socket;
  readonly #trickle: NodeJS.Timeout | undefined;

  constructor(port: number, trickles: boolean) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.closed = true;
    });
    this.#socket.resume();
    if (!trickles) return;
    this.#socket.write(HEAD);
    this.#trickle = setInterval(() => this.#socket.write(Uint8Array.of(1)), EVERY_MS);
  }

  close(): void {
    clearInterval(this.#trickle);
    this.#socket.destroy();
  }
}

describe('a TLS port', () => {
  const peers: Peer[] = [];
  let world: TlsWorld;
  beforeEach(async () => {
    world = await TlsWorld.start(500);
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.close();
    await world[Symbol.asyncDispose]();
  });

  it.each([
    ['HTTPS', 'is silent', false],
    ['HTTPS', 'sends a byte now and then', true],
    ['JSON lines', 'is silent', false],
    ['JSON lines', 'sends a byte now and then', true],
  ])('of %s closes whoever %s in its handshake, and no other', async (what, _, trickles) => {
    const subscriber = await world.client();
    const port = what === 'HTTPS' ? world.port : world.linesPort;
    for (let count = 0; count < 5; count++) peers.push(new Peer(port, trickles));
    await expect.poll(() => peers.filter(({ closed }) => closed).length, { timeout: 10_000 }).toBe(5);
    // Long behind the time for a handshake, of which it has made one.
    expect(subscriber.socket.readyState).toBe(subscriber.socket.OPEN);
    subscriber.socket.close();
  });
});

/** As much of a server and of its sockets as handshakes look at. */
class PlainSocket extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string | undefined;
  readonly remotePort = 40_000;

  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

describe('a handshake', () => {
  const begin = (remoteAddress: string | undefined = '10.0.0.7') => {
    const clock = new FakeClock();
    const server = new EventEmitter();
    const handshakes = new Handshakes(clock, 1_000);
    // A server of Node is an emitter of the same events.
    handshakes.watch(server as Server);
    const socket = new PlainSocket(remoteAddress);
    server.emit('connection', socket);
    return { clock, server, handshakes, socket };
  };

  it('has its time as a whole', () => {
    const { clock, handshakes, socket } = begin();
    clock.advance(999);
    expect([socket.destroyed, handshakes.size]).toEqual([false, 1]);
    clock.advance(1);
    expect([socket.destroyed, handshakes.size]).toEqual([true, 0]);
  });

  it('that is through is not looked at any more', () => {
    const { clock, server, handshakes, socket } = begin();
    server.emit('secureConnection', new PlainSocket('10.0.0.7'));
    expect(handshakes.size).toBe(0);
    clock.advance(10_000);
    expect(socket.destroyed).toBe(false);
  });

  it('of a peer that is gone already is not waited for', () => {
    const gone = new PlainSocket(undefined);
    const { server, handshakes } = begin();
    server.emit('connection', gone);
    expect([gone.destroyed, handshakes.size]).toEqual([true, 1]);
  });

  it('that fails, or is under way when the port closes, closes its connection', () => {
    const { server, handshakes, socket } = begin();
    const failed = new PlainSocket('10.0.0.8');
    server.emit('tlsClientError', new Error('no cipher'), failed);
    handshakes.destroyAll();
    expect([failed.destroyed, socket.destroyed, handshakes.size]).toEqual([true, true, 0]);
  });
});
