import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { Authenticator } from '../../src/access/authenticator.ts';
import type { AccessConfig, StaticToken } from '../../src/config/access.ts';
import type { Role } from '../../src/contract/role.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import type { FeedLog } from '../../src/feed/hub/subscriber-registry.ts';
import { FeedServer } from '../../src/feed/transports/feed-server.ts';
import { JsonLinesServer } from '../../src/feed/transports/json-lines-server.ts';
import { SseServer } from '../../src/feed/transports/sse-server.ts';
import { HttpServer } from '../../src/server/http/http-server.ts';
import { FakeClock } from './fake-clock.ts';
import { FeedClient } from './feed-world.ts';
import { LinesClient } from './lines-world.ts';

/** A token as it stands in the configuration; the token itself is `secretOf(name)`. */
export function token(
  name: string,
  role: Role,
  topics: readonly string[],
  expiresAtMs?: number,
): StaticToken {
  const hash = createHash('sha256').update(secretOf(name)).digest('hex');
  return { name, hash, role, topics, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) };
}

export const secretOf = (name: string): string => `hw_${name}-${'x'.repeat(40)}`;

/** All three doors of a bridge that asks for tokens. Use with `await using`. */
export class AccessWorld {
  readonly store = new FeedStore({ epoch: 'epoch', notify: 'followed' });
  readonly clock = new FakeClock();
  readonly log: FeedLog[] = [];
  readonly auth: Authenticator;
  readonly feed: FeedServer;
  readonly #http: HttpServer;
  readonly #lines: JsonLinesServer;
  readonly #ends: Array<() => void> = [];
  port = 0;
  linesPort = 0;

  private constructor(access: AccessConfig | undefined) {
    const names = { host: '127.0.0.1', hosts: [], origins: [] };
    const { store, clock } = this;
    this.auth = new Authenticator(access, clock);
    this.feed = new FeedServer({
      ...names,
      store,
      clock,
      auth: this.auth,
      connectBurst: 1e6,
      commands: async () => ({ ok: true, result: { done: true } }),
      onLog: (entry) => void this.log.push(entry),
    });
    this.#http = new HttpServer({
      ...names,
      port: 0,
      store,
      clock,
      feedServer: this.feed,
      eventStreams: new SseServer(this.feed.subscriberRegistry),
      auth: this.auth,
      refused: (address, detail) => void this.log.push({ event: 'refused', address, detail }),
      further: (path) =>
        path === '/metrics' || path === '/readyz'
          ? () => ({ status: 200, headers: {}, body: '' })
          : undefined,
    });
    this.#lines = new JsonLinesServer({
      subscriberRegistry: this.feed.subscriberRegistry,
      host: '127.0.0.1',
      port: 0,
    });
  }

  static async start(access: Partial<AccessConfig> | undefined): Promise<AccessWorld> {
    const world = new AccessWorld(access && { tokens: [], insecure: false, ...access });
    await world.auth.start();
    world.port = (await world.#http.start()).port;
    world.linesPort = Number((await world.#lines.start()).split(':')[1]);
    for (const id of ['p1', 'p2']) world.store.publishState(`devices/${id}/state`, { device: id });
    return world;
  }

  /** A client over a WebSocket that has said nothing yet. */
  socket(path = '/ws', protocols: readonly string[] = [], options: ClientOptions = {}): FeedClient {
    const webSocket = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, [...protocols], options);
    this.#ends.push(() => webSocket.terminate());
    // A refused handshake shows in `closed`, or is listened for by the test.
    webSocket.on('error', () => undefined);
    return new FeedClient(webSocket);
  }

  /** One that has shown its token and was let in. */
  async member(name: string, path = '/ws'): Promise<FeedClient> {
    const client = this.socket(path, [], { headers: { Authorization: `Bearer ${secretOf(name)}` } });
    await client.next('welcome');
    return client;
  }

  /** A client over JSON lines that has asked for its welcome, and nothing else. */
  lines(): LinesClient {
    const client = this.bare();
    client.send('\n');
    return client;
  }

  /** A client over JSON lines that has said nothing yet. */
  bare(): LinesClient {
    const socket = connect({ port: this.linesPort, host: '127.0.0.1' });
    this.#ends.push(() => socket.destroy());
    return new LinesClient(socket);
  }

  /** Everything that was ever logged, as text. */
  get logged(): string {
    return JSON.stringify(this.log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
    await this.feed[Symbol.asyncDispose]();
    await this.#lines[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
  }
}
