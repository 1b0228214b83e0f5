import type { BridgeConfig, DeviceConfig, ListenerConfig } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import type { ReadConfig } from '../../config/read.ts';
import type { FailedDevice } from '../../config/report.ts';
import type { ProtocolDeclaration } from '../../protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../protocol/declared/declared-protocol.ts';

/** Entries that go into one part: as many as are rebuilt in a few milliseconds. */
const ENTRIES_A_PART = 100;

/** What is compiled cannot cross to another thread: the number of its declaration stands in its place. */
type Crossing<T> = Omit<T, 'messages'> & { readonly spoken?: number };

/** A configuration in pieces that can be cloned, each small enough to be taken in without holding the loop. */
export type ConfigPart =
  | { readonly part: 'protocol'; readonly declaration: ProtocolDeclaration }
  | { readonly part: 'devices'; readonly entries: readonly Crossing<DeviceConfig>[] }
  | { readonly part: 'listeners'; readonly entries: readonly Crossing<ListenerConfig>[] }
  | { readonly part: 'failed'; readonly entries: readonly FailedDevice[] }
  | { readonly part: 'problems'; readonly entries: readonly Problem[] }
  | {
      readonly part: 'last';
      readonly config: Omit<BridgeConfig, 'devices' | 'listeners'> | undefined;
      readonly sources: ReadConfig['sources'];
    };

/** Takes a configuration apart. */
export function* partsOf({ config, failed, problems, sources }: ReadConfig): Generator<ConfigPart, void> {
  const numbers = new Map<DeclaredProtocol, number>();
  const { devices = [], listeners = [], ...rest } = config ?? {};
  for (const { messages } of [...devices, ...listeners]) {
    if (messages === undefined || numbers.has(messages)) continue;
    numbers.set(messages, numbers.size);
    yield { part: 'protocol', declaration: messages.declaration };
  }
  const crossing = <T extends { readonly messages?: DeclaredProtocol }>({ messages, ...entry }: T) => {
    const spoken = messages === undefined ? undefined : numbers.get(messages);
    return spoken === undefined ? entry : { ...entry, spoken };
  };
  // What is left of an entry without its messages is what `Crossing` says.
  for (const entries of chunks(devices))
    yield { part: 'devices', entries: entries.map(crossing) as Crossing<DeviceConfig>[] };
  for (const entries of chunks(listeners))
    yield { part: 'listeners', entries: entries.map(crossing) as Crossing<ListenerConfig>[] };
  for (const entries of chunks(failed)) yield { part: 'failed', entries };
  for (const entries of chunks(problems)) yield { part: 'problems', entries };
  // Every key but the two lists, which went before.
  const left = rest as Omit<BridgeConfig, 'devices' | 'listeners'>;
  yield { part: 'last', config: config === undefined ? undefined : left, sources };
}

/** Puts the parts together again, in the order in which they were made. */
export class ConfigAssembly {
  readonly #protocols: DeclaredProtocol[] = [];
  readonly #devices: DeviceConfig[] = [];
  readonly #listeners: ListenerConfig[] = [];
  readonly #failed: FailedDevice[] = [];
  readonly #problems: Problem[] = [];

  /** Returns the configuration with its last part. */
  add(part: ConfigPart): ReadConfig | undefined {
    switch (part.part) {
      case 'protocol':
        this.#protocols.push(new DeclaredProtocol(part.declaration));
        return undefined;
      case 'devices':
        // An entry was a `DeviceConfig` before its messages were taken out.
        this.#devices.push(...part.entries.map((each) => this.#whole(each) as DeviceConfig));
        return undefined;
      case 'listeners':
        this.#listeners.push(...part.entries.map((each) => this.#whole(each) as ListenerConfig));
        return undefined;
      case 'failed':
        this.#failed.push(...part.entries);
        return undefined;
      case 'problems':
        this.#problems.push(...part.entries);
        return undefined;
      case 'last': {
        const found = { failed: this.#failed, problems: this.#problems, sources: part.sources };
        if (part.config === undefined) return found;
        return {
          ...found,
          config: { ...part.config, devices: this.#devices, listeners: this.#listeners },
        };
      }
    }
  }

  #whole({ spoken, ...entry }: { readonly spoken?: number }): object {
    const messages = spoken === undefined ? undefined : this.#protocols[spoken];
    return messages === undefined ? entry : { ...entry, messages };
  }
}

function* chunks<T>(entries: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < entries.length; at += ENTRIES_A_PART) yield entries.slice(at, at + ENTRIES_A_PART);
}
