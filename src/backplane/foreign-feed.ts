import type { RecoveryCut } from '../contract/index.ts';
import type { Clock } from '../system/index.ts';
import { type Backplane, BackplaneError, type Letter, READ_COUNT } from './core/backplane.ts';
import { saidIn } from './core/change-text.ts';
import { type GivenPosition, type PositionMark, recoveryCut } from './core/position-mark.ts';
import { type ForeignDocument, ShardReplica } from './core/replica.ts';
import { type ShardCut, ShardCuts } from './core/shard-cuts.ts';
import { SHARDS, shardOfTopic, shardsOfPattern } from './core/shards.ts';
import { type Doubt, doubted } from './core/shown.ts';
import type { SharedStore } from './shared-store.ts';

/** Shards that are loaded at the same time. */
const LOADS = 8;
/** A shard that was asked for once, and is not wanted, is read for so long. */
const ASKED_MS = 30_000;
/** After a read that was refused. */
const AGAIN_MS = 500;

export interface ForeignFeedOptions {
  readonly backplane: Backplane;
  readonly store: SharedStore;
  readonly clock: Clock;
  readonly life: string;
  readonly leaseMs: number;
  owns(topic: string): boolean;
  /** Up to which `rev` of the feed everything of this instance stands in the log. */
  said(): number;
  letters(letters: readonly Letter[]): void;
  /** The server answered. */
  answered(): void;
  /** A life speaks, or spoke, that is not among those that are there: it may be new. */
  unknownLife(): void;
  /** Ends the waiting of the present read. */
  wake(): void;
  defect(cause: unknown): void;
}

/**
 * What the other instances say, as far as subscribers here want it: which shards are read follows from their patterns.
 * Documents go into the feed of this instance as those of its own devices do, and show where nothing is known of them.
 */
export class ForeignFeed {
  readonly #options: ForeignFeedOptions;
  readonly #replicas = new Map<number, ShardReplica>();
  readonly #cuts = new Map<number, ShardCuts>();
  /** Topics that are shown as having no owner, until one speaks. */
  readonly #orphans = new Set<string>();
  #readers: Array<() => void> = [];
  /** Shards whose snapshot is there, and up to date by the log. */
  readonly #current = new Set<number>();
  readonly #asked = new Map<number, number>();
  #wanted: ReadonlySet<number> = new Set();
  #patterns: { patterns(): Iterable<string> } | undefined;
  #waiters: Array<{ readonly shards: readonly number[]; done(): void }> = [];
  #lives: ReadonlySet<string> = new Set();
  /** Since when the server is lost. */
  #lostAt: number | undefined;
  readonly #goneAt = new Map<string, number>();
  #letter = '';
  /** Reads do not wait any more; `done` is called once one is over that began later. */
  readonly #last: { hurry: boolean; done?: () => void } = { hurry: false };
  #ready = false;
  #running = false;
  #closed = false;
  #applying = false;
  read = 0;
  snapshots = 0;

  constructor(options: ForeignFeedOptions) {
    this.#options = options;
  }

  /** What is put into the store now comes from another instance. */
  get applying(): boolean {
    return this.#applying;
  }

  get shards(): number {
    return this.#replicas.size;
  }

