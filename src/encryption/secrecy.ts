import { isDeepStrictEqual } from 'node:util';
import type { SecrecyConfig } from '../config/secrecy.ts';
import type { CommandOutcome } from '../contract/command.ts';
import { isJsonObject } from '../contract/feed/json.ts';
import type { Publisher } from '../contract/publisher.ts';
import type { FeedStore } from '../feed/core/store.ts';
import type { Log } from '../system/log.ts';
import { Sealer } from './sealer.ts';
import { SealingPublisher } from './sealing-publisher.ts';

/** What a bridge says in secret: the one way from its devices into the feed. */
export class Secrecy {
  readonly #publisher: SealingPublisher;
  readonly #log: Log;
  #config: SecrecyConfig | undefined;
  #sealer: Sealer | undefined;

  constructor(store: FeedStore, log: Log) {
    this.#log = log;
    this.#publisher = new SealingPublisher({
      publisher: store,
      retained: () => store.documents('devices/#'),
      log,
    });
  }

  /** Where everything that devices say goes. */
  get publisher(): Publisher {
    return this.#publisher;
  }

  /** Encrypts from now on as the configuration says: with other keys, other topics, or nothing at all. */
  follow(config: SecrecyConfig | undefined): void {
    if (isDeepStrictEqual(config, this.#config)) return;
    this.#config = config;
    this.#sealer = config && new Sealer(config);
    this.#publisher.replace(this.#sealer);
    const rules = config?.rules.map(({ pattern, key }) => `${pattern} with ${key}`) ?? [];
    this.#log.info(
      { event: 'secrecy' },
      rules.length === 0 ? 'nothing is encrypted any more' : `encrypted: ${rules.join(', ')}`,
    );
  }

  /** Whether what is said on a topic is for holders of a key alone. */
  conceals(topic: string): boolean {
    return this.#sealer?.seals(topic) === true;
  }

  /** The fields that a device answered are as secret as its messages; whether it did what it was asked is not. */
  async outcome(device: string, done: Promise<CommandOutcome>): Promise<CommandOutcome> {
    const outcome = await done;
    const topic = `devices/${device}/messages`;
    if (!outcome.ok || this.#sealer?.seals(topic) !== true) return outcome;
    const { fields } = outcome.result;
    if (!isJsonObject(fields)) return outcome;
    return { ok: true, result: { ...outcome.result, fields: await this.#sealer.seal(topic, fields) } };
  }
}
