import { FeedView } from '../../src/client/view.ts';
import type { Audience } from '../../src/feed/audience.ts';
import type { Change } from '../../src/feed/change.ts';
import type { FeedSession } from '../../src/feed/session.ts';
import { SessionMemory } from '../../src/feed/session-memory.ts';
import type { SessionLine } from '../../src/feed/session-surroundings.ts';
import { FeedStore } from '../../src/feed/store.ts';
import type { Outlet, Subscriber } from '../../src/feed/subscriber.ts';
import type { ServerMessage } from '../../src/feed/wire/server-messages.ts';
import { matchesTopic } from '../../src/feed/wire/topic.ts';
import { ModelPass, modelAudience, modelSession } from './model-session.ts';

/** What a client asks for, the same on every connection. */
export interface ModelTerms {
  readonly patterns: readonly string[];
  readonly ack?: boolean;
  readonly maxHz?: number;
}

/** A feed without sockets whose time, passes and connections are the test's to move. */
export class FeedModel {
  store = new FeedStore({ epoch: 'life-0', tell: 'followed' });
  audience: Audience;
  #pass: ModelPass;
  monoMs = 0;
  readonly clients: readonly ModelClient[];
  readonly changes: Array<Change & { readonly epoch: string }> = [];
  #lives = 0;

  constructor(terms: readonly ModelTerms[]) {
    this.audience = this.#open();
    this.#pass = new ModelPass(this.audience);
    this.clients = terms.map((each) => new ModelClient(this, each));
  }

  get now(): { monoMs: number; wallMs: number } {
    return { monoMs: this.monoMs, wallMs: this.monoMs };
  }

  /** The bridge starts anew: another epoch, nothing retained, nobody connected. */
  restart(): void {
    for (const client of this.clients) {
      client.disconnect();
      client.forgetSession();
    }
    this.store = new FeedStore({ epoch: `life-${++this.#lives}`, tell: 'followed' });
    this.audience = this.#open();
    this.#pass = new ModelPass(this.audience);
  }

  flush(most: number): void {
    this.#pass.flush(most, this.now);
  }

  /** Time passes; what falls due is looked after once. */
  advance(ms: number): void {
    this.monoMs += ms;
    this.store.age(this.now);
    this.audience.wakePaced(this.now);
    for (const client of this.clients) client.remind();
  }

  /** Everybody is connected and reads until there is nothing more to say. */
  settle(): void {
    for (const client of this.clients) client.connect();
    for (let round = 0; round < 2_000; round++) {
      if (round % 50 === 0) for (let tick = 0; tick < 20; tick++) this.audience.tellPositions();
      this.advance(100);
      this.flush(1_000);
      for (const client of this.clients) {
        client.drain();
        client.acknowledge();
      }
      if (round > 120 && !this.audience.pending && this.clients.every(({ idle }) => idle)) return;
    }
    throw new Error('the feed does not come to rest');
  }

  #open(): Audience {
    const { store } = this;
    store.listen((change) => this.changes.push({ ...change, epoch: store.epoch }));
    return modelAudience(store, () => this.now);
  }
}

/** One client that comes, stalls, is cut off and comes back, and keeps its view all the while. */
export class ModelClient {
  readonly terms: ModelTerms;
  readonly view = new FeedView();
  readonly breaches: string[] = [];
  /** Events taken for new, as `epoch topic seq`. */
  readonly applied = new Set<string>();
  readonly missing: Array<{ epoch: string; topic: string; from: number; to: number }> = [];
  /** Events after this `rev` of this epoch are owed. */
  owedFrom: { epoch: string; rev: number } | undefined;
  mostUnsent = 0;
  readonly #model: FeedModel;
  #open: Outlet | undefined;
  #subscriber: Subscriber | undefined;
  #session: FeedSession<SessionLine> | undefined;
  #memory: SessionMemory | undefined;
  #held = '';
  #toAcknowledge: string[] = [];
  #lastSeqs = new Map<string, number>();
  #ids = 0;

  constructor(model: FeedModel, terms: ModelTerms) {
    this.#model = model;
    this.terms = terms;
  }

  get idle(): boolean {
    return this.#held === '' && this.#toAcknowledge.length === 0;
  }

