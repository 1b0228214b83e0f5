import { HeartwireError } from '../../errors.ts';
import { type LinkAddress, type ListenAddress, PtyPair, parseLinkAddress } from '../../links/index.ts';
import type { DeclaredProtocol } from '../../protocol/index.ts';
import {
  type DeclaredSettings,
  SimulatedDevice,
  SimulatedFleet,
  seededRandom,
} from '../../simulator/index.ts';
import { systemClock } from '../../system/index.ts';
import { APPID, METERS, NAMED_IMEI, NOISY, TRUCKS } from './demo-config.ts';
import {
  boardModel,
  loggerSaid,
  meterModel,
  supplyModel,
  TRACKER_SAID,
  thermostatModel,
  trackerModel,
} from './demo-models.ts';

const ANYWHERE: ListenAddress = { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 };
const MADE_UP = { appid: APPID, imei: '490154203237518' };
/** So that the lights change while one watches: stands still for 8 s, works for 24 s. */
const UNSTEADY = { stallMs: 8_000 };
/** A connection every 20 s, for a moment. */
const SHORT = { shortEveryMs: 20_000 };
/** The third meter does not answer for 9 s, for the first time after 8 s, and then every 45 s. */
const FAILING = { address: METERS[2], everyMs: 45_000, forMs: 9_000 };
const FIRST_FAILURE_MS = 8_000;
const LOCATION_EVERY_MS = 2_000;
const BEAT_EVERY_MS = 5_000;

/** Messages of the devices of the demo, by their files or packs. */
export interface DemoMessages {
  readonly supply: DeclaredProtocol;
  readonly meter: DeclaredProtocol;
  readonly thermostat: DeclaredProtocol;
  readonly board: DeclaredProtocol;
  readonly logger: DeclaredProtocol;
  readonly tracker: DeclaredProtocol;
}

/** The simulated devices of the demo, on real links. Its owner disposes of it. */
export class DemoFleet implements AsyncDisposable {
  readonly #running: AsyncDisposable[] = [];
  readonly #messages: DemoMessages;
  #count = 0;
  #ptys = true;

  constructor(messages: DemoMessages) {
    this.#messages = messages;
  }

  /** How many devices were started. */
  get count(): number {
    return this.#count;
  }

  /** Some sit on serial lines. */
  get hasPtys(): boolean {
    return this.#ptys;
  }

  /** Starts those that are dialled; where they are, as in `link`. */
  async dialled(): Promise<Record<string, string>> {
    const { supply, meter, thermostat, board, logger } = this.#messages;
    const shift = FAILING.everyMs - FAILING.forMs - FIRST_FAILURE_MS;
    const links: Record<string, string> = {
      'psu-1': await this.#heartbeat('psu-1', {}),
      'rack-7': await this.#heartbeat('rack-7', UNSTEADY),
      supply: await this.#declared('supply', { protocol: supply, addresses: [1], model: supplyModel }),
      thermostat: await this.#declared('thermostat', {
        protocol: thermostat,
        addresses: [1],
        model: thermostatModel,
      }),
      logger: await this.#declared('logger', { protocol: logger, addresses: [1], said: loggerSaid() }),
      board: await this.#serial('board', {
        declared: { protocol: board, addresses: [1], seed: 1, everyMs: 500, model: boardModel },
      }),
      'rs485-1': await this.#serial('rs485-1', {
        declared: {
          protocol: meter,
          addresses: METERS,
          seed: 1,
          model: meterModel,
          failing: { ...FAILING, shiftMs: shift },
        },
      }),
    };
    this.#count += METERS.length - 1;
    // Noise is of a serial line: a stream would break at it.
    if (this.#ptys) links[NOISY] = await this.#serial(NOISY, { faults: { garbage: 0.2 } });
    return links;
  }

  /** Starts those that dial in: `more` with the built-in messages that no configuration names, and trackers. */
  async dialIn(own: LinkAddress, trackers: LinkAddress, more: number): Promise<void> {
    const common = { address: own, heartbeatEveryMs: 3_000 };
    const identities = [{ appid: APPID, imei: NAMED_IMEI }];
    await this.#fleet({ ...common, seed: 3, count: 1, identities });
    await this.#fleet({ ...common, seed: 4, count: Math.max(0, more - 1) });
    await this.#fleet({ ...common, seed: 5, count: Math.min(1, more), faults: SHORT });
    for (const [index, imei] of TRUCKS.entries()) {
      const declared: DeclaredSettings = {
        protocol: this.#messages.tracker,
        addresses: [1],
        seed: index,
        everyMs: LOCATION_EVERY_MS,
        heartbeatEveryMs: BEAT_EVERY_MS,
        name: imei,
        said: TRACKER_SAID,
        model: trackerModel(systemClock.now().wallMs, index / TRUCKS.length),
      };
      const faults = index === 1 ? SHORT : index === 2 ? UNSTEADY : {};
      await this.#fleet({ address: trackers, seed: 10 + index, count: 1, faults, declared });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A device goes before the line that it sits on.
    for (const each of this.#running.toReversed()) await each[Symbol.asyncDispose]();
  }

  async #fleet(options: ConstructorParameters<typeof SimulatedFleet>[0]): Promise<void> {
    const fleet = new SimulatedFleet(options, { clock: systemClock });
    this.#running.push(fleet);
    await fleet.start();
    this.#count += fleet.devices.length;
  }

  #heartbeat(name: string, faults: { readonly stallMs?: number }): Promise<string> {
    return this.#listening({ name, clockOffsetMs: -320, timeZone: 'UTC', faults });
  }

  #declared(name: string, declared: Omit<DeclaredSettings, 'seed'>): Promise<string> {
    return this.#listening({ name, declared: { ...declared, seed: 1 } });
  }

  async #listening(options: Partial<Simulated> & { readonly name: string }): Promise<string> {
    const device = await this.#start({ ...options, address: ANYWHERE });
    return `tcp:${device.listeningAt}`;
  }

  /** At the other end of a pair of ptys; over TCP where the system has none. */
  async #serial(name: string, options: Partial<Simulated>): Promise<string> {
    let pair: PtyPair;
    try {
      pair = new PtyPair();
    } catch (error) {
      if (!(error instanceof HeartwireError && error.code === 'pty_unavailable')) throw error;
      this.#ptys = false;
      return this.#listening({ ...options, name });
    }
    this.#running.push(pair);
    const [ours, theirs] = pair.paths;
    const parsed = parseLinkAddress(theirs);
    if (!parsed.ok) throw new HeartwireError('bad_address', parsed.problem);
    await this.#start({ ...options, name, address: parsed.value });
    return ours;
  }

  async #start(options: Omit<Simulated, 'identity'>): Promise<SimulatedDevice> {
    const device = new SimulatedDevice(
      { identity: MADE_UP, ...options },
      { clock: systemClock, random: seededRandom(7) },
    );
    this.#running.push(device);
    await device.start();
    this.#count += 1;
    return device;
  }
}

type Simulated = ConstructorParameters<typeof SimulatedDevice>[0];
