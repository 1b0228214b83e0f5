import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { Endpoint } from '../../support/endpoint.ts';
import { hasInflux, InfluxServer } from '../../support/influx-server.ts';
import { type OutputSide, outputContract, SECRET } from '../../support/output-contract.ts';
import type { OutputWorld } from '../../support/output-world.ts';

/** A database, whichever it is; `onDisk`: what waits for it is in a folder. */
abstract class Database implements OutputSide {
  readonly #folder = mkdtempSync(join(tmpdir(), 'heartwire-contract-'));
  readonly #onDisk: boolean;
  /** It does not know the token any more. */
  protected refuses = false;

  constructor(onDisk: boolean) {
    this.#onDisk = onDisk;
    writeFileSync(join(this.#folder, 'token'), `${SECRET}\n`);
  }

  abstract readonly url: string;

  entry(): string {
    const buffer = this.#onDisk ? `, buffer_dir: ${join(this.#folder, 'buffer')}, disk_mb: 1` : '';
    return `  - influx: { url: "${this.url}", bucket: bench, batch: 20ms, token_file: ${join(this.#folder, 'token')}, buffer_mb: 1 ${buffer} }`;
  }

  publish(world: OutputWorld, n: number, padding: number): void {
    world.sample(`d${n % 1_000}`, 't', padding === 0 ? { n } : { n, text: 'x'.repeat(padding) });
  }

  abstract received(): Promise<readonly number[]>;
  abstract kill(): Promise<void>;
  abstract restart(): Promise<void>;
  abstract freeze(): void;
  abstract thaw(): void;
  abstract refuseLogin(): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#folder, { recursive: true });
  }
}

class CountingDatabase extends Database {
  readonly #endpoint: Endpoint;

  private constructor(onDisk: boolean, endpoint: Endpoint) {
    super(onDisk);
    this.#endpoint = endpoint;
  }

  static async start(onDisk: boolean): Promise<CountingDatabase> {
    return new CountingDatabase(onDisk, await Endpoint.start());
  }

  get url(): string {
    return this.#endpoint.url;
  }

  async received(): Promise<readonly number[]> {
    const all = this.#endpoint.taken.flatMap(({ body }) =>
      [...body.matchAll(/ n=(\d+)/g)].map(([, n]) => Number(n)),
    );
    return [...new Set(all)];
  }

  kill(): Promise<void> {
    return this.#endpoint.stop();
  }

  restart(): Promise<void> {
    return this.#endpoint.listen(Number(new URL(this.url).port));
  }

  freeze(): void {
    this.#endpoint.behaviour = 'hang';
  }

  thaw(): void {
    this.#endpoint.behaviour = { status: 204 };
  }

  async refuseLogin(): Promise<void> {
    this.#endpoint.behaviour = ({ headers }) => ({
      status: 401,
      body: `no such token: ${headers.authorization}`,
    });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#endpoint[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

class RealDatabase extends Database {
  readonly #server: InfluxServer;

  private constructor(onDisk: boolean, server: InfluxServer) {
    super(onDisk);
    this.#server = server;
  }

  static async start(onDisk: boolean): Promise<RealDatabase> {
    return new RealDatabase(onDisk, await InfluxServer.start());
  }

  get url(): string {
    return this.#server.url;
  }

  async received(): Promise<readonly number[]> {
    return (await this.#server.query('SELECT n FROM t')).map(({ n }) => Number(n));
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  restart(): Promise<void> {
    return this.#server.begin();
  }

  freeze(): void {
    this.#server.freeze();
  }

  thaw(): void {
    this.#server.thaw();
  }

  async refuseLogin(): Promise<void> {
    await this.#server.query('DROP DATABASE bench');
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

const options = { tooMany: 3_000, padding: 1_000 };
outputContract('InfluxDB with what waits in memory', () => CountingDatabase.start(false), options);
outputContract('InfluxDB with what waits on a disk', () => CountingDatabase.start(true), options);

describe.runIf(hasInflux)('influxd', () => {
  outputContract('InfluxDB itself with what waits in memory', () => RealDatabase.start(false), options);
  outputContract('InfluxDB itself with what waits on a disk', () => RealDatabase.start(true), options);
});
