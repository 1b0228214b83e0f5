import type { AddressBlock } from '../../src/contract/address-match.ts';
import type { ClientEntry } from '../../src/contract/feed/server-messages.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { DEFAULT_FEED_LIMITS, type LiveLimits } from '../../src/feed/hub/limits.ts';
import type { TransportName } from '../../src/feed/hub/transport.ts';
import { FeedServer, type FeedServerOptions } from '../../src/feed/transports/feed-server.ts';
import { JsonLinesServer } from '../../src/feed/transports/json-lines-server.ts';
import { SseServer } from '../../src/feed/transports/sse-server.ts';
import { HttpServer } from '../../src/server/http/http-server.ts';
import { LiveConfig } from '../../src/system/live-config.ts';
import { testWrites } from './test-writes.ts';

/** What a bridge shows to the web, over a store that the test writes. */
export class BridgeFace {
  readonly store: FeedStore;
  readonly port: number;
  readonly url: string;
  /** Of JSON lines. */
  readonly linesPort: number;
  readonly #feed: FeedServer;
  readonly #http: HttpServer;
  readonly #lines: JsonLinesServer;
  readonly #live: LiveConfig<LiveLimits>;

  private constructor(
    store: FeedStore,
    feed: FeedServer,
    http: HttpServer,
    lines: JsonLinesServer,
    live: LiveConfig<LiveLimits>,
    ports: { readonly port: number; readonly url: string; readonly linesPort: number },
  ) {
    this.store = store;
    this.#feed = feed;
    this.#http = http;
    this.#lines = lines;
    this.#live = live;
    this.port = ports.port;
    this.url = ports.url;
    this.linesPort = ports.linesPort;
  }

  /** Serves on a free port, or on one that was free a moment ago. */
  static async open(
    options: {
      port?: number;
      linesPort?: number;
      store?: FeedStore;
      epoch?: string;
      feed?: Partial<FeedServerOptions>;
      trustedProxies?: readonly AddressBlock[];
    } = {},
  ): Promise<BridgeFace> {
    const store =
      options.store ?? new FeedStore({ epoch: options.epoch ?? 'epoch-of-the-test', notify: 'followed' });
    const { trustedProxies = [] } = options;
    const names = { host: '127.0.0.1', hosts: [], origins: [], trustedProxies };
    const live = new LiveConfig<LiveLimits>({ ...DEFAULT_FEED_LIMITS, ...options.feed });
    const feed = new FeedServer({ ...names, writes: testWrites(), ...options.feed, store, live });
    const eventStreams = new SseServer(feed.subscriberRegistry);
    const { onDefect } = options.feed ?? {};
    const http = new HttpServer({
      ...names,
      port: options.port ?? 0,
      store,
      feedServer: feed,
      eventStreams,
      ...(onDefect === undefined ? {} : { onDefect }),
    });
    const lines = new JsonLinesServer({
      subscriberRegistry: feed.subscriberRegistry,
      host: names.host,
      port: options.linesPort ?? 0,
    });
    const { port, url } = await http.start();
    const linesPort = Number((await lines.start()).split(':')[1]);
    return new BridgeFace(store, feed, http, lines, live, { port, url, linesPort });
  }

  /** How many are connected to the feed. */
  get subscribers(): number {
    return this.#feed.clients().length;
  }

  get clients(): readonly ClientEntry[] {
    return this.#feed.clients();
  }

  /** As after a reload. */
  follow(limits: LiveLimits): void {
    this.#live.set(limits);
  }

  /** Whether a client was asked for a sign of life and has not been heard since. */
  awaits(clientId: string): boolean {
    return this.#feed.subscriberRegistry.transports.some(({ tally }) =>
      [...tally.connections].some((each) => each.clientId === clientId && each.awaited),
    );
  }

  /** Why those ended that came over one kind of transport, and how many of each. */
  endings(name: TransportName): Readonly<Record<string, number>> {
    const transport = this.#feed.subscriberRegistry.transports.find(({ tally }) => tally.name === name);
    return Object.fromEntries(transport?.tally.endings ?? []);
  }

  /** Bytes that wait for all of them together. */
  get heldBytes(): number {
    return this.#feed.heldBytes;
  }

  /** Tells everybody that the bridge stops; HTTP goes on. */
  async stopFeed(): Promise<void> {
    await this.#feed[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feed[Symbol.asyncDispose]();
    await this.#lines[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
  }
}
