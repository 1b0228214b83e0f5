import { signal } from '@preact/signals';
import type { Client, FeedItem } from '../../../src/client/index.ts';
import type { Silences, TraceEvent, TraceFact, TraceInspector } from '../../../src/inspection/browser.ts';
import { getJson, HttpError } from '../api/http.ts';
import { isNumber, isObject, textOf } from '../api/json.ts';
import { loadDecoder } from './decoder.ts';
import type { Record } from './record.ts';

/** How often the record gets what came. */
const EVERY_MS = 100;
/** What waits while the view is paused, at most. */
const MOST_WAITING = 20_000;

export type LiveState = 'loading' | 'live' | 'refused' | 'gone';

/** Follows the bytes of a device, while the page shows them: the bridge publishes them only then. */
export class LiveSource {
  readonly state = signal<LiveState>('loading');
  readonly problem = signal('');
  readonly paused = signal(false);
  /** Entries that came since the view was paused. */
  readonly waiting = signal(0);
  readonly device: string;
  readonly #client: Client;
  readonly #record: Record;
  #inspector: TraceInspector | undefined;
  #silences: Silences | undefined;
  #startMs = 0;
  #connection = 1;
  #events: TraceEvent[] = [];
  #ends: (() => void)[] = [];
  #over = false;
  #linked: boolean | undefined;

  constructor(device: string, client: Client, record: Record) {
    this.device = device;
    this.#client = client;
    this.#record = record;
  }

  async start(): Promise<void> {
    try {
      const decoder = await loadDecoder();
      const found = await getJson(`/api/devices/${encodeURIComponent(this.device)}/protocol`);
      if (this.#over) return;
      const { meta, declaration } = isObject(found) ? found : {};
      const words = isObject(meta) ? (meta as { readonly [key: string]: string }) : {};
      const messages =
        typeof declaration === 'string'
          ? new decoder.DeclaredProtocol(decoder.readDeclaration(declaration))
          : undefined;
      this.#startMs = Date.now();
      const head = { startMs: this.#startMs, meta: words };
      const inspector = new decoder.TraceInspector(head, messages);
      this.#inspector = inspector;
      if (decoder.needsSilence(head, messages))
        this.#silences = new decoder.Silences(decoder.defaultSilenceMs(words.transport));
      this.#record.clear();
      this.#record.head.value = head;
      this.#record.protocol = inspector.protocol;
      this.#record.fields = (item) =>
        item.kind === 'frame' ? decoder.fieldsOf(item, inspector.protocol) : [];
      await this.#follow();
    } catch (cause) {
      if (this.#over) return;
      this.problem.value = cause instanceof Error ? cause.message : String(cause);
      this.state.value = cause instanceof HttpError && cause.status === 404 ? 'gone' : 'refused';
    }
  }

  async #follow(): Promise<void> {
    const topic = `devices/${this.device}/bytes`;
    const subscription = this.#client.subscribe(topic);
    const timer = setInterval(() => this.#flush(), EVERY_MS);
    this.#ends.push(
      () => clearInterval(timer),
      () => subscription.unsubscribe(),
      this.#client.on('item', (item) => this.#item(topic, item)),
      this.#client.view.onChange((change) => {
        if (change.topic === `devices/${this.device}/state`) this.#noticeLink();
      }),
    );
    this.#noticeLink();
    await subscription.ready;
    this.state.value = 'live';
  }

  /** Another life of the link: no bytes of the former one belong to frames of this one. */
  #noticeLink(): void {
    const state = this.#client.view.document(`devices/${this.device}/state`);
    const link = isObject(state?.link) ? state.link : {};
    const linked = link.status === 'connected';
    if (linked === this.#linked) return;
    const detail = linked ? textOf(link.address) : textOf(link.reason);
    if (this.#linked !== undefined)
      this.#take({ kind: 'life', word: linked ? 'open' : 'close', detail }, Date.now());
    this.#linked = linked;
    if (!linked) this.#connection += 1;
  }

  #item(topic: string, item: FeedItem): void {
    if (item.topic !== topic) return;
    if (item.kind === 'gap') {
      // The bytes on both sides of it do not join.
      const text = 'bytes are missing here: the bridge sent more than this page took';
      this.#take({ kind: 'note', text }, Date.now());
      this.#take({ kind: 'life', word: 'close', detail: 'gap' }, Date.now());
      this.#connection += 1;
      return;
    }
    const { data } = item;
    if (item.kind !== 'event' || !isObject(data) || !isObject(data.bytes)) return;
    const { direction } = data;
    const at = isNumber(data.at) ? data.at : item.at;
    const bytes = Uint8Array.from(atob(textOf(data.bytes.$bytes)), (each) => each.charCodeAt(0));
    this.#take({ kind: direction === 'out' ? 'out' : 'in', bytes }, at);
  }

  #take(fact: TraceFact, atMs: number): void {
    const last = this.#events.at(-1)?.atUs ?? this.#record.events.at(-1)?.atUs ?? 0;
    const atUs = Math.max(last, Math.round((atMs - this.#startMs) * 1_000));
    const event = { atUs, connection: `c${this.#connection}`, fact, line: 0 };
    this.#events.push(...(this.#silences?.take(event) ?? [event]));
    if (this.#events.length > MOST_WAITING) this.#events.splice(0, this.#events.length - MOST_WAITING);
    if (this.paused.peek()) this.waiting.value = this.#events.length;
  }

  #flush(): void {
    if (this.paused.peek() || this.#inspector === undefined) return;
    if (this.#silences !== undefined) {
      const now = Math.round((Date.now() - this.#startMs) * 1_000);
      const probe: TraceEvent = { atUs: now, connection: '-', fact: { kind: 'note', text: '' }, line: 0 };
      this.#events.push(...this.#silences.take(probe).slice(0, -1));
    }
    if (this.#events.length === 0) return;
    const events = this.#events.splice(0);
    const inspector = this.#inspector;
    for (const event of events) this.#record.events.push(event);
    this.#record.add(
      events
        .flatMap((event) => [...inspector.take(event)])
        .filter((each) => each.kind !== 'life' || each.word !== 'idle'),
      true,
    );
    this.waiting.value = 0;
  }

  stop(): void {
    this.#over = true;
    for (const end of this.#ends.splice(0)) end();
  }
}
