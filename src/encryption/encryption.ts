import { isDeepStrictEqual } from 'node:util';
import type { EncryptionConfig } from '../config/index.ts';
import type { CommandOutcome, Publisher } from '../contract/index.ts';
import { isJsonObject } from '../contract/wire/index.ts';
import type { FeedStore } from '../feed/index.ts';
import type { Log } from '../system/index.ts';
import { EncryptingPublisher } from './encrypting-publisher.ts';
import { Encryptor } from './encryptor.ts';

/** The way from the devices into the feed, encrypted where the configuration says so. */
export class Encryption {
  readonly #publisher: EncryptingPublisher;
  readonly #log: Log;
  #config: EncryptionConfig | undefined;
  #encryptor: Encryptor | undefined;

  /** What is published goes to `publisher`, and from there into the store. */
  constructor(store: FeedStore, log: Log, publisher: Publisher = store) {
    this.#log = log;
    this.#publisher = new EncryptingPublisher({
      publisher,
      retained: () => store.documents('devices/#'),
      log,
    });
  }

  /** Devices publish here. */
  get publisher(): Publisher {
    return this.#publisher;
  }

  /**
   * Encrypts from now on as the configuration says: with other keys, other topics, or nothing at all. Resolves when all
   * that is retained was handed over to it.
   */
  async apply(config: EncryptionConfig | undefined): Promise<void> {
    if (isDeepStrictEqual(config, this.#config)) return;
    this.#config = config;
    this.#encryptor = config && new Encryptor(config);
    await this.#publisher.replace(this.#encryptor);
    const rules = config?.rules.map(({ pattern, key }) => `${pattern} with ${key}`) ?? [];
    this.#log.info(
      { event: 'secrecy' },
      rules.length === 0 ? 'nothing is encrypted any more' : `encrypted: ${rules.join(', ')}`,
    );
  }

  /** Whether payloads of a topic are encrypted. */
  encrypts(topic: string): boolean {
    return this.#encryptor?.encrypts(topic) === true;
  }

  /** Encrypts the fields of an answer as the messages of its device are; success and failure stay plain. */
  async outcome(device: string, done: Promise<CommandOutcome>): Promise<CommandOutcome> {
    const outcome = await done;
    const topic = `devices/${device}/messages`;
    if (!outcome.ok || this.#encryptor?.encrypts(topic) !== true) return outcome;
    const { fields } = outcome.result;
    if (!isJsonObject(fields)) return outcome;
    return { ok: true, result: { ...outcome.result, fields: await this.#encryptor.encrypt(topic, fields) } };
  }
}