  /** One connection; what is written to it after it is cut goes nowhere. */
  #outlet(): Outlet {
    const held = (): string => this.#held;
    const outlet: Outlet = {
      get unsent() {
        return held().length;
      },
      write: (bytes) => {
        if (this.#open !== outlet) return;
        this.#held += new TextDecoder().decode(bytes);
        this.mostUnsent = Math.max(this.mostUnsent, this.#held.length);
      },
    };
    this.#open = outlet;
    return outlet;
  }

  connect(): void {
    if (this.#session !== undefined) return;
    const { audience, store, now } = this.#model;
    const { patterns, ack, maxHz } = this.terms;
    const subscriber = audience.admit(this.#outlet());
    this.#subscriber = subscriber;
    const parked = this.#memory;
    this.#session = modelSession(
      audience,
      subscriber,
      new SessionMemory(`secret-${++this.#ids}`, 'c'),
      now,
      parked,
    );
    if (parked !== undefined) this.#say({ type: 'resume', session: parked.secret });
    this.#memory = this.#session.memory;
    this.view.connected();
    this.#lastSeqs.clear();
    const since = this.view.since(patterns);
    const id = `s${++this.#ids}`;
    this.view.subscribing(id);
    // Who comes with a position of another life gets no past events.
    if (since === undefined || !Object.hasOwn(since, store.epoch)) {
      this.owedFrom = { epoch: store.epoch, rev: store.rev };
    }
    this.#say({ type: 'subscribe', id, topics: patterns, since, ack, max_hz: maxHz });
    this.#subscriber.remind(now);
  }

  /** What is under way is lost. */
  disconnect(): void {
    if (this.#subscriber !== undefined) this.#model.audience.dismiss(this.#subscriber);
    this.#session = this.#subscriber = this.#open = undefined;
    this.#held = '';
    this.#toAcknowledge = [];
  }

  /** The session is forgotten by the bridge, or by the client. */
  forgetSession(): void {
    if (this.#session === undefined) this.#memory = undefined;
  }

  remind(): void {
    this.#subscriber?.remind(this.#model.now);
  }

  drain(): void {
    const lines = this.#held.split('\n');
    this.#held = '';
    for (const line of lines) if (line !== '') this.#hear(JSON.parse(line) as ServerMessage);
    if (this.#subscriber?.full === true) this.#model.audience.wake(this.#subscriber);
  }

  acknowledge(): void {
    if (this.#toAcknowledge.length === 0) return;
    this.#say({ type: 'ack', ids: this.#toAcknowledge.splice(0, 200) });
  }

  hears(topic: string): boolean {
    return this.terms.patterns.some((pattern) => matchesTopic(pattern, topic));
  }

  knowsOf(epoch: string, topic: string, seq: number): boolean {
    return (
      this.applied.has(`${epoch} ${topic} ${seq}`) ||
      this.missing.some(
        (each) => each.epoch === epoch && each.topic === topic && each.from <= seq && seq <= each.to,
      )
    );
  }

  #say(message: object): void {
    this.#session?.receive(JSON.stringify(message), this.#model.now);
  }

  #hear(message: ServerMessage): void {
    const { resync, repeated } = this.view.apply(message);
    if (resync.length > 0) this.breaches.push(`had to ask again for ${resync.join()}`);
    if (message.type === 'error') this.breaches.push(`error ${message.payload.message}`);
    if (message.ack_required === true) this.#toAcknowledge.push(message.id);
    if (message.type === 'gap' && repeated !== true) {
      const { epoch, topic, to_seq: to } = message.payload;
      this.missing.push({ epoch, topic, from: this.view.firstMissing(message.payload), to });
    }
    if (message.type !== 'event') return;
    const { epoch, topic, seq } = message.payload;
    if (message.ack_required !== true) {
      if (seq <= (this.#lastSeqs.get(topic) ?? 0))
        this.breaches.push(`${topic} ${seq} twice on a connection`);
      this.#lastSeqs.set(topic, seq);
    }
    if (repeated === true) return;
    const key = `${epoch} ${topic} ${seq}`;
    if (this.applied.has(key)) this.breaches.push(`${key} applied twice`);
    this.applied.add(key);
  }
}
