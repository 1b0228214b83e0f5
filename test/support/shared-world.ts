import { MemoryBackplane, MemoryServer } from '../../src/backplane/memory-backplane.ts';
import { SharedFeed } from '../../src/backplane/shared-feed.ts';
import { applyPatch, type JsonObject, type Position } from '../../src/contract/wire/index.ts';
import type { Change } from '../../src/feed/core/change.ts';
import type { PastEvent } from '../../src/feed/core/event-log.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { FakeClock } from './fake-clock.ts';

export const LEASE_MS = 6_000;
export const DEVICES = ['a', 'b', 'c', 'd'];
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Everything that waits for nothing but the loop is done. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** One run of one instance, with devices that exist in name only. */
export class TestInstance {
  readonly name: string;
  readonly store: FeedStore;
  readonly shared: SharedFeed;
  alive = true;

  constructor(name: string, run: number, server: MemoryServer, units: readonly string[] = DEVICES) {
    this.name = name;
    // Its first characters tell the ids of events apart.
    const epoch = `${name.slice(0, 3)}${String(run).padStart(3, '0')}-epoch`;
    this.store = new FeedStore({ epoch, notify: 'followed' });
    this.shared = new SharedFeed({
      config: { url: '', instance: name, leaseMs: LEASE_MS, prefix: 'test', entries: server.entries },
      store: this.store,
      clock: server.clock,
      log: LOG,
      backplane: (life) => new MemoryBackplane(server, life),
    });
    void this.shared.start({
      units: () => units,
      begin: () => undefined,
      end: () => undefined,
      challenge: async () => undefined,
      command: async () => ({ ok: true, result: {} }),
    });
    this.store.follow(['#'], 'subscriber');
    for (const unit of units)
      this.shared.gate.publishState(`devices/${unit}/state`, { status: 'unknown', seen_at: epoch });
  }
}

/** Several instances over a server within the process. */
export class SharedWorld {
  readonly clock = new FakeClock();
  readonly server: MemoryServer;
  readonly instances = new Map<string, TestInstance>();
  #runs = 0;

  constructor(entries?: number) {
    this.server = new MemoryServer(this.clock, entries);
  }

  start(name: string, units?: readonly string[]): TestInstance {
    const instance = new TestInstance(name, ++this.#runs, this.server, units);
    this.instances.set(name, instance);
    return instance;
  }

  at(name: string): TestInstance {
    const found = this.instances.get(name);
    if (found === undefined) throw new Error(`no instance ${name}`);
    return found;
  }

  ownerOf(unit: string): TestInstance | undefined {
    return [...this.instances.values()].find(({ shared, alive }) => alive && shared.owns(unit));
  }

  /** A subscriber comes to an instance; time passes until that has what it needs. */
  async join(client: RoamingClient, name: string): Promise<void> {
    const joined = client.join(this.at(name));
    await settle();
    for (let turn = 0; turn < 40 && client.at !== this.at(name); turn++) await this.pass(500);
    await joined;
  }

  /** A subscriber comes to an instance, and leaves before all has come that it missed. */
  async visit(client: RoamingClient, name: string): Promise<void> {
    const visited = client.visit(this.at(name));
    for (let turn = 0; turn < 20; turn++) await this.pass(500);
    await visited;
  }

  /** It ends without a word; its life is over once its lease is. */
  kill(name: string): void {
    const instance = this.at(name);
    instance.alive = false;
    for (const client of [...this.server.clients]) if (client.life === instance.shared.life) client.close();
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.clock.advance(Math.min(500, left));
      await settle();
    }
  }

  /** A second passes, with the positions of it. */
  async second(): Promise<void> {
    await this.pass(1_000);
    for (const { store, alive } of this.instances.values()) if (alive) store.age(this.clock.now());
    await settle();
  }
}

interface Known {
  readonly epoch: string;
  readonly seq: number;
  readonly document: JsonObject | undefined;
}

/** A subscriber to everything, in sync with the instance at which it is, by the rules of the feed. */
export class RoamingClient {
  readonly known = new Map<string, Known>();
  /** Events by their ids, with how often each came. */
  readonly events = new Map<string, number>();
  /** Topics of which events may be missing, as it was said. */
  readonly gaps = new Set<string>();
  /** How often it got everything. */
  full = 0;
  resynced = 0;
  /** Events that came again although a position covered them. */
  twice = 0;
  /** Events that it took for new although it had them. */
  takenTwice = 0;
  /** The last event by epoch and topic. */
  readonly #lastEvents = new Map<string, number>();
  /** Ids up to the last position. */
  #covered = new Set<string>();
  position: Position | undefined;
  #at: TestInstance | undefined;
  #stop: () => void = () => undefined;

