import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Endpoint } from '../../support/endpoint.ts';
import { type OutputSide, outputContract, publishAlarm, SECRET } from '../../support/output-contract.ts';
import type { OutputWorld } from '../../support/output-world.ts';

/** A program that takes messages, and leaves out one that it had before. */
class Hook implements OutputSide {
  readonly #folder = mkdtempSync(join(tmpdir(), 'heartwire-contract-'));
  readonly #endpoint: Endpoint;

  private constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    writeFileSync(join(this.#folder, 'key'), `${SECRET}\n`);
  }

  static async start(): Promise<Hook> {
    return new Hook(await Endpoint.start());
  }

  entry(): string {
    return `  - webhook: { url: "${this.#endpoint.url}/hook", on: [alarm], for: 0s, secret_file: ${join(this.#folder, 'key')} }`;
  }

  publish(world: OutputWorld, n: number, padding: number): void {
    publishAlarm(world, n, padding);
  }

  async received(): Promise<readonly number[]> {
    const bodies = this.#endpoint.taken.map(({ body }) => JSON.parse(body));
    return [...new Map(bodies.map(({ id, value }) => [id, value])).values()];
  }

  kill(): Promise<void> {
    return this.#endpoint.stop();
  }

  restart(): Promise<void> {
    return this.#endpoint.listen(Number(new URL(this.#endpoint.url).port));
  }

  freeze(): void {
    this.#endpoint.behaviour = 'hang';
  }

  thaw(): void {
    this.#endpoint.behaviour = { status: 204 };
  }

  async refuseLogin(): Promise<void> {
    this.#endpoint.behaviour = { status: 403, body: 'bad signature' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endpoint[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

outputContract('a webhook', () => Hook.start(), { tooMany: 2_000, padding: 1_000 });
