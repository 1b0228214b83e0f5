import type { SocketConstructor, SocketLike } from '../../src/client/index.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { matchesTopic } from '../../src/contract/wire/topic.ts';
import type { FakeClock } from './fake-clock.ts';

interface Kept {
  readonly seq: number;
  readonly rev: number;
  /** Absent: removed. */
  readonly state?: JsonObject;
}

interface Happened {
  readonly topic: string;
  readonly seq: number;
  readonly rev: number;
  readonly data: JsonObject;
}

const LATENCY_MS = 5;
const PING_MS = 20_000;

/** The least bridge that keeps the contract of docs/reference/feed.md, over sockets of memory and a clock that is told to go. */
export class ModelBridge {
  readonly clock: FakeClock;
  readonly documents = new Map<string, Kept>();
  readonly sockets = new Set<ModelSocket>();
  /** How often each command was carried out, by its field `n`. */
  readonly executed = new Map<number, number>();
  sessions = new Map<string, Map<string, JsonObject>>();
  epoch = 'e1';
  rev = 0;
  /** It takes no connection at all. */
  down = false;
  /** It does nothing, and its connections stay. */
  frozen = false;
  /** When anybody heard anything of it last. */
  lastHeardAtMs = 0;
  /** Sockets that were ever made. */
  connections = 0;
  #events: Happened[] = [];
  #lives = 1;
  #names = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  get WebSocket(): SocketConstructor {
    const bridge = this;
    return class extends ModelSocket {
      constructor() {
        super(bridge);
      }
    };
  }

  /** The present documents. */
  get present(): Record<string, JsonObject> {
    const all: Record<string, JsonObject> = {};
    for (const [topic, { state }] of this.documents) if (state !== undefined) all[topic] = state;
    return all;
  }

  publish(topic: string, state: JsonObject | undefined): void {
    const known = this.documents.get(topic);
    if (state === undefined && known?.state === undefined) return;
    const seq = (known?.seq ?? 0) + 1;
    this.rev += 1;
    const version = { topic, epoch: this.epoch, rev: this.rev, seq };
    this.documents.set(topic, { seq, rev: this.rev, ...(state === undefined ? {} : { state }) });
    const said =
      state === undefined
        ? { removed: true }
        : known?.state === undefined
          ? { full: true, state }
          : {
              prev: known.seq,
              patch: { ...Object.fromEntries(Object.keys(known.state).map((key) => [key, null])), ...state },
            };
    for (const socket of this.sockets) if (socket.hears(topic)) socket.say('update', { ...version, ...said });
  }

  happen(topic: string, data: JsonObject): void {
    this.rev += 1;
    const seq = this.#events.filter((each) => each.topic === topic).length + 1;
    const event = { topic, seq, rev: this.rev, data };
    this.#events.push(event);
    for (const socket of this.sockets) if (socket.hears(topic)) this.#sayEvent(socket, event);
  }

  /** Tells everybody how far they are. */
  tellPositions(): void {
    for (const socket of this.sockets)
      if (socket.topics.length > 0) socket.say('position', { position: { [this.epoch]: this.rev } });
  }

  /** A new life: nothing is remembered but the devices, which begin to count anew. */
  restart(): void {
    this.cut();
    this.#lives += 1;
    this.epoch = `e${this.#lives}`;
    this.rev = 0;
    this.#events = [];
    this.sessions = new Map();
    for (const [topic, { state }] of [...this.documents]) {
      this.documents.delete(topic);
      if (state !== undefined) this.publish(topic, state);
    }
  }

  /** Every connection breaks. */
  cut(code = 1006): void {
    for (const socket of [...this.sockets]) socket.end(code);
  }

  drain(retryAfterMs: number): void {
    for (const socket of [...this.sockets]) {
      socket.say('closing', {
        code: 4000,
        reason: 'draining',
        reconnect: true,
        retry_after_ms: retryAfterMs,
      });
      socket.end(4000);
    }
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    for (const socket of this.sockets) socket.catchUp();
  }

  newName(): string {
    this.#names += 1;
    return `s${this.#names}`;
  }

  /** One message of a client. */
  receive(socket: ModelSocket, message: JsonObject): void {
    const reply_to = String(message.id);
    const topics = Array.isArray(message.topics) ? message.topics.map(String) : [];
    switch (message.type) {
      case 'resume': {
        const session = String(message.session);
        if (this.sessions.has(session)) {
          socket.session = session;
          socket.say('response', { reply_to, result: { client_id: 'c', unacknowledged: 0 } });
        } else socket.say('error', { reply_to, code: 'session_unknown', message: 'Gone.', retry: false });
        return;
      }
      case 'subscribe':
        this.#subscribe(socket, reply_to, topics, message.since);
        return;
      case 'unsubscribe':
        socket.topics = socket.topics.filter((each) => !topics.includes(each));
        socket.say('response', { reply_to, result: { unsubscribed: topics } });
        return;
      case 'resync':
        for (const topic of topics) {
          const { state, seq = 0, rev = 0 } = this.documents.get(topic) ?? {};
          const said = state === undefined ? { removed: true } : { full: true, state };
          socket.say('update', { topic, epoch: this.epoch, rev, seq, ...said });
        }
        return;
      case 'command': {
        const results = this.sessions.get(socket.session);
        const n = Number((message.fields as JsonObject).n);
        if (results?.has(reply_to) !== true) this.executed.set(n, (this.executed.get(n) ?? 0) + 1);
        results?.set(reply_to, { n });
        socket.say('response', { reply_to, result: { error: 0, fields: { n } } });
        return;
      }
      case 'ping':
        socket.say('pong', { reply_to });
    }
  }

  #subscribe(
    socket: ModelSocket,
    reply_to: string,
    topics: readonly string[],
    since: JsonObject[string],
  ): void {
    const from = (since as Readonly<Record<string, number>> | undefined)?.[this.epoch];
    const known = socket.topics;
    const covers = (topic: string): boolean => topics.some((each) => matchesTopic(each, topic));
    const news = (topic: string): boolean =>
      covers(topic) && !known.some((each) => matchesTopic(each, topic));
    const due = [...this.documents].filter(([topic, { rev }]) => covers(topic) && rev > (from ?? 0));
    const version = ([topic, { rev, seq }]: [string, Kept]) => ({ topic, epoch: this.epoch, rev, seq });
    const items = due.flatMap((each) =>
      each[1].state === undefined ? [] : [{ ...version(each), state: each[1].state }],
    );
    const removed = from === undefined ? [] : due.filter(([, { state }]) => state === undefined).map(version);
    socket.say('snapshot', { reply_to, items, removed });
    if (from !== undefined)
      for (const event of this.#events)
        if (event.rev > from && news(event.topic)) this.#sayEvent(socket, event);
    socket.topics = [...new Set([...known, ...topics])];
    const mode = from === undefined ? 'full' : 'since';
    socket.say('synced', { reply_to, mode, topics, position: { [this.epoch]: this.rev } });
  }

  #sayEvent(socket: ModelSocket, { topic, seq, rev, data }: Happened): void {
    socket.say('event', { topic, epoch: this.epoch, rev, seq, data });
  }
}

