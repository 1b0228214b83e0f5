import type { LinkAddress, ListenAddress } from '../links/index.ts';
import { type DeviceIdentity, forkedRandom, type Random, randomIdentity } from './random.ts';
import type { DeviceBehaviour, FrameCounts, SimulatorEvent, SimulatorPorts } from './settings.ts';
import { SimulatedDevice } from './simulated-device.ts';
import type { DeclaredSettings } from './speech.ts';
import type { SimulatorClock } from './timers.ts';

/** The starts of a fleet that dials are spread over this long, or one heartbeat interval where that is shorter. */
const SPREAD_MS = 1_000;

export interface SimulatedFleetOptions extends DeviceBehaviour {
  /** Dialled by all; a listening port other than 0 is the first of `count` ports in a row. */
  readonly address: LinkAddress | ListenAddress;
  readonly count: number;
  /** The same seed gives the same identities and the same damage. */
  readonly seed: number;
  /** Devices are called `<prefix>-1`, `<prefix>-2`, ...; default `sim`. */
  readonly prefix?: string;
  /** In place of made-up ones, for the first devices. */
  readonly identities?: readonly DeviceIdentity[];
}

export type FleetPorts = Omit<SimulatorPorts, 'random'> & {
  readonly clock: SimulatorClock;
  readonly report?: (event: SimulatorEvent) => void;
};

/** Many devices of one kind, each with an identity and a sequence of random numbers of its own. */
export class SimulatedFleet implements AsyncDisposable {
  readonly devices: readonly SimulatedDevice[];

  constructor(options: SimulatedFleetOptions, ports: FleetPorts) {
    const { count, seed, prefix = 'sim', identities = [], address, ...behaviour } = options;
    const spreadMs = count > 1 ? Math.min(SPREAD_MS, behaviour.heartbeatEveryMs ?? SPREAD_MS) : 0;
    this.devices = Array.from({ length: count }, (_, index) => {
      const random: Random = forkedRandom(seed, index);
      const made = randomIdentity(random);
      return new SimulatedDevice(
        {
          ...behaviour,
          name: `${prefix}-${index + 1}`,
          identity: identities[index] ?? made,
          address: addressOf(address, index),
          startDelayMs: random() * spreadMs,
          ...(behaviour.declared === undefined
            ? {}
            : { declared: declaredOf(behaviour.declared, seed, index) }),
        },
        { ...ports, random },
      );
    });
  }

  /** Resolves once all listen, or will dial. @throws HeartwireError where one cannot; those that could are stopped. */
  async start(): Promise<void> {
    try {
      // One after the other: thousands of listening sockets at once gain nothing, and the first failure is the clear one.
      for (const device of this.devices) await device.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Frames of all devices. */
  counts(): FrameCounts {
    const sum: FrameCounts = { sent: 0, received: 0 };
    for (const { counts } of this.devices) {
      sum.sent += counts.sent;
      sum.received += counts.received;
    }
    return sum;
  }

  async stop(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Each has values of its own, and the first one the name that is given. */
const declaredOf = (declared: DeclaredSettings, seed: number, index: number): DeclaredSettings => ({
  ...declared,
  seed: seed + index,
  ...(index === 0 ? {} : { name: undefined }),
});

function addressOf(address: LinkAddress | ListenAddress, index: number): LinkAddress | ListenAddress {
  if (address.scheme !== 'tcp-listen' || address.port === 0) return address;
  return { ...address, port: address.port + index };
}
