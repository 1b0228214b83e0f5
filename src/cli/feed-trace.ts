import type { FeedItem } from '../client/index.ts';
import { isJsonObject, type JsonObject } from '../contract/wire/index.ts';
import { readDeclaration } from '../inspection/index.ts';
import type { TraceSource } from '../links/index.ts';
import { DeclaredProtocol } from '../protocol/index.ts';
import { decisiveSilenceMs } from '../recording/index.ts';
import { Silences, type TraceFact, type TraceHead } from '../trace/index.ts';
import { openFeed } from './bridge-connection.ts';
import { bridgeApi } from './bridge-http.ts';
import { bridgeKeys, openPayloads } from './bridge-keys.ts';
import { type BridgeArgs, bridgeToken, bridgeUrl } from './bridge-options.ts';
import type { CliIo } from './command.ts';
import { EventQueue } from './event-queue.ts';

/** What the network may add to a silence of the line, in ms: a frame that is on its way is not to be cut. */
const NETWORK_MS = 1_000;

export interface FeedTraceOptions extends BridgeArgs {
  readonly device: string;
  readonly 'key-file': readonly string[] | undefined;
  /** How its bytes are read; as the bridge reads them where it is left out. */
  readonly messages: DeclaredProtocol | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** A device of a running bridge, as a trace that goes on. */
export interface FeedTrace extends Disposable {
  readonly source: TraceSource;
  readonly messages: DeclaredProtocol | undefined;
}

/**
 * Follows what goes over the link of a device: each chunk as the bridge read or wrote it, at a time in whole milliseconds.
 * A link that ends, a feed that is lost and bytes that are missing each begin another connection, so that no frame is made
 * of bytes that do not join.
 *
 * @throws HeartwireError `bridge_unreachable`, `bridge_refused`, `device_unknown`, `bad_argument`
 */
export async function feedTrace(options: FeedTraceOptions, io: CliIo): Promise<FeedTrace> {
  const { device, origin, signal } = options;
  const api = await bridgeApi(options, io);
  const { meta, declaration } = await api.get(`/api/devices/${encodeURIComponent(device)}/protocol`);
  const messages =
    options.messages ??
    (typeof declaration === 'string' ? new DeclaredProtocol(readDeclaration(declaration)) : undefined);
  const head: TraceHead = { startMs: Date.now(), meta: isJsonObject(meta) ? wordsOf(meta) : {} };
  const note = (text: string): void => io.err(`heartwire: ${text}\n`);
  const feed = openFeed({
    url: bridgeUrl(options.url, io),
    origin,
    token: await bridgeToken(options['token-file'], io),
    decode: openPayloads(await bridgeKeys(options['key-file'], io), note),
    retry: false,
    io,
    note,
  });
  const chunks = new LinkEvents(head, decisiveSilenceMs(head, messages, device));
  const { client } = feed;
  const [bytesTopic, stateTopic] = [`devices/${device}/bytes`, `devices/${device}/state`];
  client.on('item', (item) => {
    if (item.topic === bytesTopic) chunks.item(item);
  });
  client.view.onChange(({ topic }) => {
    if (topic === stateTopic) chunks.state(client.view.document(stateTopic));
  });
  client.on('status', ({ state }) => {
    if (state !== 'connected') chunks.lost();
  });
  client.subscribe([stateTopic, bytesTopic]);
  const stop = (): void => feed.end();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  feed.ended.then(
    () => chunks.queue.end(),
    (error: unknown) => chunks.queue.end(error),
  );
  return {
    source: { name: device, head, events: chunks.queue },
    messages,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', stop);
      chunks.close();
      feed[Symbol.dispose]();
    },
  };
}

const wordsOf = (meta: JsonObject): Record<string, string> =>
  Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, String(value)]));

/** Makes events of a trace from what a feed says of a device. */
class LinkEvents {
  readonly queue = new EventQueue();
  readonly #startMs: number;
  readonly #silences: Silences | undefined;
  readonly #quietMs: number;
  #quiet: NodeJS.Timeout | undefined;
  #connection = 1;
  #lastUs = Number.NEGATIVE_INFINITY;
  /** When the last bytes went over the link, by the clock of the bridge. */
  #bytesAtMs = Number.NEGATIVE_INFINITY;
  #linked = false;
  #since: unknown;
  #followed = false;

  constructor({ startMs }: TraceHead, silenceMs: number | undefined) {
    this.#startMs = startMs;
    this.#silences = silenceMs === undefined ? undefined : new Silences(silenceMs);
    this.#quietMs = (silenceMs ?? 0) + NETWORK_MS;
  }

  item(item: FeedItem): void {
    if (item.kind === 'gap') return this.#missing(`the bridge left them out (${item.reason})`);
    if (item.kind !== 'event') return;
    const { at, direction, bytes } = item.data;
    if (!isJsonObject(bytes) || typeof bytes.$bytes !== 'string')
      return this.#missing('they are encrypted, and no key fits');
    const dropped = this.queue.dropped();
    if (dropped > 0) this.#missing(`the reader took too few: ${dropped} bytes`);
    this.#bytesAtMs = typeof at === 'number' ? at : item.at;
    const kind = direction === 'out' ? 'out' : 'in';
    this.#take({ kind, bytes: new Uint8Array(Buffer.from(bytes.$bytes, 'base64')) }, this.#bytesAtMs);
  }

  /** Another life of the link: no bytes of the former one belong to frames of this one. */
  state(document: JsonObject | undefined): void {
    const link = isJsonObject(document?.link) ? document.link : {};
    const linked = link.status === 'connected';
    if (linked === this.#linked && (!linked || link.since === this.#since)) return;
    const sinceMs = typeof link.since === 'number' ? link.since : Date.now();
    // A state may come behind bytes that are newer than it: those are of the new link already.
    if (this.#linked && this.#bytesAtMs <= sinceMs)
      this.#end('close', linked ? 'another link' : wordOf(link.reason), sinceMs);
    if (linked) this.#take({ kind: 'life', word: 'open', detail: wordOf(link.address) }, sinceMs);
    this.#linked = linked;
    this.#since = link.since;
    this.#followed = true;
  }

  /** The bridge is away, and what goes over the link meanwhile is not seen. */
  lost(): void {
    if (!this.#followed) return;
    this.#followed = this.#linked = false;
    this.#missing('the connection to the bridge was lost');
  }

  close(): void {
    clearTimeout(this.#quiet);
    this.queue.end();
  }

  #missing(why: string): void {
    const atMs = Math.max(this.#bytesAtMs, this.#startMs);
    this.#take({ kind: 'note', text: `bytes are missing here: ${why}` }, atMs);
    this.#end('error', 'missing', atMs);
  }

  #end(word: 'close' | 'error', detail: string, atMs: number): void {
    this.#take({ kind: 'life', word, detail }, atMs);
    this.#connection += 1;
  }

  #take(fact: TraceFact, atMs: number): void {
    this.#lastUs = Math.max(this.#lastUs, Math.round((atMs - this.#startMs) * 1_000));
    const event = { atUs: this.#lastUs, connection: `c${this.#connection}`, fact, line: 0 };
    if (this.#silences === undefined) return this.queue.push([event]);
    this.queue.push(this.#silences.take(event));
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.queue.push(this.#silences?.finish() ?? []), this.#quietMs);
  }
}

const wordOf = (value: unknown): string => (typeof value === 'string' ? value : '');
