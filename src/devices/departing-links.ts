import type { Clock } from '../system/clock.ts';

/** A link that is closed in order is gone by then, whatever its peer does. */
const LONGEST_MS = 2_000;

interface Departing {
  readonly device: string;
  /** What it takes for itself. */
  readonly claims: readonly string[];
  readonly gone: Promise<void>;
}

/** The links that are open or being closed, so that whoever needs what one of them holds can wait for it. */
export class DepartingLinks {
  readonly #clock: Clock;
  readonly #links = new Set<Departing>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A link of a device is being opened; the returned function is to be called when it is gone. */
  opened(device: string, claims: readonly string[]): () => void {
    let left = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const link = { device, claims, gone };
    this.#links.add(link);
    return () => {
      this.#links.delete(link);
      left();
    };
  }

  /** What waits until the present links of these devices are gone, as far as they hold one of the claims. */
  departuresOf(devices: ReadonlySet<string>): (claims: readonly string[]) => Promise<void> {
    const links = [...this.#links].filter(({ device }) => devices.has(device));
    return (claims) => {
      const awaited = links.filter((link) => link.claims.some((each) => claims.includes(each)));
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
