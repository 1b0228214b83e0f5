import { FeedView } from '../../src/client/view.ts';
import type { ServerMessage, SnapshotItem, Version } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import type { Position } from '../../src/contract/wire/position.ts';
import type { FeedSession } from '../../src/feed/core/session.ts';
import type { SessionConnection } from '../../src/feed/core/session-context.ts';
import { SessionMemory } from '../../src/feed/core/session-memory.ts';
import { BROADCAST_TOPIC } from '../../src/feed/core/store.ts';
import type { Sink, Subscriber } from '../../src/feed/core/subscriber.ts';
import type { FeedModel } from './feed-model.ts';
import { ModelCommands } from './model-commands.ts';
import { covers, type ModelGroup, ModelKnowledge } from './model-knowledge.ts';
import { modelSession } from './model-session.ts';

/** What a client follows; no pattern stands in two groups. */
export interface ModelTerms {
  readonly groups: readonly ModelGroup[];
  readonly ack?: boolean;
  /** The network takes at once whatever is written to it. */
  readonly swift?: boolean;
  /** It keeps nothing of what it unsubscribes; others keep it, and the position up to which it is true. */
  readonly drops?: boolean;
}

type Synced = Extract<ServerMessage, { type: 'synced' }>['payload'];

/** A group on its way: asked for, known, given up but not yet confirmed. */
interface TopicInterest {
  readonly group: ModelGroup;
  wanted: boolean;
  phase: 'none' | 'asked' | 'leaving';
  /** On this connection. */
  synced: boolean;
  /** Id of the last `subscribe`. */
  id: string;
  /** Of that one. */
  since: Position | undefined;
  /** Present when it was asked for, and not told of since. */
  awaited: Set<string>;
  /** Up to here it was followed, and from here its events are told. */
  from: Position | undefined;
  /** The `rev` at which it was asked for. */
  askedAt: number;
  /** Events after this `rev` are told on this connection. */
  startedAt: number;
  /** Events after this `rev` of this life are owed; those before `checked` were looked at. */
  owedFrom: { readonly epoch: string; readonly rev: number } | undefined;
  checked: number;
}

/** One client that comes, stalls, is cut off and comes back, follows more and less, and keeps its view all the while. */
export class ModelClient {
  readonly view = new FeedView();
  readonly breaches: string[] = [];
  readonly commands = new ModelCommands();
  readonly followed: readonly TopicInterest[];
  mostUnsent = 0;
  readonly #terms: ModelTerms;
  readonly #model: FeedModel;
  readonly #knowledge: ModelKnowledge;
  #open: Sink | undefined;
  #subscriber: Subscriber | undefined;
  #session: FeedSession<SessionConnection> | undefined;
  #memory: SessionMemory | undefined;
  #held = '';
  #toAcknowledge: string[] = [];
  #ids = 0;
  /** As a position since the last `synced`. */
  #toldRev = 0;
  /** All is asked for at once, before anything is told. */
  #connecting = false;

  constructor(model: FeedModel, terms: ModelTerms) {
    this.#model = model;
    this.#terms = terms;
    this.#knowledge = new ModelKnowledge(model, this.view, this.breaches);
    this.followed = terms.groups.map((group) => ({
      group,
      wanted: group.later !== true,
      phase: 'none',
      synced: false,
      id: '',
      since: undefined,
      awaited: new Set(),
      from: undefined,
      askedAt: 0,
      startedAt: 0,
      owedFrom: undefined,
      checked: 0,
    }));
  }

  get idle(): boolean {
    return this.#held === '' && this.#toAcknowledge.length === 0;
  }

