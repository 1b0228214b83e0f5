import type { BridgeConfig, DeviceConfig, DialledDeviceConfig, ListenerConfig } from '../config/model.ts';
import { HeartwireError } from '../errors.ts';
import { addressLabel, type LinkAddress, parseLinkAddress } from '../links/transports.ts';
import { PtyPair } from '../simulator/pty.ts';
import { seededRandom } from '../simulator/random.ts';
import { SimulatedDevice } from '../simulator/simulated-device.ts';
import { SimulatedFleet } from '../simulator/simulated-fleet.ts';
import { systemClock } from '../system/clock.ts';

const ANYWHERE = { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 } as const;
/** An address at which nothing listens, as far as anybody knows. */
const NOBODY: LinkAddress = { scheme: 'tcp', host: '127.0.0.1', port: 1 };
const APPID = '996da38d-a7be-4947-aa4c-f8208b5f4ade';
const MADE_UP = { appid: APPID, imei: '490154203237518' };
/** So that the lights change while one watches: stands still for 8 s, works for 24 s. */
const UNSTEADY = { stallMs: 8_000 };
/** A bad cable: garbage between the frames, which the decoder sets aside. */
const NOISY = { garbage: 0.2 };
const SERIAL = 'bench-3';
/** A connection every 20 s, for a moment. */
const SHORT = { shortEveryMs: 20_000 };
const PRESENCE = { everyMs: 20_000 };

/** Simulated devices for a configuration: those that it dials, and those that dial in. */
export class DemoFleet {
  readonly #running: AsyncDisposable[] = [];
  #count = 0;

  /** How many devices were started. */
  get count(): number {
    return this.#count;
  }

  /**
   * Starts a device for every one that the configuration dials, on free ports, and gives the configuration that leads
   * there. Of several addresses only the last one answers.
   */
  async dialled(config: BridgeConfig): Promise<BridgeConfig> {
    const devices: DeviceConfig[] = [];
    for (const device of config.devices) {
      devices.push(device.kind === 'dialled' ? await this.#dialled(device) : device);
    }
    const listeners = config.listeners.map((listener) => ({
      ...listener,
      session: { ...listener.session, presence: PRESENCE },
    }));
    return { ...config, devices, listeners };
  }

  /**
   * Starts a device at the other end of a pair of ptys, and gives its configuration; nothing where the system has no
   * ptys.
   */
  async serial(config: BridgeConfig): Promise<DialledDeviceConfig | undefined> {
    const model = config.devices.find((device) => device.kind === 'dialled');
    if (model?.kind !== 'dialled') return undefined;
    let pair: PtyPair;
    try {
      pair = new PtyPair();
    } catch (error) {
      if (error instanceof HeartwireError && error.code === 'pty_unavailable') return undefined;
      throw error;
    }
    this.#running.push(pair);
    const [ours, theirs] = pair.paths.map((path) => reportedAddress(path));
    if (ours === undefined || theirs === undefined) return undefined;
    const simulated = new SimulatedDevice(
      { name: SERIAL, address: theirs, identity: MADE_UP, timeZone: 'UTC', faults: NOISY },
      { clock: systemClock, random: seededRandom(9) },
    );
    this.#running.push(simulated);
    await simulated.start();
    this.#count += 1;
    const session = { ...model.session, device: SERIAL, transport: 'serial' as const };
    const addresses = [addressLabel(ours)];
    return {
      kind: 'dialled',
      id: SERIAL,
      links: [ours],
      line: 'serial',
      maxFrame: 52,
      session: { ...session, addresses },
    };
  }

  async #dialled(device: DialledDeviceConfig): Promise<DialledDeviceConfig> {
    const address = await this.#listening(device);
    const links = device.links.map((_, index) => (index === device.links.length - 1 ? address : NOBODY));
    const [first = address, ...others] = links;
    const addresses = [first, ...others].map(addressLabel);
    return { ...device, links: [first, ...others], session: { ...device.session, addresses } };
  }

  async #listening(device: DialledDeviceConfig): Promise<LinkAddress> {
    const simulated = new SimulatedDevice(
      {
        name: device.id,
        address: ANYWHERE,
        identity: device.session.register ?? MADE_UP,
        clockOffsetMs: -320,
        timeZone: 'UTC',
        ...(device.links.length > 1 ? { faults: UNSTEADY } : {}),
      },
      { clock: systemClock, random: seededRandom(7) },
    );
    this.#running.push(simulated);
    await simulated.start();
    this.#count += 1;
    return reportedAddress(simulated.listeningAt ?? '');
  }

  /** Starts the devices that dial in at `address`: those that the configuration names, and `unknown` others. */
  async dialIn(config: BridgeConfig, address: LinkAddress, unknown: number): Promise<void> {
    const named = config.devices.flatMap((device) =>
      device.kind === 'matched' && device.match.imei !== undefined
        ? [{ appid: device.match.appid ?? APPID, imei: device.match.imei }]
        : [],
    );
    const common = { address, seed: 3, heartbeatEveryMs: 3_000 };
    const fleets = [
      new SimulatedFleet({ ...common, count: named.length, identities: named }, { clock: systemClock }),
      new SimulatedFleet({ ...common, seed: 4, count: Math.max(0, unknown - 2) }, { clock: systemClock }),
      new SimulatedFleet(
        { ...common, seed: 5, count: Math.min(1, unknown), faults: UNSTEADY },
        { clock: systemClock },
      ),
      new SimulatedFleet(
        { ...common, seed: 6, count: unknown > 1 ? 1 : 0, faults: SHORT },
        { clock: systemClock },
      ),
    ];
    for (const fleet of fleets) {
      this.#running.push(fleet);
      await fleet.start();
      this.#count += fleet.devices.length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A device goes before the line that it sits on.
    for (const each of this.#running.toReversed()) await each[Symbol.asyncDispose]();
  }
}

/** The same listeners at any free port, for when the configured one is taken. */
export function anywhere(listeners: readonly ListenerConfig[]): ListenerConfig[] {
  return listeners.map((listener) => ({ ...listener, link: { ...listener.link, port: 0 } }));
}

/** An address as a listener of ours (`host:port`) or a pty (a path) reported it. */
export function reportedAddress(text: string): LinkAddress {
  const parsed = parseLinkAddress(text.startsWith('/') ? text : `tcp:${text}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}
