import { randomBytes } from 'node:crypto';
import type { BackplaneConfig } from '../config/index.ts';
import type { Clock, Timer } from '../system/index.ts';
import {
  type Backplane,
  BackplaneError,
  type Entry,
  type Lease,
  type Letter,
  type Part,
  READ_COUNT,
  type ReadFrom,
  type ReadResult,
  type Renewal,
  type Renewing,
  type ShardState,
  type SharedDocument,
} from './core/backplane.ts';
import { SHARDS, shardOfUnit } from './core/shards.ts';
import { RedisConnection, type Reply, type ScriptCall } from './redis-connection.ts';

const SCAN_COUNT = 500;
/** Marks of positions that one feed has, and how long they are kept after the last. */
const MARKS = 1_000;
const MARKS_MS = 600_000;
/** A back-off doubles up to this, in ms. */
const LONGEST_PAUSE_MS = 5_000;
const FIRST_PAUSE_MS = 100;

export interface RedisBackplaneOptions {
  readonly config: BackplaneConfig;
  /** Names this run of this instance: `<instance>/<random>`. */
  readonly life: string;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The backplane in Redis or Valkey. Streams and hashes only: nothing of it is lost because a connection was. */
export class RedisBackplane implements Backplane {
  readonly #options: RedisBackplaneOptions;
  #watch: { up(): void; down(why: BackplaneError): void } | undefined;
  #connection: RedisConnection | undefined;
  #attempt = 0;
  /** Letters up to this one are gone from the mailbox. */
  #trimmed = '';
  #again: Timer | undefined;
  #closed = false;

  constructor(options: RedisBackplaneOptions) {
    this.#options = options;
  }

  async start(watch: { up(): void; down(why: BackplaneError): void }): Promise<void> {
    this.#watch = watch;
    void this.#open();
  }

  async renew({ begins, leaseMs, known }: Renewing): Promise<Renewal> {
    const { life } = this.#options;
    const { instance } = this.#options.config;
    const connection = this.#present();
    const fresh = randomBytes(6).toString('base64url');
    const calls: ScriptCall[] = [];
    for (let shard = 0; shard < SHARDS; shard++) {
      const { epoch = '', rev = 0 } = known[shard] ?? {};
      calls.push({
        script: 'RENEW',
        keys: this.#keys(shard, 'meta', 'lives', 'names'),
        args: [
          life,
          instance,
          leaseMs,
          fresh,
          begins ? 1 : 0,
          connection.runId,
          epoch,
          rev,
          shard === 0 ? 1 : 0,
        ],
      });
    }
    const replies = (await connection.run(calls)).map(listOf);
    const [first = []] = replies;
    return {
      superseded: replies.some(([superseded]) => Number(superseded) === 1),
      shards: replies.map(([, epoch, rev]) => ({ epoch: String(epoch), rev: Number(rev) })),
      lives: first.slice(4).map(String),
      serverMs: Number(first[3]),
    };
  }

  async lease(units: readonly string[]): Promise<readonly Lease[]> {
    const byShard = grouped(units, shardOfUnit);
    const replies = await this.#present().run(
      [...byShard].map(([shard, some]) => ({
        script: 'LEASE',
        keys: this.#keys(shard, 'meta', 'lives', 'own'),
        args: [this.#options.life, ...some],
      })),
    );
    const leases = new Map<string, Lease>();
    for (const [index, some] of [...byShard.values()].entries()) {
      const reply = listOf(replies[index]);
      for (const [at, unit] of some.entries()) {
        const [token, life, first] = reply.slice(3 * at, 3 * at + 3);
        leases.set(unit, {
          unit,
          token: Number(token),
          life: String(life),
          first: first === '1' || undefined,
        });
      }
    }
    return units.flatMap((unit) => leases.get(unit) ?? []);
  }

  async release(leases: readonly Lease[]): Promise<void> {
    const byShard = grouped(leases, ({ unit }) => shardOfUnit(unit));
    await this.#present().run(
      [...byShard].map(([shard, some]) => ({
        script: 'RELEASE',
        keys: this.#keys(shard, 'own'),
        args: [this.#options.life, ...some.flatMap(({ unit, token }) => [unit, token])],
      })),
    );
  }

