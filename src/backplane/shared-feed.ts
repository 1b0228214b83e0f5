import type { BackplaneConfig } from '../config/index.ts';
import type {
  CommandOutcome,
  FeedClient,
  FeedCommand,
  Ownership,
  Publisher,
  RecoveryCut,
  RemoteClaim,
} from '../contract/index.ts';
import type { JsonObject, Position } from '../contract/wire/index.ts';
import type { ErrorCode } from '../errors.ts';
import { type Clock, type Log, type Timer, tellDefect } from '../system/index.ts';
import { Calls } from './calls.ts';
import { type Backplane, BackplaneError, type ShardState } from './core/backplane.ts';
import { SHARDS, unitOfTopic } from './core/shards.ts';
import { ForeignFeed } from './foreign-feed.ts';
import { Leases } from './leases.ts';
import { eventTopicsOfUnit, OwnedFeed, topicsOfUnit } from './owned-feed.ts';
import { OwnershipGate } from './ownership-gate.ts';
import { instanceOf, Peers } from './peers.ts';
import { SharedPositions } from './positions.ts';
import { type LocalDevices, RemoteDevices } from './remote-devices.ts';
import type { SharedStore } from './shared-store.ts';

export interface SharedFeedOptions {
  readonly config: BackplaneConfig;
  readonly store: SharedStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Made for a life of this instance. */
  backplane(life: string): Backplane;
}

/** What is counted since the start. */
export interface SharedFeedCounts {
  /** The server answers, and knows this instance. */
  readonly up: boolean;
  readonly owned: number;
  readonly foreign: number;
  readonly shards: number;
  readonly instances: number;
  readonly published: number;
  readonly read: number;
  readonly snapshots: number;
  readonly fenced: number;
  readonly lostEvents: number;
  readonly waiting: number;
  readonly calls: number;
  readonly reconnects: number;
}

type Status = 'starting' | 'ready' | 'backoff' | 'refused' | 'superseded';

/**
 * This instance among the others: it renews its life, owns devices by leases, publishes what it owns, reads what
 * subscribers here want of the rest, and answers calls.
 *
 *     starting ──renewed──▶ ready ──no answer──▶ backoff ──renewed──▶ ready
 *                             └──another process has its name──▶ superseded
 */
export class SharedFeed implements Ownership {
  readonly instance: string;
  readonly life: string;
  readonly gate: OwnershipGate;
  readonly calls: Calls;
  readonly peers: Peers;
  readonly #options: SharedFeedOptions;
  readonly #backplane: Backplane;
  readonly #leases: Leases;
  readonly #owned: OwnedFeed;
  readonly #foreign: ForeignFeed;
  readonly #remote: RemoteDevices;
  readonly #positions: SharedPositions;
  readonly #known: Array<ShardState | undefined> = Array.from({ length: SHARDS });
  #devices: LocalDevices | undefined;
  #lives: ReadonlySet<string> = new Set();
  #status: Status = 'starting';
  #since: number;
  #detail: string | undefined;
  #begun = false;
  #connected = false;
  #renewing: Promise<void> | undefined;
  #renewedAt: number;
  #answeredAt: number;
  #timer: Timer | undefined;
  #closed = false;
  #reconnects = 0;
  /** Who wants to know of a change of the status. */
  changed: () => void = () => undefined;