  /** Documents of other instances. */
  get documents(): number {
    let count = 0;
    for (const replica of this.#replicas.values()) count += replica.documents.size;
    return count;
  }

  start(): void {
    this.#patterns = this.#options.store.watchWanted(() => this.#wantedChanged());
    this.#wantedChanged();
  }

  /** The server is there, and its lives are known; shards in `reset` may have lost something. */
  up(reset: ReadonlySet<number>): void {
    for (const shard of reset) this.#current.delete(shard);
    this.#ready = true;
    if (!this.#running) void this.#run();
  }

  down(): void {
    this.#ready = false;
    // A subscriber gets what is there, with what is known of it.
    this.#settle(true);
  }

  /** The lives that are not over, or undefined where nothing is known of any. */
  livesAre(lives: ReadonlySet<string> | undefined, nowMs: number): void {
    const before = this.#lostAt === undefined ? this.#lives : undefined;
    this.#lostAt = lives === undefined ? (this.#lostAt ?? nowMs) : undefined;
    this.#lives = lives ?? this.#lives;
    for (const life of this.#goneAt.keys()) if (this.#lives.has(life)) this.#goneAt.delete(life);
    if (before !== undefined && lives === undefined) this.#options.store.breakPositions();
    const changed =
      before === undefined || lives === undefined
        ? undefined
        : new Set([...before, ...lives].filter((life) => before.has(life) !== lives.has(life)));
    if (changed?.size === 0 || (before === undefined && lives === undefined)) return;
    for (const replica of this.#replicas.values())
      for (const [topic, foreign] of replica.documents)
        if (changed === undefined || changed.has(foreign.life)) this.#show(topic, foreign);
  }

  /** A promise where shards of these patterns are still to be loaded. */
  ready(patterns: readonly string[]): Promise<void> | undefined {
    const shards = shardsOf(patterns);
    const until = this.#options.clock.now().monoMs + ASKED_MS;
    for (const shard of shards) this.#asked.set(shard, until);
    if (!this.#ready || shards.every((shard) => this.#current.has(shard))) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        resolve();
      };
      const late = (): void => {
        this.#waiters = this.#waiters.filter((each) => each.done !== done);
        resolve();
      };
      const { clock, leaseMs } = this.#options;
      const timer = clock.setTimer(clock.now().monoMs + leaseMs, late);
      this.#waiters.push({ shards, done });
      this.#wantedChanged();
      this.#options.wake();
    });
  }

  /** This instance owns these topics from now on. */
  release(topics: readonly string[]): void {
    for (const topic of topics) this.#replicas.get(shardOfTopic(topic))?.release(topic);
  }

  /** This instance owned these topics: until the new owner speaks, nothing is known of them. */
  orphaned(topics: readonly string[], nowMs: number): void {
    const doubt: Doubt = {
      reason: 'owner_lost',
      detail: 'the device goes to another instance',
      since: nowMs,
    };
    this.#options.store.breakPositions();
    this.#put((store) => {
      for (const topic of topics) {
        const document = store.document(topic);
        if (document === undefined) continue;
        const isRead = this.#replicas.has(shardOfTopic(topic));
        const shown = isRead ? doubted(topic, document, doubt) : undefined;
        if (isRead) this.#orphans.add(topic);
        if (shown === undefined) store.removeState(topic);
        else store.publishState(topic, shown);
      }
    });
  }

  /** Documents that others have in the log are read once more. */
  reload(topics: readonly string[]): void {
    for (const topic of topics) this.#current.delete(shardOfTopic(topic));
    this.#options.wake();
  }

  /** This instance is about to end its life: reads do not wait from now on. */
  hurry(): void {
    this.#last.hurry = true;
    this.#options.wake();
  }

