import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import type { ServerMessage, ServerMessageType } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { FeedServer, type FeedServerOptions } from '../../src/feed/transports/feed-server.ts';
import { FakeClock } from './fake-clock.ts';
import { checkServerMessage } from './feed-contract.ts';
import { FeedView } from './feed-view.ts';
import { testWrites } from './test-writes.ts';

/** A feed on 127.0.0.1 with clients of any manners. Use with `await using`. */
export class FeedWorld {
  readonly store = new FeedStore({ epoch: 'epoch', notify: 'followed' });
  readonly clock = new FakeClock();
  readonly feed: FeedServer;
  readonly #http: Server = createServer();
  readonly #sockets: Socket[] = [];

  private constructor(options: Partial<FeedServerOptions>) {
    this.feed = new FeedServer({
      store: this.store,
      clock: this.clock,
      host: '127.0.0.1',
      hosts: [],
      origins: [],
      writes: testWrites(),
      ...options,
    });
    this.#http.on('upgrade', (request, socket, head) => this.feed.handleUpgrade(request, socket, head));
  }

  static async start(options: Partial<FeedServerOptions> = {}): Promise<FeedWorld> {
    const world = new FeedWorld(options);
    world.#http.listen(0, '127.0.0.1');
    await once(world.#http, 'listening');
    return world;
  }

  get port(): number {
    // A listening TCP server has an address with a port.
    return (this.#http.address() as AddressInfo).port;
  }

  url(path = '/ws'): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  /** A well-behaved client that has had its welcome. */
  async client(path?: string, options?: ClientOptions): Promise<FeedClient> {
    const client = new FeedClient(new WebSocket(this.url(path), options));
    await client.next('welcome');
    return client;
  }

  /** A socket after the handshake, paused: it reads nothing, and answers nothing. */
  async raw(): Promise<RawClient> {
    const socket = connect({ port: this.port, host: '127.0.0.1' });
    this.#sockets.push(socket);
    socket.on('error', () => socket.destroy());
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    let head = '';
    while (!head.includes('"welcome"')) head += String((await once(socket, 'data'))[0]);
    socket.pause();
    return new RawClient(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.feed[Symbol.asyncDispose]();
    this.#http.close();
  }
}

/** Writes bytes as it likes. */
export class RawClient {
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** One masked frame (the mask is zero); `head` is FIN and opcode. */
  frame(head: number, payload: Uint8Array): void {
    const length =
      payload.length < 126
        ? Buffer.from([0x80 | payload.length])
        : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
    this.socket.write(Buffer.concat([Buffer.from([head]), length, Buffer.alloc(4), payload]));
  }

  send(message: JsonObject): void {
    this.frame(0x81, Buffer.from(JSON.stringify(message)));
  }
}

/** A client that keeps all messages, and follows the client's rule. */
export class FeedClient {
  readonly socket: WebSocket;
  readonly view = new FeedView();
  readonly messages: ServerMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiting = new Set<() => void>();
  #taken = 0;
  #ended: number | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      checkServerMessage(message);
      this.messages.push(message);
      this.view.receive(message);
      for (const wake of this.#waiting) wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#ended = code;
        for (const wake of this.#waiting) wake();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  get types(): readonly string[] {
    return this.messages.map(({ type }) => type);
  }

  send(message: JsonObject | string): void {
    if (typeof message !== 'string' && message.type === 'subscribe' && Array.isArray(message.topics)) {
      this.view.subscribing(String(message.id), message.topics.map(String));
    }
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message of this type that no call has returned yet; earlier ones of other types are passed over. */
  async next<Type extends ServerMessageType>(type: Type): Promise<Extract<ServerMessage, { type: Type }>> {
    for (;;) {
      while (this.#taken < this.messages.length) {
        const message = this.messages[this.#taken++];
        if (message !== undefined && isOfType(message, type)) return message;
      }
      if (this.#ended !== undefined) throw new Error(`closed with ${this.#ended} before "${type}"`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  async subscribe(id: string, ...topics: string[]): Promise<void> {
    this.send({ type: 'subscribe', id, topics });
    await this.next('synced');
  }
}

function isOfType<Type extends ServerMessageType>(
  message: ServerMessage,
  type: Type,
): message is Extract<ServerMessage, { type: Type }> {
  return message.type === type;
}