  constructor(options: SharedFeedOptions) {
    const { config, store, clock, log } = options;
    this.#options = options;
    this.instance = config.instance;
    // The epoch of its feed is another one in each run, and counts its documents at all instances.
    this.life = `${config.instance}/${store.epoch}`;
    this.#backplane = options.backplane(this.life);
    const { life } = this;
    const { monoMs, wallMs } = clock.now();
    this.#since = Math.round(wallMs);
    this.#renewedAt = monoMs;
    this.#answeredAt = monoMs;
    this.#leases = new Leases({
      backplane: this.#backplane,
      units: () => this.#devices?.units() ?? [],
      waits: (unit) => this.#owned.waits(unit),
      inherited: (unit) => this.#inherited(unit),
      gained: (unit) => this.#gained(unit),
      lost: (unit) => this.#lost(unit),
    });
    this.gate = new OwnershipGate(store, (unit) => this.#leases.owns(unit));
    this.calls = new Calls(this.#backplane, life, clock, (cause) => void tellDefect(log, {}, cause));
    this.peers = new Peers(this.calls, life);
    this.#owned = new OwnedFeed({
      backplane: this.#backplane,
      store,
      leases: this.#leases,
      clock,
      life,
      instance: this.instance,
      foreign: () => this.#foreign.applying,
      refused: (error) => this.#is('refused', error.message),
    });
    this.#foreign = new ForeignFeed({
      backplane: this.#backplane,
      store,
      clock,
      life,
      leaseMs: config.leaseMs,
      owns: (topic) => this.#ownsTopic(topic),
      said: () => this.#owned.said,
      letters: (letters) => {
        for (const { text } of letters) this.calls.received(text);
      },
      answered: () => {
        this.#answeredAt = clock.now().monoMs;
      },
      unknownLife: () => this.#connected && void this.#renew(),
      wake: () => void this.#backplane.call(life, 'wake', Number.MAX_SAFE_INTEGER).catch(() => false),
      defect: (cause) => void tellDefect(log, {}, cause),
    });
    this.#positions = new SharedPositions({
      backplane: this.#backplane,
      store,
      foreign: this.#foreign,
      clock,
      ready: () => this.ready,
    });
    this.#remote = new RemoteDevices({
      backplane: this.#backplane,
      leases: this.#leases,
      calls: this.calls,
      life,
      local: () => this.#devices,
      ready: () => this.ready,
      isKnown: (device) => store.document(`devices/${device}/state`) !== undefined,
    });
    this.calls.handle('freed', async () => {
      void this.#leases.refresh(false).catch(() => undefined);
      return null;
    });
  }

  /** The lives of all instances, this one included. */
  get lives(): ReadonlySet<string> {
    return this.#lives;
  }

  /** Devices publish here. */
  get publisher(): Publisher {
    return this.gate;
  }

  get ready(): boolean {
    return this.#status === 'ready';
  }

  /** Why subscribers are not to come here: it shows nothing of other instances yet, or is over. */
  get readiness(): 'joining' | 'superseded' | undefined {
    if (this.#status === 'superseded') return 'superseded';
    return this.#begun ? undefined : 'joining';
  }

  counts(): SharedFeedCounts {
    return {
      up: this.ready,
      owned: this.#leases.count,
      foreign: this.#foreign.documents,
      shards: this.#foreign.shards,
      instances: this.#lives.size,
      published: this.#owned.published,
      read: this.#foreign.read,
      snapshots: this.#foreign.snapshots,
      fenced: this.#owned.fenced,
      lostEvents: this.#owned.lostEvents,
      waiting: this.#owned.waiting,
      calls: this.calls.open,
      reconnects: this.#reconnects,
    };
  }

  /** For `bridge/status`. */
  status(): JsonObject {
    const { owned, shards, lostEvents } = this.counts();
    return {
      instance: this.instance,
      status: this.#status,
      since: this.#since,
      ...(this.#detail === undefined ? {} : { detail: this.#detail }),
      instances: [...this.#lives].map(instanceOf).sort(),
      owned,
      shards,
      lost_events: lostEvents,
    };
  }

  async start(devices: LocalDevices): Promise<void> {
    this.#devices = devices;
    this.#owned.start();
    this.#foreign.start();
    this.#positions.start();
    this.#tick();
    await this.#backplane.start({
      up: () => {
        this.#connected = true;
        void this.#renew();
      },
      down: (why) => this.#down(why),
    });
  }

  owns(unit: string): boolean {
    return this.#leases.owns(unit);
  }

  /** It is of a device that this instance does not own. */
  isForeign(topic: string): boolean {
    const unit = unitOfTopic(topic);
    return unit !== '' && !this.#leases.owns(unit);
  }

  /**
   * A promise where documents that these patterns cover are still to be read, or where another instance gave the position:
   * of what that covers here.
   */
  wanted(patterns: readonly string[], since?: Position): Promise<RecoveryCut | undefined> | undefined {
    const there = this.#foreign.ready(patterns);
    if (there === undefined && since === undefined) return undefined;
    return this.#positions.coveredBy(since, patterns, there);
  }

  claim(unit: string, claim: RemoteClaim): Promise<string | undefined> | undefined {
    if (this.#leases.owns(unit) || this.#status === 'superseded') return undefined;
    if (this.#status !== 'ready') {
      // The device is here, and the server cannot say more.
      this.#leases.assume([unit], true);
      return undefined;
    }
    return this.#remote.claim(unit, claim);
  }

  /** Carries out a command where its device is: here, or at its owner. */
  command(command: FeedCommand, client: FeedClient): Promise<CommandOutcome> {
    return this.#remote.command(command, client);
  }

  /** Gives everything to the other instances, in order. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    const late = this.#options.clock.now().monoMs + Math.min(2_000, this.#options.config.leaseMs / 3);
    await this.#within(late, async () => {
      if (this.#status !== 'ready') return;
      await this.#owned.flushed();
      await this.#leases.giveBack(this.#leases.owned());
      // Nothing comes after the end; what came before it is answered.
      this.#foreign.hurry();
      await this.#backplane.end();
      await this.#foreign.readOut();
      await this.calls.answered();
      await Promise.all(
        [...this.#lives]
          .filter((life) => life !== this.life)
          .map((life) => this.#backplane.call(life, FREED, Number.MAX_SAFE_INTEGER)),
      );
    });
    this.#owned.close();
    this.#foreign.close();
    this.calls.close();
    this.#backplane.close();
  }

  async #within(atMonoMs: number, act: () => Promise<void>): Promise<void> {
    const { clock } = this.#options;
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimer(atMonoMs, resolve);
    });
    await Promise.race([act().catch(() => undefined), late]);
    timer?.cancel();
  }

  #tick(): void {
    const { clock, config } = this.#options;
    this.#timer = clock.setTimer(clock.now().monoMs + config.leaseMs / 6, () => {
      this.#tick();
      const { monoMs, wallMs } = clock.now();
      if (this.#connected && monoMs - this.#renewedAt >= config.leaseMs / 4) void this.#renew();
      this.#foreign.age();
      if (monoMs - this.#renewedAt < config.leaseMs && monoMs - this.#answeredAt < config.leaseMs / 2) return;
      this.#foreign.livesAre(undefined, Math.round(wallMs));
      if (this.#status !== 'superseded') this.#leases.assume(this.#devices?.units() ?? []);
    });
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewNow(): Promise<void> {
    const { clock, config } = this.#options;
    const askedAt = clock.now();
    try {
      const { superseded, shards, lives, serverMs } = await this.#backplane.renew({
        begins: !this.#begun,
        leaseMs: config.leaseMs,
        known: this.#known,
      });
      if (this.#closed) return;
      if (superseded) return this.#superseded();
      this.#begun = true;
      this.#renewedAt = askedAt.monoMs;
      this.#answeredAt = clock.now().monoMs;
      this.calls.clockRead(serverMs);
      const reset = new Set<number>();
      for (const [shard, state] of shards.entries()) {
        const known = this.#known[shard];
        if (known?.epoch !== state.epoch) reset.add(shard);
        if (known !== undefined && known.epoch !== state.epoch) this.#leases.forgotten();
        this.#known[shard] = state;
      }
      this.#lives = new Set(lives);
      this.peers.livesAre(this.#lives);
      this.#foreign.livesAre(this.#lives, Math.round(askedAt.wallMs));
      this.calls.livesAre(this.#lives);
      await this.#leases.refresh(reset.size > 0);
      if (!this.#connected || this.#closed) return;
      if (reset.size > 0) this.#owned.republish(reset);
      this.#owned.up();
      this.#foreign.up(reset);
      this.#is('ready');
    } catch (cause) {
      if (!(cause instanceof BackplaneError)) return void tellDefect(this.#options.log, {}, cause);
      if (cause.refused) this.#is('refused', cause.message);
    }
  }

  #down(why: BackplaneError): void {
    if (this.#closed) return;
    if (this.#connected) this.#reconnects++;
    this.#connected = false;
    this.#owned.down();
    this.#foreign.down();
    if (this.#status !== 'superseded') this.#is(why.refused ? 'refused' : 'backoff', why.message);
  }

  #superseded(): void {
    this.#leases.loseAll();
    this.#owned.down();
    this.#is('superseded', `another process runs as instance ${this.instance}`);
  }

  /** A former owner may not have published all events: where there were any, their loss is said at once. */
  #inherited(unit: string): void {
    const { store } = this.#options;
    for (const topic of eventTopicsOfUnit(unit))
      if (store.hadEvents(topic)) store.publishLoss(topic, 1);
      else this.gate.doubt(topic);
  }

  #gained(unit: string): void {
    const topics = topicsOfUnit(unit);
    this.#foreign.release(topics);
    this.gate.open(unit);
    this.#owned.adopt(topics);
    this.#devices?.begin(unit);
  }

  #lost(unit: string): void {
    const topics = topicsOfUnit(unit);
    this.#owned.drop(unit);
    this.#devices?.end(unit);
    this.#foreign.orphaned(topics, Math.round(this.#options.clock.now().wallMs));
    this.#foreign.reload(topics);
  }

  #ownsTopic(topic: string): boolean {
    const unit = unitOfTopic(topic);
    return unit === '' ? topic.startsWith(`bridge/${this.instance}/`) : this.#leases.owns(unit);
  }

  #is(status: Status, detail?: string): void {
    if (status === this.#status && detail === this.#detail) return;
    const { clock, log } = this.#options;
    if (status !== this.#status) {
      this.#since = Math.round(clock.now().wallMs);
      const fields = { event: 'backplane', status };
      if (status === 'ready') log.info(fields, `the backplane answers; this is instance ${this.instance}`);
      else log.warn({ ...fields, code: CODES[status] }, `backplane: ${detail ?? status}`);
    }
    this.#status = status;
    this.#detail = detail;
    this.changed();
  }
}

const FREED = JSON.stringify({
  id: 'freed',
  from: '',
  kind: 'freed',
  body: {},
  till: Number.MAX_SAFE_INTEGER,
});

const CODES: Readonly<Record<Exclude<Status, 'ready'>, ErrorCode>> = {
  starting: 'backplane_lost',
  backoff: 'backplane_lost',
  refused: 'backplane_refused',
  superseded: 'instance_superseded',
};