type Listeners = Record<string, Array<(event: never) => void>>;

/** One connection to it, which delivers a little later, in order. */
export class ModelSocket implements SocketLike {
  readonly #bridge: ModelBridge;
  readonly #listeners: Listeners = {};
  topics: string[] = [];
  session = '';
  /** Neither side hears anything any more, and neither is told. */
  dead = false;
  #closed = false;
  #held: string[] = [];

  constructor(bridge: ModelBridge) {
    this.#bridge = bridge;
    bridge.connections += 1;
    bridge.sockets.add(this);
    this.#later(() => {
      if (bridge.down) return this.end(1006);
      this.session = bridge.newName();
      bridge.sessions.set(this.session, new Map());
      this.say('welcome', {
        client_id: 'c',
        session: this.session,
        protocol: 1,
        position: {},
        auth: 'none',
        ping_interval_ms: PING_MS,
        ping_timeout_ms: 30_000,
        limits: { messages_per_second: 100, message_burst: 200 },
      });
      this.#ping();
    });
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners[type] = [...(this.#listeners[type] ?? []), listener];
  }

  hears(topic: string): boolean {
    return this.topics.some((pattern) => matchesTopic(pattern, topic));
  }

  /** The client's word. */
  send(text: string): void {
    if (this.#closed) return;
    this.#later(() => {
      if (this.#bridge.frozen) this.#held.push(text);
      else this.#bridge.receive(this, JSON.parse(text));
    });
  }

  /** The bridge's word. */
  say(type: string, payload: JsonObject): void {
    const data = JSON.stringify({ type, id: 'm', timestamp: 0, payload });
    this.#later(() => {
      this.#bridge.lastHeardAtMs = this.#bridge.clock.now().monoMs;
      this.#emit('message', { data });
    });
  }

  /** What was sent while the bridge was frozen is read now. */
  catchUp(): void {
    const held = this.#held;
    this.#held = [];
    if (!this.dead) for (const text of held) this.#bridge.receive(this, JSON.parse(text));
  }

  /** The client hangs up. */
  close(): void {
    this.#closed = true;
    this.#bridge.sockets.delete(this);
  }

  /** The connection ends, and the client hears of it. */
  end(code: number): void {
    this.#bridge.sockets.delete(this);
    this.#later(() => {
      this.#closed = true;
      this.#emit('close', { code, reason: '' });
    });
  }

  #ping(): void {
    this.#bridge.clock.setTimer(this.#bridge.clock.now().monoMs + PING_MS, () => {
      if (this.#closed || !this.#bridge.sockets.has(this)) return;
      if (!this.#bridge.frozen && this.topics.length > 0) this.say('ping', { server_time: 0 });
      this.#ping();
    });
  }

  #later(act: () => void): void {
    const { clock } = this.#bridge;
    clock.setTimer(clock.now().monoMs + LATENCY_MS, () => {
      if (!this.dead && !this.#closed) act();
    });
  }

  #emit(type: string, event: object): void {
    // Each listener was added for the event of its type.
    for (const listener of this.#listeners[type] ?? []) listener(event as never);
  }
}
