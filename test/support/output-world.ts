import { loadConfig } from '../../src/config/load.ts';
import type { Values } from '../../src/contract/index.ts';
import type { JsonObject } from '../../src/contract/wire/index.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { lookupOf } from '../../src/links/names/name-resolver.ts';
import { Outputs, type OutputsOptions } from '../../src/outputs/outputs.ts';
import { systemClock } from '../../src/system/clock.ts';

const LISTEN = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]';

/** Outputs with a store and no bridge: states and samples are what the test says. Use with `await using`. */
export class OutputWorld implements AsyncDisposable {
  readonly store = new FeedStore({ epoch: 'e', notify: 'followed' });
  readonly outputs: Outputs;
  /** Devices that are secret now. */
  readonly secret = new Set<string>();

  constructor(options: Partial<OutputsOptions> = {}) {
    this.outputs = new Outputs({
      store: this.store,
      clock: systemClock,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      version: '0.0.0-test',
      // The shortest pauses.
      random: () => 0,
      lookup: lookupOf(),
      conceals: (topic) => this.secret.has(topic.split('/')[1] ?? ''),
      command: () => Promise.reject(new Error('no commands here')),
      changed: () => undefined,
      ...options,
    });
  }

  /** Entries of `outputs`, as they are written. */
  async apply(entries: string): Promise<void> {
    const { config, problems } = loadConfig(`${LISTEN}\noutputs:\n${entries}`, 'test.yaml');
    if (config === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    await this.outputs.apply(config.outputs);
  }

  state(device: string, more: JsonObject = {}): void {
    this.store.publishState(`devices/${device}/state`, {
      device,
      status: 'online',
      since: 5,
      link: { status: 'connected', transport: 'tcp', since: 1, attempt: 0 },
      ...more,
    });
  }

  sample(device: string, group: string, values: Values, replay = false): void {
    this.outputs.observe({ id: device, fields: undefined, replay })?.measured?.(group, values);
  }

  /** The first output, as `bridge/status` shows it. */
  shown(): JsonObject {
    return this.outputs.status()?.[0] ?? {};
  }

  counts(): { readonly sent: number; readonly lost: number; readonly waiting: number } {
    const { sent, lost, waiting } = this.shown();
    return { sent: Number(sent), lost: Number(lost), waiting: Number(waiting) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.outputs.close();
  }
}
