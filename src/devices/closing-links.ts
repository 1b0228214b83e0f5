import type { BusConfig } from '../config/index.ts';
import { addressLabel } from '../links/index.ts';
import type { Clock } from '../system/index.ts';

/** A link that is closed in order is gone after this time, in ms. */
const LONGEST_MS = 2_000;

interface ClosingLink {
  readonly device: string;
  /** What it holds exclusively. */
  readonly resources: readonly string[];
  readonly gone: Promise<void>;
}

/** The links that are open or being closed: a new link waits here until the resources it needs are free. */
export class ClosingLinks {
  readonly #clock: Clock;
  readonly #links = new Set<ClosingLink>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A link of a device is being opened; the returned function is to be called when it is gone. */
  opened(device: string, resources: readonly string[]): () => void {
    let left = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const link = { device, resources, gone };
    this.#links.add(link);
    return () => {
      this.#links.delete(link);
      left();
    };
  }

  /** What waits until the present links of these devices are gone, as far as they hold one of these resources. */
  closingOf(devices: ReadonlySet<string>): (resources: readonly string[]) => Promise<void> {
    const links = [...this.#links].filter(({ device }) => devices.has(device));
    return (resources) => {
      const awaited = links.filter((link) => link.resources.some((each) => resources.includes(each)));
      return this.#all(awaited.map(({ gone }) => gone));
    };
  }

  #all(gone: readonly Promise<void>[]): Promise<void> {
    if (gone.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(this.#clock.now().monoMs + LONGEST_MS, resolve);
      void Promise.all(gone).then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** What a dialled device needs for itself. A serial port has many names, so all of them count as one. */
export const resourcesOf = ({ id, links }: Pick<BusConfig, 'id' | 'links'>): string[] => [
  `device ${id}`,
  ...links.map((link) => (link.scheme === 'serial' ? 'serial' : addressLabel(link))),
];