  /** Resolves once everything was read that is there now. */
  readOut(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running) this.#last.done = resolve;
      else resolve();
    });
  }

  close(): void {
    this.#closed = true;
    this.#settle(true);
  }

  /** What the present `rev` of the feed stands for; undefined where other instances show something else. */
  mark(): PositionMark | undefined {
    if (this.#lostAt !== undefined) return undefined;
    const shards = new Map<number, { epoch: string; rev: number }>();
    for (const [shard, { epoch, rev }] of this.#replicas)
      if (this.#current.has(shard) && this.#cuts.get(shard)?.settled === true)
        shards.set(shard, { epoch, rev });
    return { shards, gone: [...this.#goneAt.keys()], orphans: [...this.#orphans] };
  }

  /** Less was read here than the mark says. */
  isBehind({ shards }: PositionMark, patterns: readonly string[]): boolean {
    return shardsOf(patterns).some((shard) => {
      const replica = this.#replicas.get(shard);
      const other = shards.get(shard);
      if (replica === undefined || other === undefined || replica.epoch !== other.epoch) return false;
      return replica.rev < other.rev || this.#cuts.get(shard)?.settled !== true;
    });
  }

  /** What a reader has of these patterns that another instance left at the mark; undefined where that is not known. */
  coveredBy(
    { shards, gone, orphans }: PositionMark,
    patterns: readonly string[],
    given: GivenPosition,
  ): RecoveryCut | undefined {
    const found = new Map<number, ShardCut>();
    const always = [...orphans];
    for (const shard of shardsOf(patterns)) {
      const [replica, other] = [this.#replicas.get(shard), shards.get(shard)];
      if (replica === undefined || other?.epoch !== replica.epoch || !this.#current.has(shard))
        return undefined;
      const cut = this.#cuts.get(shard)?.at(other.rev);
      if (cut === undefined) return undefined;
      found.set(shard, cut);
      if (gone.length === 0) continue;
      for (const [topic, { life }] of replica.documents) if (gone.includes(life)) always.push(topic);
    }
    const { store, life, owns } = this.#options;
    // The other instance may not have known yet that this one is there.
    if (gone.includes(life))
      for (const { topic } of store.retained(patterns)) if (owns(topic)) always.push(topic);
    return recoveryCut(found, always, given);
  }

  /** Resolves behind the next read, or once there is none. */
  nextRead(): Promise<void> {
    if (!this.#ready || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  #wakeReaders(): void {
    for (const resolve of this.#readers.splice(0)) resolve();
  }

  /** Lets go of what was asked for and is not wanted. */
  age(): void {
    const now = this.#options.clock.now().monoMs;
    let gone = false;
    for (const [shard, until] of this.#asked) if (until <= now) gone = this.#asked.delete(shard);
    if (gone) this.#wantedChanged();
  }

  #wantedChanged(): void {
    const wanted = new Set<number>(this.#asked.keys());
    for (const pattern of this.#patterns?.patterns() ?? []) {
      // The empty pattern stands for very many.
      const shards = pattern === '' ? shardsOfPattern('#') : shardsOfPattern(pattern);
      for (const shard of shards) wanted.add(shard);
      if (wanted.size === SHARDS) break;
    }
    const more = [...wanted].some((shard) => !this.#replicas.has(shard));
    this.#wanted = wanted;
    if (more) this.#options.wake();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#ready && !this.#closed) {
      const { done } = this.#last;
      try {
        this.#dropUnwanted();
        await this.#loadAll();
        await this.#read();
        if (done === undefined) continue;
        done();
        break;
      } catch (cause) {
        if (!(cause instanceof BackplaneError)) this.#options.defect(cause);
        const { clock } = this.#options;
        if (this.#ready)
          await new Promise<void>((resolve) => clock.setTimer(clock.now().monoMs + AGAIN_MS, resolve));
      }
    }
    this.#running = false;
  }

  async #read(): Promise<void> {
    const { backplane, leaseMs } = this.#options;
    const revs = new Map<number, number>();
    for (const [shard, replica] of this.#replicas) if (this.#current.has(shard)) revs.set(shard, replica.rev);
    // A snapshot is settled by a read that does not wait.
    const isSettled = [...this.#cuts.values()].every(({ settled }) => settled);
    const waitMs = this.#last.hurry || !isSettled ? 0 : Math.min(1_000, Math.round(leaseMs / 6));
    const { entries, letters } = await backplane.readSince({ revs, letter: this.#letter }, waitMs);
    this.#options.answered();
    this.#put(() => {
      for (const [shard, some] of entries) {
        const replica = this.#replicas.get(shard);
        this.read += some.length;
        const cuts = this.#cuts.get(shard);
        for (const entry of some) {
          if (replica?.apply(entry) === false) {
            this.#current.delete(shard);
            break;
          }
          const isOwn = entry.life === this.#options.life;
          cuts?.read(entry.rev, this.#options.store.rev, isOwn ? saidIn(entry.changes) : undefined);
        }
      }
      for (const [shard] of revs) {
        const replica = this.#replicas.get(shard);
        if (replica === undefined || !this.#current.has(shard)) continue;
        if ((entries.get(shard)?.length ?? 0) < READ_COUNT)
          this.#cuts.get(shard)?.settle(replica.rev, this.#options.store.rev);
      }
    });
    this.#wakeReaders();
    this.#letter = letters.at(-1)?.id ?? this.#letter;
    if (letters.length > 0) this.#options.letters(letters);
  }

  async #loadAll(): Promise<void> {
    const missing = [...this.#wanted].filter((shard) => !this.#current.has(shard));
    for (let at = 0; at < missing.length; at += LOADS)
      await Promise.all(missing.slice(at, at + LOADS).map((shard) => this.#load(shard)));
    this.#settle(false);
  }

  async #load(shard: number): Promise<void> {
    const replica = this.#replicas.get(shard) ?? this.#replica(shard);
    replica.begin();
    const cuts = new ShardCuts(this.#options.said());
    this.#cuts.delete(shard);
    const state = await this.#options.backplane.snapshot(shard, (documents) =>
      this.#put(() => replica.load(documents)),
    );
    this.#options.answered();
    this.#put(() => replica.loaded(state));
    this.snapshots++;
    this.#current.add(shard);
    this.#cuts.set(shard, cuts);
  }

  #replica(shard: number): ShardReplica {
    const replica: ShardReplica = new ShardReplica(this.#options.life, {
      document: (topic, foreign) => this.#show(topic, foreign),
      removed: (topic) => this.#mayRemove(topic) && this.#options.store.removeState(topic),
      event: (topic, data, origin) => this.#options.store.publishEvent(topic, data, 'any', origin),
      broadcast: (from, data, origin) => this.#options.store.publishBroadcast(from, data, origin),
      lost: (topic, count) => this.#options.store.publishLoss(topic, count),
    });
    this.#replicas.set(shard, replica);
    return replica;
  }

  /** Of a shard that is not read any more nothing is known: its documents go, and no position from before counts. */
  #dropUnwanted(): void {
    let dropped = false;
    for (const [shard, replica] of this.#replicas) {
      if (this.#wanted.has(shard)) continue;
      this.#replicas.delete(shard);
      this.#current.delete(shard);
      this.#cuts.delete(shard);
      dropped = true;
      this.#put((store) => {
        for (const topic of replica.documents.keys()) if (this.#mayRemove(topic)) store.removeState(topic);
      });
    }
    if (dropped) this.#options.store.forgetPast();
  }

  /** Messages that several devices speak are described once for all instances. */
  #mayRemove(topic: string): boolean {
    return !this.#options.owns(topic) && !topic.startsWith('declarations/');
  }

  #show(topic: string, foreign: ForeignDocument): void {
    if (this.#options.owns(topic)) return;
    const doubt = this.#doubtOf(foreign.life);
    const shown = doubt === undefined ? foreign.document : doubted(topic, foreign.document, doubt);
    const [, epoch] = foreign.life.split('/');
    // What is shown as doubted is a version of this instance alone.
    const origin = doubt === undefined && epoch !== undefined ? { epoch, seq: foreign.seq } : undefined;
    this.#orphans.delete(topic);
    this.#put((store) => {
      if (shown === undefined) store.removeState(topic);
      else store.publishState(topic, shown, origin);
    });
  }

  #doubtOf(life: string): Doubt | undefined {
    if (this.#lostAt !== undefined)
      return { reason: 'backplane_lost', detail: 'the backplane does not answer', since: this.#lostAt };
    if (this.#lives.has(life)) return undefined;
    if (!this.#goneAt.has(life)) {
      this.#options.store.breakPositions();
      this.#options.unknownLife();
    }
    const since = this.#goneAt.get(life) ?? Math.round(this.#options.clock.now().wallMs);
    this.#goneAt.set(life, since);
    const [instance = life] = life.split('/');
    return { reason: 'owner_lost', detail: `the instance ${instance} is gone`, since };
  }

  #put(act: (store: SharedStore) => void): void {
    const before = this.#applying;
    this.#applying = true;
    try {
      act(this.#options.store);
    } finally {
      this.#applying = before;
    }
  }

  #settle(all: boolean): void {
    if (all) this.#wakeReaders();
    const due = this.#waiters.filter(
      ({ shards }) => all || shards.every((shard) => this.#current.has(shard)),
    );
    this.#waiters = this.#waiters.filter((each) => !due.includes(each));
    for (const { done } of due) done();
  }
}

const shardsOf = (patterns: readonly string[]): readonly number[] => [
  ...new Set(patterns.flatMap(shardsOfPattern)),
];
