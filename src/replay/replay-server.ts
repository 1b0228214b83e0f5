import { FeedServer, type FeedStore } from '../feed/index.ts';
import { HttpServer } from '../server/index.ts';
import { type Log, systemClock } from '../system/index.ts';

export interface ReplayServerOptions {
  readonly store: FeedStore;
  /** 0 takes any free one. */
  readonly port: number;
  readonly log: Log;
  readonly version: string;
}

const HOST = '127.0.0.1';

/** Serves a replay as a bridge serves its devices; nothing can be sent to what is long past. */
export class ReplayServer {
  readonly #store: FeedStore;
  readonly #version: string;
  readonly #feed: FeedServer;
  readonly #http: HttpServer;

  constructor({ store, port, log, version }: ReplayServerOptions) {
    const common = { store, clock: systemClock, host: HOST, hosts: [], origins: [] };
    this.#store = store;
    this.#version = version;
    this.#feed = new FeedServer({
      ...common,
      commands: async ({ device }) => ({
        ok: false,
        code: 'device_not_online',
        message: `${device} is replayed from a trace; nothing was sent.`,
        retry: false,
      }),
    });
    this.#http = new HttpServer({
      ...common,
      port,
      feedServer: this.#feed,
      health: () => ({ version, devices: {} }),
      failed: (error) => log.error({ code: error.code }, error.message),
    });
  }

  /** @throws HeartwireError `address_in_use`, `listen_failed` */
  async start(): Promise<{ readonly url: string; readonly port: number }> {
    const addresses = await this.#http.start();
    const { wallMs } = systemClock.now();
    this.#store.publishState('bridge/status', { version: this.#version, started_at: wallMs, replay: true });
    return addresses;
  }

  wantsBytes(topic: string): boolean {
    return this.#feed.hasAudience(topic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feed[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
  }
}
