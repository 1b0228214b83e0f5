import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { HeartwireError } from '../../src/errors.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { FeedServer } from '../../src/feed/transports/feed-server.ts';
import { JsonLinesServer } from '../../src/feed/transports/json-lines-server.ts';
import { SseServer } from '../../src/feed/transports/sse-server.ts';
import { HttpServer } from '../../src/server/http/http-server.ts';
import { TlsSource } from '../../src/system/tls.ts';
import { makeCertificate, type TestCertificate } from './certificates.ts';
import { FakeClock } from './fake-clock.ts';
import { FeedClient } from './feed-world.ts';

const PATIENT = { headersMs: 60_000, requestMs: 60_000, lookMs: 60_000, idleMs: 60_000 };

/** Everything that a bridge serves, over TLS with one pair. Use with `await using`. */
export class TlsWorld {
  readonly folder: string;
  readonly first: TestCertificate;
  readonly files: { readonly cert: string; readonly key: string };
  readonly store = new FeedStore({ epoch: 'epoch', notify: 'followed' });
  /** Of the source of the pair only, and late enough for certificates made by the test; the feed keeps the system's time. */
  readonly clock = new FakeClock(1_000, Date.now() + 60_000);
  readonly failed: string[] = [];
  renewed = 0;
  readonly feed: FeedServer;
  readonly #http: HttpServer;
  readonly #lines: JsonLinesServer;
  readonly #source: TlsSource;
  #port = 0;
  #linesPort = 0;
  url = '';
  linesAddress = '';

  private constructor(handshakeMs?: number) {
    this.folder = mkdtempSync(join(tmpdir(), 'heartwire-tls-'));
    this.first = makeCertificate(this.folder, 'served');
    this.files = { cert: this.first.cert, key: this.first.key };
    this.#source = new TlsSource({
      files: this.files,
      clock: this.clock,
      failed: (error: HeartwireError) => void this.failed.push(error.code),
      renewed: () => {
        this.renewed += 1;
      },
    });
    const names = { host: '127.0.0.1', hosts: [], origins: [] };
    this.feed = new FeedServer({ ...names, store: this.store });
    const { subscriberRegistry } = this.feed;
    const tls = this.#source;
    this.#http = new HttpServer({
      ...names,
      port: 0,
      store: this.store,
      feedServer: this.feed,
      eventStreams: new SseServer(subscriberRegistry),
      tls,
      ...(handshakeMs === undefined ? {} : { patience: { ...PATIENT, handshakeMs } }),
    });
    const limit = handshakeMs === undefined ? {} : { handshakeMs };
    this.#lines = new JsonLinesServer({ subscriberRegistry, host: '127.0.0.1', port: 0, tls, ...limit });
  }

  /** `handshakeMs`: how long a handshake may take; everything else then has a minute. */
  static async start(handshakeMs?: number): Promise<TlsWorld> {
    const world = new TlsWorld(handshakeMs);
    const { url, port } = await world.#http.start();
    world.url = url;
    world.#port = port;
    world.linesAddress = await world.#lines.start();
    world.#linesPort = Number(world.linesAddress.split(':').at(-1));
    return world;
  }

  get linesPort(): number {
    return this.#linesPort;
  }

  get port(): number {
    return this.#port;
  }

  /** A client that believes in the first certificate, and has had its welcome. */
  async client(path = '/ws'): Promise<FeedClient> {
    const ca = readFileSync(this.first.cert);
    const client = new FeedClient(new WebSocket(`wss://127.0.0.1:${this.#port}${path}`, { ca }));
    await client.next('welcome');
    return client;
  }

  /** A TLS connection to the port of page and API, or to that of JSON lines. */
  async connect(to: 'http' | 'lines'): Promise<TLSSocket> {
    const port = to === 'http' ? this.#port : this.#linesPort;
    // Whose certificate it is, is what the tests are about.
    const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      allowHalfOpen: true,
    };
    const socket = connect(options);
    socket.on('error', () => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Which certificate a newcomer is shown. */
  async shown(to: 'http' | 'lines' = 'http'): Promise<string> {
    const socket = await this.connect(to);
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const ca = readFileSync(this.first.cert);
    const outgoing = request({ host: '127.0.0.1', port: this.#port, path, ca, agent: false }).end();
    // What an event carries is typed as unknown.
    const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.feed[Symbol.asyncDispose](), this.#lines[Symbol.asyncDispose]()]);
    await this.#http[Symbol.asyncDispose]();
    this.#source[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
  }
}
