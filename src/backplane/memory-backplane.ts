import type { Clock } from '../system/index.ts';
import {
  type Backplane,
  BackplaneError,
  type Entry,
  type Lease,
  type Letter,
  type Part,
  type ReadFrom,
  type ReadResult,
  type Renewal,
  type Renewing,
  type ShardState,
  type SharedDocument,
} from './core/backplane.ts';
import { SHARDS } from './core/shards.ts';

interface Shard {
  epoch: string;
  rev: number;
  readonly documents: Map<string, string>;
  log: Entry[];
}

/** What the instances of one process share, for tests. It can be away, and it can lose everything. */
export class MemoryServer {
  readonly clock: Clock;
  readonly shards: Shard[];
  readonly own = new Map<string, { token: number; life: string }>();
  readonly lives = new Map<string, number>();
  readonly names = new Map<string, string>();
  readonly mail = new Map<string, Letter[]>();
  readonly marks = new Map<string, Array<readonly [rev: number, text: string]>>();
  readonly waiting = new Set<() => void>();
  readonly clients = new Set<MemoryBackplane>();
  /** Entries of each shard that are kept. */
  readonly entries: number;
  token = 0;
  letters = 0;
  #epochs = 0;
  #up = true;

  constructor(clock: Clock, entries = 4_096) {
    this.clock = clock;
    this.entries = entries;
    this.shards = Array.from({ length: SHARDS }, () => this.#shard());
  }

  get up(): boolean {
    return this.#up;
  }

  get nowMs(): number {
    return Math.round(this.clock.now().wallMs);
  }

  freshEpoch(): string {
    return `e${++this.#epochs}`;
  }

  /** Every connection is lost, and none can be opened. */
  stop(): void {
    this.#up = false;
    for (const client of this.clients) client.lost();
  }

  /** Connections can be opened again; `empty`: all that was kept is gone. */
  restart(empty = false): void {
    this.#up = true;
    for (const shard of this.shards) shard.epoch = this.freshEpoch();
    if (empty) {
      this.shards.splice(0, SHARDS, ...Array.from({ length: SHARDS }, () => this.#shard()));
      for (const each of [this.own, this.lives, this.names, this.mail, this.marks]) each.clear();
    }
    for (const client of this.clients) client.found();
  }

  wake(): void {
    for (const each of [...this.waiting]) each();
  }

  #shard(): Shard {
    return { epoch: this.freshEpoch(), rev: 0, documents: new Map(), log: [] };
  }
}

/** The backplane within one process. */
export class MemoryBackplane implements Backplane {
  readonly #server: MemoryServer;
  readonly life: string;
  readonly #instance: string;
  #watch: { up(): void; down(why: BackplaneError): void } | undefined;
  #connected = false;

  constructor(server: MemoryServer, life: string) {
    this.#server = server;
    this.life = life;
    this.#instance = life.split('/')[0] ?? life;
  }

  async start(watch: { up(): void; down(why: BackplaneError): void }): Promise<void> {
    this.#watch = watch;
    this.#server.clients.add(this);
    queueMicrotask(() => (this.#server.up ? this.found() : this.#watch?.down(AWAY)));
  }

  /** The server is there again. */
  found(): void {
    if (this.#watch === undefined || this.#connected) return;
    this.#connected = true;
    this.#watch.up();
  }

  /** The connection is lost. */
  lost(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#server.wake();
    this.#watch?.down(AWAY);
  }

  async renew({ begins, leaseMs }: Renewing): Promise<Renewal> {
    const { lives, names, nowMs, shards } = this.#at();
    const holder = names.get(this.#instance);
    const state = shards.map(({ epoch, rev }) => ({ epoch, rev }));
    if (holder !== undefined && holder !== this.life) {
      if (!begins) return { superseded: true, shards: state, lives: [], serverMs: nowMs };
      lives.delete(holder);
    }
    names.set(this.#instance, this.life);
    lives.set(this.life, nowMs + leaseMs);
    const alive = [...lives].filter(([, till]) => till > nowMs).map(([life]) => life);
    return { superseded: false, shards: state, lives: alive, serverMs: nowMs };
  }

  async lease(units: readonly string[]): Promise<readonly Lease[]> {
    const server = this.#at();
    return units.map((unit) => {
      const present = server.own.get(unit);
      if (present?.life === this.life) return { unit, ...present };
      if (present !== undefined && this.#alive(present.life)) return { unit, token: 0, life: present.life };
      if (!this.#alive(this.life)) return { unit, token: 0, life: '' };
      const taken = { token: ++server.token, life: this.life };
      server.own.set(unit, taken);
      return { unit, ...taken, first: present === undefined };
    });
  }

  async release(leases: readonly Lease[]): Promise<void> {
    const { own } = this.#at();
    for (const lease of leases) if (this.#holds(lease)) own.set(lease.unit, { token: lease.token, life: '' });
  }

  async publish(parts: readonly Part[]): Promise<readonly boolean[]> {
    const server = this.#at();
    const named = server.names.get(this.#instance) === this.life;
    const published = parts.map((part) => {
      if (!named || (part.unit !== '' && !this.#holds(part))) return false;
      const shard = server.shards[part.shard];
      if (shard === undefined) return false;
      shard.rev += 1;
      for (const { topic, text } of part.documents) shard.documents.set(topic, text);
      for (const topic of part.removed) shard.documents.delete(topic);
      const { unit, changes } = part;
      shard.log.push({ rev: shard.rev, epoch: shard.epoch, unit, life: this.life, changes });
      if (shard.log.length > server.entries) shard.log.shift();
      return true;
    });
    server.wake();
    return published;
  }

  async snapshot(shard: number, each: (documents: readonly SharedDocument[]) => void): Promise<ShardState> {
    const found = this.#at().shards[shard];
    if (found === undefined) throw new BackplaneError(`there is no shard ${shard}`, true);
    const { epoch, rev, documents } = found;
    each([...documents].map(([topic, text]) => ({ topic, text })));
    return { epoch, rev };
  }

  async readSince(from: ReadFrom, waitMs: number): Promise<ReadResult> {
    const server = this.#at();
    const found = this.#found(from);
    if (waitMs === 0 || found.entries.size + found.letters.length > 0) return found;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        server.waiting.delete(done);
        resolve();
      };
      const timer = server.clock.setTimer(server.clock.now().monoMs + waitMs, done);
      server.waiting.add(done);
    });
    this.#at();
    return this.#found(from);
  }

  async ownerOf(unit: string): Promise<string | undefined> {
    const life = this.#at().own.get(unit)?.life;
    return life !== undefined && this.#alive(life) ? life : undefined;
  }

  async call(life: string, text: string, notAfterMs: number): Promise<boolean> {
    const server = this.#at();
    if (!this.#alive(life) || server.nowMs > notAfterMs) return false;
    const box = server.mail.get(life) ?? [];
    server.mail.set(life, box);
    box.push({ id: String(++server.letters), text });
    server.wake();
    return true;
  }

  async keepMark(name: string, rev: number, text: string): Promise<void> {
    const { marks } = this.#at();
    const kept = marks.get(name) ?? [];
    marks.set(name, kept);
    if (rev > (kept.at(-1)?.[0] ?? -1)) kept.push([rev, text]);
  }

  async markAt(name: string, rev: number): Promise<string | undefined> {
    return this.#at()
      .marks.get(name)
      ?.findLast(([at]) => at <= rev)?.[1];
  }

  async end(): Promise<void> {
    const { lives, names } = this.#at();
    lives.delete(this.life);
    if (names.get(this.#instance) === this.life) names.delete(this.#instance);
  }

  close(): void {
    this.#watch = undefined;
    this.#connected = false;
    this.#server.clients.delete(this);
    this.#server.wake();
  }

  reconnect(): void {
    this.lost();
    queueMicrotask(() => this.#server.up && this.found());
  }

  #at(): MemoryServer {
    if (!this.#connected) throw AWAY;
    return this.#server;
  }

  #alive(life: string): boolean {
    return (this.#server.lives.get(life) ?? 0) > this.#server.nowMs;
  }

  #holds({ unit, token }: { readonly unit: string; readonly token: number }): boolean {
    const present = this.#server.own.get(unit);
    return present?.life === this.life && present.token === token;
  }

  #found({ revs, letter }: ReadFrom): ReadResult {
    const entries = new Map<number, readonly Entry[]>();
    for (const [shard, rev] of revs) {
      const after = this.#server.shards[shard]?.log.filter((entry) => entry.rev > rev) ?? [];
      if (after.length > 0) entries.set(shard, after);
    }
    const box = this.#server.mail.get(this.life) ?? [];
    return { entries, letters: box.filter(({ id }) => Number(id) > Number(letter)) };
  }
}

const AWAY = new BackplaneError('the server is away');
