import { FeedView } from '../../src/client/view.ts';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import type { Position } from '../../src/contract/wire/position.ts';
import { type FeedLine, openLine } from './feed-lines.ts';
import type { ModelHistory } from './model-history.ts';
import { ModelKnowledge, type Owed } from './model-knowledge.ts';

export interface ReturningClientOptions {
  /** As `openLine` takes it; its scheme says over which transport. */
  readonly url: string;
  readonly topics: readonly string[];
  /** What happened in each life of the bridge: every position that it is told is held against it. */
  readonly truth?: ReadonlyMap<string, ModelHistory>;
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
  /** Positions that were held against what happened. */
  checked = 0;
  /** Messages that reached it, of any type. */
  heard = 0;
  synced = false;
  readonly #options: ReturningClientOptions;
  #knowledge: ModelKnowledge | undefined;
  #owed: Owed | undefined;
  #line: FeedLine | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #ids = 0;

  constructor(options: ReturningClientOptions) {
    this.#options = options;
    this.#connect();
  }

  pause(): void {
    this.#line?.pause();
  }

  resume(): void {
    this.#line?.resume();
  }

  /** Gives up the connection without a word, as one does who hears nothing any more, and makes another. */
  giveUp(): void {
    this.#line?.terminate();
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
    this.#line?.terminate();
  }

  #connect(): void {
    const { url, topics } = this.#options;
    this.synced = false;
    this.view.connected();
    this.#knowledge?.connected();
    const since = this.view.since(topics);
    this.#line = openLine(url, topics, since && idOf(since), {
      message: (message) => this.#hear(message),
      closed: (code) => {
        this.codes.push(code);
        this.synced = false;
        if (!this.#closed) this.#timer = setTimeout(() => this.#connect(), PAUSE_MS * (1 + Math.random()));
      },
    });
  }

  #subscribe(): void {
    const { topics } = this.#options;
    const speaks = this.#line?.speaks === true;
    const id = speaks ? String(++this.#ids) : undefined;
    this.view.subscribing(id);
    if (speaks) this.#line?.send({ type: 'subscribe', id, topics, since: this.view.since(topics) });
  }

  #hear(message: ServerMessage): void {
    this.heard += 1;
    const { resync, repeated } = this.view.apply(message);
    if (resync.length > 0) this.breaches.push(`had to ask again for ${resync.join()}`);
    switch (message.type) {
      case 'welcome':
        this.#subscribe();
        break;
      case 'snapshot':
        for (const each of [...message.payload.items, ...message.payload.removed])
          this.#know(each.epoch)?.version(each);
        break;
      case 'update':
        this.#know(message.payload.epoch)?.version(message.payload);
        break;
      case 'synced':
        this.synced = true;
        this.modes.push(message.payload.mode);
        this.#goTo(message.payload.position, message.payload.mode === 'full');
        break;
      case 'position':
        this.#goTo(message.payload.position, false);
        break;
      case 'event': {
        this.#know(message.payload.epoch)?.event(message.payload, false, repeated);
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
          const { topic, epoch, to_seq: to } = message.payload;
          this.#know(epoch)?.gap(message.payload);
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

  /** What is known of this life, the present one. */
  #know(epoch: string): ModelKnowledge | undefined {
    const history = this.#options.truth?.get(epoch);
    if (history === undefined) return undefined;
    if (this.#owed?.owedFrom?.epoch !== epoch) {
      const group = { patterns: this.#options.topics };
      this.#owed = { group, owedFrom: { epoch, rev: Number.POSITIVE_INFINITY }, checked: 0 };
      this.#knowledge = new ModelKnowledge({ history, store: { epoch } }, this.view, this.breaches);
    }
    return this.#knowledge;
  }

  /** All that happened up to a position is known; after a full answer, of events only what happens from then on. */
  #goTo(position: Position, full: boolean): void {
    const [[epoch, rev] = ['', 0]] = Object.entries(position);
    const knowledge = this.#know(epoch);
    if (knowledge === undefined || this.#owed === undefined) return;
    if (full) this.#owed = { ...this.#owed, owedFrom: { epoch, rev } };
    knowledge.checkStates(this.#owed.group, rev);
    knowledge.checkEvents(this.#owed, rev);
    this.checked += 1;
  }
}

/** A position as the id of an event of the stream. */
function idOf(position: Position): string {
  return Object.entries(position)
    .map(([epoch, rev]) => `${epoch}:${rev}`)
    .join();
}
