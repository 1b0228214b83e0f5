import type { Client, ViewChange } from '../../client/index.ts';
import { isJsonObject, type JsonObject, ownValue } from '../../contract/wire/index.ts';

/** Declarations that are asked for, at most; devices that speak the same messages share one. */
const MOST = 64;

/** Units of the values of devices: the declarations that their states name are subscribed to as they come up. */
export class Units {
  readonly #client: Client;
  readonly #asked = new Set<string>();
  readonly #wanted: boolean;

  /** `topics` are those that people asked for. */
  constructor(client: Client, topics: readonly string[]) {
    this.#client = client;
    this.#wanted = topics.some((topic) => topic === '#' || topic.startsWith('declarations'));
  }

  /** The unit of a field (`message.field`) of the device that a topic is of; empty where it has none. */
  readonly of = (topic: string, path: string): string => {
    const device = /^devices\/([^/]+)\//.exec(topic)?.[1];
    const key =
      device === undefined ? undefined : this.#client.view.document(`devices/${device}/state`)?.declaration;
    const declaration =
      typeof key === 'string' ? this.#client.view.document(`declarations/${key}`) : undefined;
    return unitIn(declaration, path);
  };

  follow(changes: readonly ViewChange[]): void {
    for (const { document } of changes) {
      const key = document?.declaration;
      if (typeof key !== 'string' || this.#asked.has(key) || this.#asked.size === MOST) continue;
      this.#asked.add(key);
      this.#client.subscribe(`declarations/${key}`);
    }
  }

  /** Whether a topic came for the units alone. */
  hides(topic: string): boolean {
    return !this.#wanted && topic.startsWith('declarations/');
  }
}

function unitIn(declaration: JsonObject | undefined, path: string): string {
  const fields = declaration?.fields;
  const described = isJsonObject(fields) ? ownValue(fields, path) : undefined;
  return isJsonObject(described) && typeof described.unit === 'string' ? described.unit : '';
}
