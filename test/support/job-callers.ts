import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Client, ClientError, connect } from '../../src/client/index.ts';
import { INSTANCES, type InstancesWorld } from './instances-world.ts';

/** What a caller knows in the end: it was done; it was not; or it may have been. */
export type JobOutcome = 'done' | 'refused' | 'unknown';

/** Sent, and nothing says what came of it. */
const UNKNOWN = new Set([
  'outcome_unknown',
  'command_outcome_unknown',
  'request_timeout',
  'timeout',
  'link_lost',
  'link_replaced',
]);
/** Before a command that was refused is followed by the next one. */
const AGAIN_MS = 20;

/** Callers at every instance: one for each device, which sends one command after another, each job once. */
export class JobCallers implements Disposable {
  readonly #clients: readonly Client[];
  readonly #devices: readonly string[];
  #next = 0;
  /** By job. */
  readonly outcomes = new Map<string, JobOutcome>();
  /** What was said of each job that was not done. */
  readonly codes = new Map<string, string>();
  /** Jobs that were not refused. */
  sent = 0;

  constructor(world: InstancesWorld, devices: readonly string[]) {
    this.#devices = devices;
    this.#clients = INSTANCES.map((instance) =>
      connect(world.url(instance), {
        topics: ['devices/+/state'],
        WebSocket,
        backOff: { firstMs: 20, mostMs: 200 },
      }),
    );
  }

  async connected(): Promise<void> {
    for (const client of this.#clients) await client.connected();
  }

  /** Until so many were not refused. */
  async call(count: number): Promise<void> {
    await Promise.all(
      this.#devices.map(async (device, at) => {
        for (let turn = at; this.sent < count; turn++) {
          const client = this.#clients[turn % this.#clients.length];
          if (client === undefined || (await this.#job(client, device)) !== 'refused') continue;
          await pause(AGAIN_MS);
        }
      }),
    );
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
  }

  async #job(client: Client, device: string): Promise<JobOutcome> {
    const job = String(++this.#next);
    const outcome = await client.command(device, 'work', { job: Number(job) }, { timeoutMs: 5_000 }).then(
      () => 'done' as const,
      (error: unknown) => {
        if (!(error instanceof ClientError)) throw error;
        this.codes.set(job, error.code);
        return UNKNOWN.has(error.code) ? 'unknown' : 'refused';
      },
    );
    this.outcomes.set(job, outcome);
    if (outcome !== 'refused') this.sent++;
    return outcome;
  }
}
