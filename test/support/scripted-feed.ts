import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { JsonObject } from '../../src/contract/publisher.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { HttpServer } from '../../src/server/http/http-server.ts';

/** A feed that sends exactly what the test says, right or wrong, and keeps what it received. */
export class ScriptedFeed {
  readonly received: JsonObject[] = [];
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #http: HttpServer;
  #current: WebSocket | undefined;
  #lastId = 0;
  url = '';
  connections = 0;

  constructor() {
    this.#http = new HttpServer({
      host: '127.0.0.1',
      port: 0,
      hosts: [],
      origins: [],
      store: new FeedStore({ epoch: 'unused' }),
      feedServer: this,
    });
  }

  async start(): Promise<void> {
    this.url = (await this.#http.start()).url;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.connections += 1;
      this.#current = webSocket;
      webSocket.on('message', (data) => this.received.push(JSON.parse(String(data))));
      this.say('welcome', { client_id: 'c', protocol: 1, position: {} });
    });
  }

  /** What was asked for with this type, in order. */
  asked(type: string): JsonObject[] {
    return this.received.filter((message) => message.type === type);
  }

  /** One message of the server on the newest connection. */
  say(type: string, payload: JsonObject): void {
    this.#current?.send(JSON.stringify({ type, id: String(++this.#lastId), timestamp: Date.now(), payload }));
  }

  /** Answers the newest subscription with these items, in full. */
  sync(items: readonly JsonObject[], more: JsonObject = {}): void {
    const asked = this.asked('subscribe').at(-1);
    const reply_to = String(asked?.id);
    this.say('snapshot', { reply_to, items, removed: [] });
    this.say('synced', { reply_to, mode: 'full', topics: asked?.topics, position: {}, ...more });
  }

  /** Ends the newest connection. */
  close(code: number): void {
    this.#current?.close(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    await this.#http[Symbol.asyncDispose]();
  }
}
