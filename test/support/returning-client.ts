import { WebSocket } from 'ws';
import { FeedView } from '../../src/client/view.ts';
import type { Position } from '../../src/feed/wire/position.ts';
import type { ServerMessage } from '../../src/feed/wire/server-messages.ts';

export interface ReturningClientOptions {
  readonly url: string;
  readonly topics: readonly string[];
}

const PAUSE_MS = 20;

/** A subscriber over a real socket that comes back from its position whenever it is cut off, until it is closed. */
export class ReturningClient {
  readonly view = new FeedView();
  readonly breaches: string[] = [];
  /** `seq` of the events taken for new, by topic. */
  readonly events = new Map<string, number[]>();
  readonly gaps: Array<{ topic: string; from: number; to: number }> = [];
  readonly modes: string[] = [];
  readonly codes: number[] = [];
  /** Every position that it was told. */
  readonly positions: Position[] = [];
  /** Messages that reached it, of any type. */
  heard = 0;
  synced = false;
  readonly #options: ReturningClientOptions;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #ids = 0;

  constructor(options: ReturningClientOptions) {
    this.#options = options;
    this.#connect();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Gives up the connection without a word, as one does who hears nothing any more, and makes another. */
  giveUp(): void {
    this.#socket?.terminate();
  }

  documents(): Record<string, unknown> {
    return Object.fromEntries([...this.view.topics()].map((topic) => [topic, this.view.document(topic)]));
  }

  /** What of the events 1 to `last` of a topic was neither heard nor told as missing. */
  unaccounted(topic: string, last: number): number[] {
    const heard = new Set(this.events.get(topic));
    const gaps = this.gaps.filter((each) => each.topic === topic);
    return Array.from({ length: last }, (_, index) => index + 1).filter(
      (seq) => !heard.has(seq) && !gaps.some(({ from, to }) => from <= seq && seq <= to),
    );
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    this.synced = false;
    this.view.connected();
    const socket = new WebSocket(this.#options.url, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('message', (data) => this.#hear(JSON.parse(String(data)) as ServerMessage));
    // An error is followed by `close`, which is what counts here.
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.codes.push(code);
      this.synced = false;
      if (!this.#closed) this.#timer = setTimeout(() => this.#connect(), PAUSE_MS * (1 + Math.random()));
    });
  }

  #send(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #hear(message: ServerMessage): void {
    this.heard += 1;
    const { resync, repeated } = this.view.apply(message);
    if (resync.length > 0) this.breaches.push(`had to ask again for ${resync.join()}`);
    switch (message.type) {
      case 'welcome': {
        const { topics } = this.#options;
        const id = String(++this.#ids);
        this.view.subscribing(id);
        this.#send({ type: 'subscribe', id, topics, since: this.view.since(topics) });
        break;
      }
      case 'synced':
        this.synced = true;
        this.modes.push(message.payload.mode);
        this.positions.push(message.payload.position);
        break;
      case 'position':
        this.positions.push(message.payload.position);
        break;
      case 'event': {
        if (repeated === true) break;
        const { topic, seq } = message.payload;
        const heard = this.events.get(topic) ?? [];
        if ((heard.at(-1) ?? 0) >= seq) this.breaches.push(`event ${topic} ${seq} came twice or late`);
        heard.push(seq);
        this.events.set(topic, heard);
        break;
      }
      case 'gap':
        if (repeated !== true) {
          const { topic, to_seq: to } = message.payload;
          this.gaps.push({ topic, from: this.view.firstMissing(message.payload), to });
        }
        break;
      case 'error':
        this.breaches.push(message.payload.message);
        break;
      default:
        break;
    }
  }
}