  async publish(parts: readonly Part[]): Promise<readonly boolean[]> {
    const { life, config } = this.#options;
    const byShard = grouped(parts.keys(), (index) => parts[index]?.shard ?? 0);
    const replies = await this.#present().run(
      [...byShard].map(([shard, indices]) => ({
        script: 'PUBLISH',
        keys: this.#keys(shard, 'meta', 'own', 'docs', 'log', 'names'),
        args: [
          life,
          config.instance,
          config.entries,
          ...indices.flatMap((index) => {
            const part = parts[index];
            if (part === undefined) return [];
            const { unit, token, changes, documents, removed } = part;
            const texts = documents.flatMap(({ topic, text }) => [topic, text]);
            return [unit, token, changes, documents.length, removed.length, ...texts, ...removed];
          }),
        ],
      })),
    );
    const published = parts.map(() => false);
    for (const [at, indices] of [...byShard.values()].entries()) {
      const reply = listOf(replies[at]);
      for (const [place, index] of indices.entries()) published[index] = Number(reply[place]) === 1;
    }
    return published;
  }

  async snapshot(shard: number, each: (documents: readonly SharedDocument[]) => void): Promise<ShardState> {
    const connection = this.#present();
    const [meta = '', docs = ''] = this.#keys(shard, 'meta', 'docs');
    const [epoch, rev] = listOf(await connection.command('HMGET', meta, 'epoch', 'rev'));
    let cursor = '0';
    do {
      const [next, found] = listOf(await connection.command('HSCAN', docs, cursor, 'COUNT', SCAN_COUNT));
      cursor = String(next);
      const texts = listOf(found).map(String);
      const documents: SharedDocument[] = [];
      for (let at = 0; at + 1 < texts.length; at += 2)
        documents.push({ topic: texts[at] ?? '', text: texts[at + 1] ?? '' });
      each(documents);
    } while (cursor !== '0');
    return { epoch: String(epoch ?? ''), rev: Number(rev ?? 0) };
  }

