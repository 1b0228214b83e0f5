import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ServerMessage, ServerMessageType } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import {
  type FeedLog,
  SubscriberRegistry,
  type SubscriberRegistryOptions,
} from '../../src/feed/hub/subscriber-registry.ts';
import { JsonLinesServer } from '../../src/feed/transports/json-lines-server.ts';
import { FakeClock } from './fake-clock.ts';
import { checkServerMessage } from './feed-contract.ts';
import { FeedView } from './feed-view.ts';

/** A feed as JSON lines on 127.0.0.1. Use with `await using`. */
export class LinesWorld {
  readonly store = new FeedStore({ epoch: 'epoch', notify: 'followed' });
  readonly clock = new FakeClock();
  readonly log: FeedLog[] = [];
  readonly subscriberRegistry: SubscriberRegistry;
  readonly server: JsonLinesServer;
  readonly #sockets: Socket[] = [];
  #port = 0;

  private constructor(options: Partial<SubscriberRegistryOptions>) {
    const onLog = (entry: FeedLog) => void this.log.push(entry);
    this.subscriberRegistry = new SubscriberRegistry({
      store: this.store,
      clock: this.clock,
      onLog,
      ...options,
    });
    this.server = new JsonLinesServer({
      subscriberRegistry: this.subscriberRegistry,
      host: '127.0.0.1',
      port: 0,
    });
  }

  static async start(options: Partial<SubscriberRegistryOptions> = {}): Promise<LinesWorld> {
    const world = new LinesWorld(options);
    world.#port = Number((await world.server.start()).split(':')[1]);
    return world;
  }

  get port(): number {
    return this.#port;
  }

  /** A client that has had its welcome, for its first, empty line. */
  async client(): Promise<LinesClient> {
    const client = this.stranger();
    client.send('\n');
    await client.next('welcome');
    return client;
  }

  /** A client of whom nothing is known yet; it may say what it likes. */
  stranger(): LinesClient {
    const socket = connect({ port: this.#port, host: '127.0.0.1' });
    this.#sockets.push(socket);
    return new LinesClient(socket);
  }

  /** The sockets of the clients are closed first: the clock stands still, so nobody waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.subscriberRegistry[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** One program that speaks JSON lines, and follows the client's rule. */
export class LinesClient {
  readonly socket: Socket;
  readonly view = new FeedView();
  readonly messages: ServerMessage[] = [];
  readonly closed: Promise<void>;
  #taken = 0;
  #rest = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#read(text));
    // A reset is one of the ways in which the server may end it.
    socket.on('error', () => socket.destroy());
    this.closed = once(socket, 'close').then(() => undefined);
  }

  send(...texts: readonly (JsonObject | string)[]): void {
    for (const text of texts)
      this.socket.write(typeof text === 'string' ? text : `${JSON.stringify(text)}\n`);
  }

  /** The next message of this type that no call has returned yet; earlier ones of other types are passed over. */
  async next<Type extends ServerMessageType>(type: Type): Promise<Extract<ServerMessage, { type: Type }>> {
    for (;;) {
      while (this.#taken < this.messages.length) {
        const message = this.messages[this.#taken++];
        if (message !== undefined && isOfType(message, type)) return message;
      }
      if (this.socket.closed) throw new Error(`closed before "${type}"`);
      await Promise.race([once(this.socket, 'data'), this.closed]);
    }
  }

  /** As its welcome told it; empty before. */
  get clientId(): string {
    const welcome = this.messages.find((each) => isOfType(each, 'welcome'));
    return welcome?.payload.client_id ?? '';
  }

  async subscribe(id: string, ...topics: string[]): Promise<void> {
    this.view.subscribing(id, topics);
    this.send({ type: 'subscribe', id, topics });
    await this.next('synced');
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = JSON.parse(line) as ServerMessage;
      checkServerMessage(message);
      this.messages.push(message);
      this.view.receive(message);
    }
  }
}

function isOfType<Type extends ServerMessageType>(
  message: ServerMessage,
  type: Type,
): message is Extract<ServerMessage, { type: Type }> {
  return message.type === type;
}
