import type { JsonObject } from '../contract/wire/index.ts';
import type { DeviceListenerStatus, DeviceReading } from '../devices/index.ts';

export interface ReadinessOptions {
  /** Devices without which the bridge is of no use, by the present configuration. */
  required(): readonly string[];
  reading(device: string): DeviceReading | undefined;
  listeners(): readonly DeviceListenerStatus[];
  /** What of the other instances this one cannot do without; absent: it is the only one. */
  backplane?(): 'joining' | 'superseded' | undefined;
}

/** Why work is not to be sent here now. */
export interface NotReady extends JsonObject {
  readonly kind:
    | 'starting'
    | 'draining'
    | 'listener_down'
    | 'device_awaited'
    | 'backplane_awaited'
    | 'superseded';
  readonly message: string;
  readonly devices?: readonly JsonObject[];
  readonly listeners?: readonly string[];
}

/**
 * Whether the bridge can do its work: it listens wherever it should, every required device came up at least once, and
 * it does not stop. A device, or the server of the instances, that goes away later makes nothing unready: to take the
 * bridge out would not fix it.
 */
export class Readiness {
  readonly #options: ReadinessOptions;
  /** Devices that came up before they were configured again; those did not fail to come up. */
  readonly #cameUp = new Set<string>();
  #phase: 'starting' | 'running' | 'draining' = 'starting';

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** Everything was bound and dialled. */
  started(): void {
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  draining(): void {
    this.#phase = 'draining';
  }

  /** A device was stopped; what it was is not forgotten where it is required. */
  retire({ id, tally }: DeviceReading): void {
    if (tally.lives > 0 && this.#options.required().includes(id)) this.#cameUp.add(id);
  }

  /** Empty: ready. */
  reasons(): readonly NotReady[] {
    const found: NotReady[] = [];
    if (this.#phase === 'starting') found.push({ kind: 'starting', message: 'The bridge is being started.' });
    if (this.#phase === 'draining') found.push({ kind: 'draining', message: 'The bridge is being stopped.' });
    const down = this.#options.listeners().filter(({ status }) => status !== 'listening');
    if (down.length > 0 && this.#phase === 'running') {
      const listeners = down.map(({ address }) => address);
      found.push({
        kind: 'listener_down',
        message: `Devices cannot dial in at ${counted(down.length, 'address', 'addresses')}.`,
        listeners,
      });
    }
    const backplane = this.#options.backplane?.();
    if (backplane === 'joining') {
      found.push({ kind: 'backplane_awaited', message: 'The server of the instances never answered.' });
    } else if (backplane === 'superseded') {
      found.push({ kind: 'superseded', message: 'Another process has the name of this instance.' });
    }
    const awaited = this.#options.required().filter((id) => !this.#isKnown(id));
    if (awaited.length > 0) {
      found.push({
        kind: 'device_awaited',
        message: `${counted(awaited.length, 'required device', 'required devices')} never came up.`,
        devices: awaited.map((id) => this.#shown(id)),
      });
    }
    return found;
  }

  #isKnown(id: string): boolean {
    return this.#cameUp.has(id) || (this.#options.reading(id)?.tally.lives ?? 0) > 0;
  }

  #shown(device: string): JsonObject {
    const state = this.#options.reading(device)?.state;
    if (state === undefined) return { device, status: 'unknown' };
    const { reason, detail } = { ...state.link, ...state };
    return {
      device,
      status: state.status,
      link: state.link.status,
      ...(reason === undefined ? {} : { reason }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
