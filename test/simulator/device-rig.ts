import type { ListenerHandlers } from '../../src/links/link.ts';
import { parseFaults } from '../../src/simulator/faults.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import type { DeviceBehaviour, SimulatorEvent } from '../../src/simulator/settings.ts';
import { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLink } from '../support/fake-link.ts';

export const IDENTITY = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Frames of the protocol as hex, written by hand from its definition. */
export const WIRE = {
  register: `0000003400${hexOf(IDENTITY.appid)}${hexOf(IDENTITY.imei)}`,
  registered: '000000020000',
  refused: '0000000200ff',
  heartbeat: '0000000101',
  beaten: '000000020100',
  datetime: '0000000102',
  time: (text: string): string => `000000150200${hexOf(text)}`,
} as const;

/** A simulated device on fake links and a fake clock. */
export class DeviceRig {
  readonly clock = new FakeClock();
  readonly events: SimulatorEvent[] = [];
  readonly links: FakeLink[] = [];
  readonly device: SimulatedDevice;
  #listener: ListenerHandlers | undefined;

  constructor(way: 'dials' | 'listens', faults = '', behaviour: DeviceBehaviour = {}, seed = 1) {
    this.device = new SimulatedDevice(
      {
        ...behaviour,
        name: 'sim-1',
        address:
          way === 'dials'
            ? { scheme: 'tcp', host: '10.0.0.7', port: 9089 }
            : { scheme: 'tcp-listen', host: '127.0.0.1', port: 9089 },
        identity: IDENTITY,
        faults: parseFaults(faults),
      },
      {
        clock: this.clock,
        random: seededRandom(seed),
        report: (event) => this.events.push(event),
        dial: () => this.#newLink(),
        listen: () => ({
          address: '127.0.0.1:9089',
          start: (handlers) => {
            this.#listener = handlers;
            handlers.listening('127.0.0.1:9089');
          },
          close: () => queueMicrotask(() => this.#listener?.closed({ code: 'link_ended', detail: 'closed' })),
        }),
      },
    );
  }

  /** The link in use: the last one. */
  get link(): FakeLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('the device has no link');
    return link;
  }

  /** Starts it and brings up its first link. */
  async up(): Promise<this> {
    await this.device.start();
    if (this.#listener === undefined) this.link.connect();
    else this.comeIn();
    return this;
  }

  /** A peer dials the listening device. */
  comeIn(): void {
    this.#listener?.accepted(this.#newLink(), '10.0.0.9');
    this.link.connect();
  }

  /** The peer sends these frames in one chunk. */
  receive(...hex: string[]): void {
    this.link.data(Uint8Array.from(Buffer.from(hex.join(''), 'hex')));
  }

  /** All bytes sent since the last call, as hex. */
  sent(): string {
    return Buffer.concat(this.link.takeSent()).toString('hex');
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  #newLink(): FakeLink {
    const link = new FakeLink();
    this.links.push(link);
    return link;
  }
}

/** Lets ends that a link tells of later be told. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