  get at(): TestInstance | undefined {
    return this.#at;
  }

  document(topic: string): JsonObject | undefined {
    return this.known.get(topic)?.document;
  }

  /** The position of this second came. */
  positioned(): void {
    if (this.#at === undefined) return;
    this.position = this.#at.store.position();
    this.#covered = new Set(this.events.keys());
  }

  leave(): void {
    this.#stop();
    this.#at = undefined;
  }

  async join(instance: TestInstance): Promise<void> {
    this.leave();
    const since = this.position;
    const { shared } = instance;
    const awaited = shared.wanted(['#'], since);
    if (awaited === undefined) return this.#begin(instance, since, undefined);
    // As the feed does it: in the turn in which all is there.
    await awaited.then((cut) => this.#begin(instance, since, cut));
  }

  /** It gets the documents that it missed, and breaks off before `synced`. */
  async visit(instance: TestInstance): Promise<void> {
    this.leave();
    const { position: since } = this;
    const { store, shared } = instance;
    const cut = await shared.wanted(['#'], since);
    const from = (since === undefined ? undefined : store.recoverable(since)) ?? cut;
    const states = from === undefined ? store.retained(['#']) : store.missed(from, ['#']).states;
    for (const { topic, epoch = store.epoch, seq, document } of states) {
      const known = this.known.get(topic);
      // By the rule of the clients.
      if (known !== undefined && known.epoch !== epoch) this.position = undefined;
      this.#know(topic, epoch, seq, document);
    }
  }

  #begin(
    instance: TestInstance,
    since: Position | undefined,
    cut: Parameters<FeedStore['missed']>[0] | undefined,
  ) {
    const { store } = instance;
    this.#at = instance;
    const from = (since === undefined ? undefined : store.recoverable(since)) ?? cut;
    this.#stop = store.listen((change) => this.#take(change, store));
    if (from === undefined) {
      this.full++;
      this.known.clear();
      this.gaps.add('#');
      for (const each of store.retained(['#']))
        this.#know(each.topic, each.epoch ?? store.epoch, each.seq, each.document);
      this.position = store.position();
      return;
    }
    const { states, events, gaps } = store.missed(from, ['#']);
    for (const each of states) this.#know(each.topic, each.epoch ?? store.epoch, each.seq, each.document);
    for (const { topic } of gaps) this.gaps.add(topic);
    for (const event of events) this.#event(event, store);
    // As `synced` says it.
    this.position = store.position();
  }

  #take(change: Change, store: FeedStore): void {
    const { topic, seq } = change;
    switch (change.kind) {
      case 'state': {
        const { patch } = change;
        const epoch = change.epoch ?? store.epoch;
        const known = this.known.get(topic);
        if (patch === undefined) return this.#know(topic, epoch, seq, change.document);
        if (known?.epoch === epoch && seq <= known.seq) return;
        if (known?.epoch === epoch && known.seq === patch.prev && known.document !== undefined)
          return this.#know(topic, epoch, seq, applyPatch(known.document, patch.body));
        this.resynced++;
        return this.#know(topic, epoch, seq, change.document);
      }
      case 'removal':
        return this.#know(topic, store.epoch, seq, undefined);
      case 'event':
      case 'broadcast':
        return this.#event(change, store);
      case 'loss':
        this.gaps.add(topic);
    }
  }

  #event({ id, topic, seq, origin }: PastEvent, store: FeedStore): void {
    const times = this.events.get(id) ?? 0;
    this.events.set(id, times + 1);
    if (this.#covered.has(id)) this.twice++;
    const counted = origin ?? { epoch: store.epoch, seq };
    const key = `${counted.epoch} ${topic}`;
    if (counted.seq <= (this.#lastEvents.get(key) ?? 0)) return;
    this.#lastEvents.set(key, counted.seq);
    if (times > 0) this.takenTwice++;
  }

  #know(topic: string, epoch: string, seq: number, document: JsonObject | undefined): void {
    const known = this.known.get(topic);
    if (known?.epoch === epoch && seq <= known.seq) return;
    this.known.set(topic, { epoch, seq, document });
  }
}
