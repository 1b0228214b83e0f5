import type { EventReach, Publisher } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { unitOfTopic } from './core/shards.ts';
import type { SharedStore } from './shared-store.ts';

/**
 * Lets through what this instance says of what it owns. Documents of other units are kept back, so that they are there
 * once the unit is gained; events of them are no one's business.
 * Where a former owner may not have published all events of a topic, their loss goes before the next one.
 */
export class OwnershipGate implements Publisher {
  readonly #publisher: Publisher & Pick<SharedStore, 'publishLoss'>;
  readonly #owns: (unit: string) => boolean;
  readonly #held = new Map<string, Map<string, JsonObject>>();
  readonly #doubted = new Set<string>();

  constructor(publisher: Publisher & Pick<SharedStore, 'publishLoss'>, owns: (unit: string) => boolean) {
    this.#publisher = publisher;
    this.#owns = owns;
  }

  publishState(topic: string, document: JsonObject): void {
    const unit = unitOfTopic(topic);
    if (this.#passes(unit)) return this.#publisher.publishState(topic, document);
    const held = this.#held.get(unit) ?? new Map<string, JsonObject>();
    this.#held.set(unit, held.set(topic, document));
  }

  removeState(topic: string): void {
    const unit = unitOfTopic(topic);
    if (this.#passes(unit)) return this.#publisher.removeState(topic);
    const held = this.#held.get(unit);
    held?.delete(topic);
    if (held?.size === 0) this.#held.delete(unit);
  }

  publishEvent(topic: string, data: JsonObject | (() => JsonObject), reach?: EventReach): void {
    if (!this.#passes(unitOfTopic(topic))) return;
    if (this.#doubted.delete(topic)) this.#publisher.publishLoss(topic, 1);
    this.#publisher.publishEvent(topic, data, reach);
  }

  /** Events of this topic may be lost, and no subscriber here knows of any yet. */
  doubt(topic: string): void {
    this.#doubted.add(topic);
  }

  /** The unit is owned from now on: what was kept back of it is published. */
  open(unit: string): void {
    const held = this.#held.get(unit);
    this.#held.delete(unit);
    for (const [topic, document] of held ?? []) this.#publisher.publishState(topic, document);
  }

  #passes(unit: string): boolean {
    return unit === '' || this.#owns(unit);
  }
}