  async readSince({ revs, letter }: ReadFrom, waitMs: number): Promise<ReadResult> {
    const shards = [...revs.keys()];
    const mail = this.#mailbox(this.#options.life);
    const keys = [...shards.map((shard) => this.#key(shard, 'log')), mail];
    const ids = [...shards.map((shard) => `${revs.get(shard) ?? 0}-1`), letter === '' ? '0' : letter];
    const reply = await this.#present().read(
      waitMs,
      'XREAD',
      'COUNT',
      READ_COUNT,
      // 0 would wait for ever.
      ...(waitMs > 0 ? ['BLOCK', Math.ceil(waitMs)] : []),
      'STREAMS',
      ...keys,
      ...ids,
    );
    if (letter !== this.#trimmed) this.#trim(mail, letter);
    const entries = new Map<number, readonly Entry[]>();
    let letters: readonly Letter[] = [];
    for (const [name, items] of streamsOf(reply)) {
      const at = keys.indexOf(name);
      if (at === shards.length) letters = items.map(([id, fields]) => ({ id, text: fields.get('t') ?? '' }));
      else if (at >= 0) entries.set(shards[at] ?? 0, items.map(entryOf));
    }
    return { entries, letters };
  }

  async ownerOf(unit: string): Promise<string | undefined> {
    const call: ScriptCall = {
      script: 'OWNER',
      keys: this.#keys(shardOfUnit(unit), 'own', 'lives'),
      args: [unit],
    };
    const [life] = await this.#present().run([call]);
    return life === '' || life == null ? undefined : String(life);
  }

  async call(life: string, text: string, notAfterMs: number): Promise<boolean> {
    const { leaseMs } = this.#options.config;
    const keys = [...this.#keys(0, 'lives'), this.#mailbox(life)];
    const call: ScriptCall = {
      script: 'CALL',
      keys,
      args: [life, text, Math.floor(notAfterMs), 10 * leaseMs],
    };
    const [reply] = await this.#present().run([call]);
    return Number(reply) === 1;
  }

  async keepMark(name: string, rev: number, text: string): Promise<void> {
    const keys = [this.#key(0, `pos:${name}`)];
    await this.#present().run([{ script: 'MARK', keys, args: [rev, text, MARKS, MARKS_MS] }]);
  }

  async markAt(name: string, rev: number): Promise<string | undefined> {
    const key = this.#key(0, `pos:${name}`);
    const reply = await this.#present().command('XREVRANGE', key, `${rev}-1`, '-', 'COUNT', 1);
    const [, fields] = listOf(listOf(reply)[0]);
    const text = listOf(fields)[1];
    return text === undefined ? undefined : String(text);
  }

  async end(): Promise<void> {
    const { life, config } = this.#options;
    const calls: ScriptCall[] = [];
    for (let shard = 0; shard < SHARDS; shard++)
      calls.push({
        script: 'END',
        keys: this.#keys(shard, 'lives', 'names'),
        args: [life, config.instance],
      });
    await this.#present().run(calls);
  }

  close(): void {
    this.#closed = true;
    this.#again?.cancel();
    this.#connection?.close();
  }

  reconnect(): void {
    this.#connection?.close(new BackplaneError('the connection is opened again'));
  }

  #present(): RedisConnection {
    if (this.#connection === undefined) throw new BackplaneError('the server is away');
    return this.#connection;
  }

  async #open(): Promise<void> {
    const { config } = this.#options;
    const connection: RedisConnection = new RedisConnection(config, (why) => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#watch?.down(why);
      this.#openLater();
    });
    try {
      await connection.open();
    } catch (cause) {
      this.#watch?.down(cause instanceof BackplaneError ? cause : new BackplaneError(String(cause)));
      return this.#openLater();
    }
    if (this.#closed) return connection.close();
    this.#connection = connection;
    this.#attempt = 0;
    this.#watch?.up();
  }

  /** Full jitter, so that instances do not come back together. */
  #openLater(): void {
    if (this.#closed) return;
    const { clock, random } = this.#options;
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#attempt++, 16));
    const pauseMs = FIRST_PAUSE_MS / 2 + random() * most;
    this.#again = clock.setTimer(clock.now().monoMs + pauseMs, () => void this.#open());
  }

  /** What was read is of no use to the server any more; should this fail, a later one covers it. */
  #trim(mail: string, letter: string): void {
    this.#trimmed = letter;
    void this.#connection?.command('XTRIM', mail, 'MINID', letter).catch(() => undefined);
  }

  #key(shard: number, name: string): string {
    return `${this.#options.config.prefix}:{${shard}}:${name}`;
  }

  #keys(shard: number, ...names: readonly string[]): string[] {
    return names.map((name) => this.#key(shard, name));
  }

  #mailbox(life: string): string {
    return this.#key(0, `mail:${life}`);
  }
}

/** Values by a number of each, in their order. */
function grouped<T>(values: Iterable<T>, keyOf: (value: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

const listOf = (reply: Reply | undefined): readonly Reply[] =>
  Array.isArray(reply) ? (reply as readonly Reply[]) : [];

/** The streams of a reply of XREAD. */
function streamsOf(
  reply: Reply,
): Array<[name: string, items: Array<[id: string, fields: Map<string, string>]>]> {
  return listOf(reply).map((stream) => {
    const [name, items] = listOf(stream);
    const entries = listOf(items).map((item): [string, Map<string, string>] => {
      const [id, fields] = listOf(item);
      const texts = listOf(fields).map(String);
      const map = new Map<string, string>();
      for (let at = 0; at + 1 < texts.length; at += 2) map.set(texts[at] ?? '', texts[at + 1] ?? '');
      return [String(id), map];
    });
    return [String(name), entries];
  });
}

function entryOf([id, fields]: readonly [string, ReadonlyMap<string, string>]): Entry {
  return {
    rev: Number(id.split('-')[0]),
    epoch: fields.get('e') ?? '',
    unit: fields.get('u') ?? '',
    life: fields.get('l') ?? '',
    changes: fields.get('c') ?? '[]',
  };
}