  connect(): void {
    if (this.#session !== undefined) return;
    const { audience, now } = this.#model;
    const subscriber = audience.admit(this.#sink());
    audience.join(subscriber, now);
    this.#subscriber = subscriber;
    const parked = this.#memory;
    const memory = new SessionMemory(`secret-${++this.#ids}`, 'c', 't');
    this.#session = modelSession(audience, subscriber, memory, now, parked, (command, done) =>
      this.#model.asked(command, done),
    );
    this.view.connected();
    this.#knowledge.connected();
    if (parked !== undefined) {
      this.#say({ type: 'resume', session: parked.secret });
      this.commands.mayBeToldAgain();
    }
    this.#memory = this.#session.memory;
    this.#connecting = true;
    for (const followed of this.followed) if (followed.wanted) this.#ask(followed);
    this.#connecting = false;
    for (const message of this.commands.askAgain(false)) this.#say(message);
    this.#subscriber.remind(now);
  }

  /** What is under way is lost. */
  disconnect(): void {
    if (this.#subscriber !== undefined) this.#model.audience.detach(this.#subscriber);
    if (this.#memory?.listener === this.#session && this.#memory !== undefined)
      this.#memory.listener = undefined;
    this.#session = this.#subscriber = this.#open = undefined;
    this.#held = '';
    this.#toAcknowledge = [];
    for (const followed of this.followed) {
      followed.phase = 'none';
      followed.synced = false;
    }
  }

  /** The session is forgotten by the bridge, or by the client. */
  forgetSession(): void {
    if (this.#session !== undefined) return;
    this.#memory = undefined;
    this.commands.forget();
  }

  subscribe(index: number): void {
    const followed = this.followed[index];
    if (followed === undefined) return;
    followed.wanted = true;
    if (followed.phase === 'none') this.#ask(followed);
  }

  unsubscribe(index: number): void {
    const followed = this.followed[index];
    if (followed === undefined) return;
    followed.wanted = false;
    if (this.#session === undefined || followed.phase !== 'asked') return;
    followed.phase = 'leaving';
    this.#say({ type: 'unsubscribe', topics: followed.group.patterns });
  }

  resync(topic: string): void {
    const known = this.followed.some(({ phase, group }) => phase === 'asked' && covers(group, topic));
    if (known) this.#say({ type: 'resync', topics: [topic] });
  }

  command(n: number, ack: boolean): void {
    if (this.#session !== undefined && this.commands.mayAsk) this.#say(this.commands.ask(n, ack));
  }

  /** Asks for every outcome that it does not know. */
  askAgain(): void {
    for (const message of this.commands.askAgain(true)) this.#say(message);
  }

  /** What the roster does once a second. */
  remind(): void {
    this.#subscriber?.remind(this.#model.now);
    this.#session?.remind(this.#model.now);
  }

  drain(): void {
    const lines = this.#held.split('\n');
    this.#held = '';
    for (const line of lines) if (line !== '') this.#hear(JSON.parse(line) as ServerMessage);
    if (this.#subscriber?.full === true) this.#model.audience.wake(this.#subscriber);
  }

  acknowledge(): void {
    if (this.#toAcknowledge.length === 0 || this.#session === undefined) return;
    const ids = this.#toAcknowledge.splice(0, 200);
    this.#say({ type: 'ack', ids });
    this.commands.acknowledged(ids);
  }

  hears(topic: string): boolean {
    return this.followed.some(({ wanted, group }) => wanted && covers(group, topic));
  }

  /** Everything that is known to be wrong once nothing is left to be said. */
  wrongs(): readonly string[] {
    const unsaid = this.followed.filter(({ wanted, synced }) => wanted && !synced);
    for (const followed of this.followed)
      if (followed.wanted) this.#knowledge.checkEvents(followed, Number.POSITIVE_INFINITY);
    const unacknowledged = this.#memory?.unacknowledged ?? 0;
    if (unacknowledged > 0) this.breaches.push(`${unacknowledged} acknowledgements were not heard`);
    return [
      ...this.breaches,
      ...this.commands.breaches,
      ...this.commands.owed.map((id) => `the outcome of ${id} never came`),
      ...unsaid.map(({ group }) => `${group.patterns.join()} was never synced`),
    ];
  }

  /** One connection; what is written to it after it is cut goes nowhere. */
  #sink(): Sink {
    const held = (): number => (this.#terms.swift === true ? 0 : this.#held.length);
    const sink: Sink = {
      get unsent() {
        return held();
      },
      write: (bytes) => {
        if (this.#open !== sink) return 0;
        const text = new TextDecoder().decode(bytes);
        this.#held += text;
        this.mostUnsent = Math.max(this.mostUnsent, held());
        this.commands.written(text);
        return held();
      },
    };
    this.#open = sink;
    return sink;
  }

  #ask(followed: TopicInterest): void {
    // What still comes of something that is given up would be taken for a part of what is asked for.
    if (this.#session === undefined || this.followed.some(({ phase }) => phase === 'leaving')) return;
    const { store, history } = this.#model;
    const { patterns, maxHz } = followed.group;
    if (!this.#mayGoOn(followed)) followed.from = undefined;
    const since = followed.from;
    followed.askedAt = store.rev;
    followed.startedAt = since?.[store.epoch] ?? store.rev;
    const id = `s${++this.#ids}`;
    followed.phase = 'asked';
    followed.id = id;
    followed.since = since;
    followed.awaited = new Set();
    // Who comes with a position of another life gets no past events.
    if (since === undefined || !Object.hasOwn(since, store.epoch)) {
      followed.owedFrom = { epoch: store.epoch, rev: store.rev };
      followed.checked = history.events.length;
      followed.awaited = new Set([...store.retained(patterns)].map(({ topic }) => topic));
    }
    this.view.subscribing(id);
    this.#say({
      type: 'subscribe',
      id,
      topics: patterns,
      ...(since === undefined ? {} : { since }),
      ...(this.#terms.ack === undefined ? {} : { ack: this.#terms.ack }),
      ...(maxHz === undefined ? {} : { max_hz: maxHz }),
    });
  }

  /** What others have begun later to follow here is told from there on, and never out of order. */
  #mayGoOn(followed: TopicInterest): boolean {
    const { store, history } = this.#model;
    const rev = followed.from?.[store.epoch];
    const later = this.followed.filter(
      ({ phase, startedAt }) => phase !== 'none' && !this.#connecting && startedAt > (rev ?? startedAt),
    );
    return ![...history.eventTopics].some(
      (topic) => covers(followed.group, topic) && later.some(({ group }) => covers(group, topic)),
    );
  }

  #say(message: JsonObject): void {
    this.#session?.receive(JSON.stringify(message), this.#model.now);
  }

  #hear(message: ServerMessage): void {
    const { resync, repeated } = this.view.apply(message);
    if (resync.length > 0) this.breaches.push(`had to ask again for ${resync.join()}`);
    if (message.ack_required === true) this.#toAcknowledge.push(message.id);
    switch (message.type) {
      case 'snapshot':
        this.#snapshot(message.payload);
        break;
      case 'update':
        this.#update(message.payload);
        break;
      case 'synced':
        this.#synced(message.payload);
        break;
      case 'position':
        this.#goOnTo(message.payload.position);
        break;
      case 'event':
      case 'broadcast':
        // What was not acknowledged comes again, whatever is asked for.
        if (message.ack_required !== true) this.#following(message.payload.topic);
        this.#knowledge.event(message.payload, message.ack_required === true, repeated);
        break;
      case 'gap':
        if (!repeated) this.#knowledge.gap(message.payload);
        break;
      case 'response':
        this.commands.heard(message);
        this.#left(message.payload.result.unsubscribed);
        break;
      case 'error':
        this.breaches.push(`error ${message.payload.message}`);
        break;
      default:
        break;
    }
  }

  #snapshot(payload: {
    readonly reply_to?: string;
    readonly items: readonly SnapshotItem[];
    readonly removed: readonly Version[];
  }): void {
    const { epoch } = this.#model.store;
    const followed = this.followed.find(({ id }) => id === payload.reply_to);
    for (const { topic, epoch: of, seq, rev } of [...payload.items, ...payload.removed]) {
      this.#knowledge.version({ topic, epoch: of, seq });
      followed?.awaited.delete(topic);
      if (rev <= (followed?.since?.[epoch] ?? -1)) this.breaches.push(`${topic} ${seq} had not changed`);
    }
  }

  #update({ topic, epoch, seq }: Version): void {
    this.#knowledge.version({ topic, epoch, seq });
    const mine = this.#following(topic);
    if (mine.length > 0 && mine.every(({ synced, awaited }) => !synced && awaited.has(topic)))
      this.breaches.push(`${topic} ${seq} came before its item`);
  }

  /** The groups that cover a topic here; something of what none of them covers is not to come. */
  #following(topic: string): readonly TopicInterest[] {
    const mine = this.followed.filter(({ phase, group }) => phase !== 'none' && covers(group, topic));
    if (mine.length === 0 && topic !== BROADCAST_TOPIC) this.breaches.push(`${topic} came unasked`);
    return mine;
  }

  #synced({ reply_to: id, mode, topics, position }: Synced): void {
    const followed = this.followed.find((each) => each.id === id);
    // Of what was given up meanwhile nothing more is said.
    if (followed?.group.patterns.every((each) => topics.includes(each))) {
      if (followed.phase !== 'none') followed.synced = true;
      if (mode === 'since') this.#checkRecovered(followed);
    }
    // Who asks for more from an earlier position has come less far with all of it.
    this.#toldRev = 0;
    this.#goTo(position);
  }

  /** What happened while it was away came before the end of the answer; what is to be acknowledged may take its time. */
  #checkRecovered(followed: TopicInterest): void {
    const alone = (topic: string): boolean =>
      this.followed.every((each) => each === followed || each.phase === 'none' || !covers(each.group, topic));
    if (this.#terms.ack !== true) this.#knowledge.checkEvents({ ...followed }, followed.askedAt, alone);
  }

  #goOnTo(position: Position): void {
    const rev = position[this.#model.store.epoch] ?? -1;
    const awaits = this.followed.some(({ phase, synced }) => phase !== 'none' && !synced);
    if (!awaits && rev < this.#toldRev) this.breaches.push(`position goes back to ${rev}`);
    this.#toldRev = rev;
    this.#goTo(position);
  }

  /** Everything up to a position, of what is synced, is known here. */
  #goTo(position: Position): void {
    const { epoch } = this.#model.store;
    const rev = position[epoch] ?? -1;
    for (const followed of this.followed) {
      if (!followed.synced) continue;
      followed.from = position;
      this.#knowledge.checkStates(followed.group, rev);
      this.#knowledge.checkEvents(followed, rev);
    }
  }

  /** From here on nothing of these patterns comes. */
  #left(patterns: unknown): void {
    if (!Array.isArray(patterns)) return;
    const followed = this.followed.find(({ group }) => group.patterns.join() === patterns.join());
    if (followed === undefined) return;
    followed.phase = 'none';
    followed.synced = false;
    // Who asks for them again from an earlier position is told them again.
    this.#knowledge.mayBeToldAgain((topic) => covers(followed.group, topic));
    if (this.#terms.drops === true) {
      followed.from = undefined;
      const kept = this.followed.filter(({ phase }) => phase !== 'none');
      this.view.keepOnly(new Set(kept.flatMap(({ group }) => group.patterns)));
    }
    for (const each of this.followed) if (each.wanted && each.phase === 'none') this.#ask(each);
  }
}
