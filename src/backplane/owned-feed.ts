import { type Clock, withResolvers } from '../system/index.ts';
import { type Backplane, BackplaneError } from './core/backplane.ts';
import { type Batch, Outbox } from './core/outbox.ts';
import { shardOfTopic, shardOfUnit, unitOfTopic } from './core/shards.ts';
import type { Leases } from './leases.ts';
import type { SharedStore, StoreChange } from './shared-store.ts';

/** What other instances get of this one. */
const PUBLISHED = [
  'devices/+/state',
  'devices/+/stats',
  'devices/+/alarms',
  'devices/+/messages',
  'buses/+/state',
  'buses/+/stats',
  'declarations/+',
];
/** A batch that the server refuses goes again after so long, in ms. */
const AGAIN_MS = 500;

export interface OwnedFeedOptions {
  readonly backplane: Backplane;
  readonly store: SharedStore;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly life: string;
  readonly instance: string;
  /** What comes from another instance is being put into the store. */
  foreign(): boolean;
  /** The server did not take a batch. */
  refused(error: BackplaneError): void;
}

/** Publishes what this instance owns to the others: one batch at a time, so that all of it comes in its order. */
export class OwnedFeed {
  readonly #options: OwnedFeedOptions;
  readonly #outbox: Outbox;
  readonly #own: string;
  #stopListening: () => void = () => undefined;
  #ready = false;
  #sending = false;
  #closed = false;
  #idle: (() => void) | undefined;
  /** The units of the batch on its way. */
  #sent: ReadonlyMap<string, unknown> | undefined;
  published = 0;
  fenced = 0;
  /** Up to this `rev` of the feed everything stands in the log. */
  said = 0;

  constructor(options: OwnedFeedOptions) {
    this.#options = options;
    this.#own = `bridge/${options.instance}/`;
    this.#outbox = new Outbox(options.life, (unit, topic) =>
      unit === '' ? shardOfTopic(topic) : shardOfUnit(unit),
    );
  }

  get waiting(): number {
    return this.#outbox.size;
  }

  waits(unit: string): boolean {
    return this.#outbox.has(unit) || this.#sent?.has(unit) === true;
  }

  get lostEvents(): number {
    return this.#outbox.lost;
  }

  start(): void {
    const { store } = this.#options;
    store.follow([...PUBLISHED, `${this.#own}#`, 'clients']);
    this.#stopListening = store.listen((change) => {
      if (!this.#options.foreign()) this.#changed(change);
    });
  }

  /** The server is there, and knows this life. */
  up(): void {
    this.#ready = true;
    this.#soon();
  }

  down(): void {
    this.#ready = false;
  }

  /** The server may have lost what it had: all that is owned is published again. */
  republish(shards: ReadonlySet<number>): void {
    this.#outbox.forgetPublished();
    for (const { topic, seq, document } of this.#options.store.retained(['#'])) {
      if (document === undefined || !shards.has(shardOfTopic(topic)) || !this.#isOwn(topic)) continue;
      this.#outbox.add(unitOfTopic(topic), { kind: 'state', topic, seq, document });
    }
    this.#soon();
  }

  /** A unit belongs to this instance from now on: its documents bear this life from here. */
  adopt(topics: readonly string[]): void {
    for (const topic of topics) {
      this.#options.store.adopt(topic);
      const { seq, document } = this.#options.store.version(topic);
      if (document !== undefined)
        this.#outbox.add(unitOfTopic(topic), { kind: 'state', topic, seq, document });
    }
    this.#soon();
  }

  drop(unit: string): void {
    this.#outbox.lose(this.#outbox.drop(unit));
    this.#soon();
  }

  /** Resolves once nothing waits that could be sent. */
  async flushed(): Promise<void> {
    if (!this.#ready || (this.#outbox.empty && !this.#sending)) return;
    const { promise, resolve } = withResolvers<void>();
    this.#idle = resolve;
    this.#soon();
    await promise;
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#idle?.();
  }

  #changed(change: StoreChange): void {
    if (!this.#isOwn(change.topic)) return;
    this.#outbox.add(unitOfTopic(change.topic), change);
    this.#soon();
  }

  #isOwn(topic: string): boolean {
    const unit = unitOfTopic(topic);
    if (unit !== '') return this.#options.leases.owns(unit);
    if (topic.startsWith('bridge/')) return topic.startsWith(this.#own);
    return true;
  }

  /** At the end of this turn, so that all of it goes together. */
  #soon(): void {
    if (!this.#ready || this.#sending || this.#closed || this.#outbox.empty) return;
    this.#sending = true;
    setImmediate(() => void this.#send());
  }

  async #send(): Promise<void> {
    const { backplane, leases, clock } = this.#options;
    while (this.#ready && !this.#closed && !this.#outbox.empty) {
      const batch = this.#outbox.take((unit) => leases.token(unit), this.#options.store.rev);
      if (batch.parts.length === 0) break;
      this.#sent = batch.changes;
      try {
        const published = await backplane.publish(batch.parts);
        this.#outbox.done(batch);
        this.said = batch.upTo ?? this.said;
        this.#count(batch, published);
      } catch (cause) {
        this.#outbox.failed(batch);
        // Another life has them by now.
        for (const unit of batch.changes.keys()) if (unit !== '' && !leases.owns(unit)) this.drop(unit);
        if (!(cause instanceof BackplaneError)) throw cause;
        if (!cause.refused) break;
        this.#options.refused(cause);
        await new Promise<void>((resolve) => clock.setTimer(clock.now().monoMs + AGAIN_MS, resolve));
      } finally {
        this.#sent = undefined;
      }
    }
    this.#sending = false;
    this.#idle?.();
    this.#idle = undefined;
  }

  #count({ parts, changes }: Batch, published: readonly boolean[]): void {
    const fenced = new Set<string>();
    for (const [at, { unit }] of parts.entries()) {
      if (published[at] === true) this.published++;
      else fenced.add(unit);
    }
    this.fenced += fenced.size;
    fenced.delete('');
    if (fenced.size === 0) return;
    for (const unit of fenced) this.#outbox.lose(changes.get(unit) ?? []);
    // Another life has them, or the server lost who does.
    this.#options.leases.ask([...fenced]).then(
      () => this.adoptUnits([...fenced].filter((unit) => this.#options.leases.owns(unit))),
      () => undefined,
    );
  }

  /** All documents of these units go again. */
  adoptUnits(units: readonly string[]): void {
    for (const unit of units) this.adopt(topicsOfUnit(unit));
  }
}

/** The documents of a unit. */
export function topicsOfUnit(unit: string): readonly string[] {
  const root = unit.startsWith('bus ') ? `buses/${unit.slice(4)}` : `devices/${unit}`;
  return [`${root}/state`, `${root}/stats`];
}

/** What happens to a device. */
export function eventTopicsOfUnit(unit: string): readonly string[] {
  return unit.startsWith('bus ') ? [] : [`devices/${unit}/messages`, `devices/${unit}/alarms`];
}
