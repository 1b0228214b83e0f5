import type { AddressBlock } from '../../src/device/address-match.ts';
import { FeedStore } from '../../src/feed/store.ts';
import { SseServer } from '../../src/runtime/feed/sse-server.ts';
import { FeedServer, type FeedServerOptions } from '../../src/runtime/feed-server.ts';
import { HttpServer } from '../../src/runtime/http-server.ts';

/** What a bridge shows to the web, over a store that the test writes. */
export class BridgeFace {
  readonly store: FeedStore;
  readonly port: number;
  readonly url: string;
  readonly #feed: FeedServer;
  readonly #http: HttpServer;

  private constructor(store: FeedStore, feed: FeedServer, http: HttpServer, port: number, url: string) {
    this.store = store;
    this.#feed = feed;
    this.#http = http;
    this.port = port;
    this.url = url;
  }

  /** Serves on a free port, or on one that was free a moment ago. */
  static async open(
    options: {
      port?: number;
      store?: FeedStore;
      epoch?: string;
      feed?: Partial<FeedServerOptions>;
      trustedProxies?: readonly AddressBlock[];
    } = {},
  ): Promise<BridgeFace> {
    const store =
      options.store ?? new FeedStore({ epoch: options.epoch ?? 'epoch-of-the-test', tell: 'followed' });
    const { trustedProxies = [] } = options;
    const names = { host: '127.0.0.1', hosts: [], origins: [], trustedProxies };
    const feed = new FeedServer({ ...names, ...options.feed, store });
    const eventStreams = new SseServer(feed.roster);
    const http = new HttpServer({ ...names, port: options.port ?? 0, store, feedServer: feed, eventStreams });
    const { port, url } = await http.start();
    return new BridgeFace(store, feed, http, port, url);
  }

  /** How many are connected to the feed. */
  get subscribers(): number {
    return this.#feed.clients().length;
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
    await this.#http[Symbol.asyncDispose]();
  }
}
