import type { BridgeConfig, DialledDeviceConfig, ListenerConfig } from '../config/model.ts';
import type { FailedDevice } from '../config/report.ts';
import { MessageCatalog } from '../device/message-catalog.ts';
import type { SessionPorts } from '../device/session-ports.ts';
import type { SessionSettings } from '../device/settings.ts';
import type { Publisher } from '../feed/publisher.ts';
import { listen } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import type { Clock } from './clock.ts';
import { DeviceDirectory } from './device-directory.ts';
import { DeviceRunner } from './device-runner.ts';
import { dialWire } from './dial-wire.ts';
import { failedDocument } from './failed-document.ts';
import { Gateway } from './gateway.ts';
import { formatLocalTime, parseLocalTime } from './local-time.ts';
import type { Log } from './log.ts';
import { markReplay } from './mark-replay.ts';
import type { Recorder } from './recorder.ts';
import type { Spool } from './spool.ts';

/** Files of one device that may be on their way at once, and how long a pause may be. */
const RECEIVING = { maxTransfers: 4, patienceMs: 10 * 60_000 };

export interface FleetOptions {
  readonly config: BridgeConfig;
  readonly failed: readonly FailedDevice[];
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly publisher: Publisher;
  readonly spool: Spool | undefined;
  /** Looks on at every link, where there is one. */
  recorder(): Recorder | undefined;
  /** Whether anybody listens to a topic of raw bytes. */
  wantsBytes(topic: string): boolean;
}

/** Everything that stands towards the devices: their runners, and the gateways at which they dial in. */
export class Fleet {
  readonly directory: DeviceDirectory;
  readonly #options: FleetOptions;
  readonly #ports: SessionPorts;
  readonly #gateways: readonly Gateway[];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#ports = {
      random: options.random,
      localTime: (wallMs) => formatLocalTime(wallMs),
      parseLocalTime,
    };
    this.directory = new DeviceDirectory(options.clock, (settings) => this.#makeRunner(settings));
    this.#gateways = options.config.listeners.map((listener) => this.#makeGateway(listener));
    for (const device of options.config.devices) {
      const runner = this.#makeRunner(device.session, device.kind === 'dialled' ? device : undefined);
      this.directory.add(runner, device.kind === 'matched' ? device.match : undefined);
    }
  }

  gateways(): readonly Gateway[] {
    return this.#gateways;
  }

  /**
   * Listens, then dials. Resolves with the addresses that it listens at.
   * @throws HeartwireError the code of the failure, e.g. `address_in_use`
   */
  async start(): Promise<string[]> {
    const listeners = await Promise.all(this.#gateways.map((gateway) => gateway.start()));
    const { failed, publisher, clock } = this.#options;
    for (const each of failed) {
      publisher.publishState(`devices/${each.id}/state`, failedDocument(each, clock.now().wallMs));
    }
    for (const runner of this.directory.all()) runner.start();
    return listeners;
  }

  /** Closes every link; the last states stay published. */
  stop(): void {
    for (const gateway of this.#gateways) gateway.close();
    this.directory.stop();
  }

  #makeRunner(settings: SessionSettings, device?: DialledDeviceConfig): DeviceRunner {
    const { clock, log, config, spool, publisher, recorder, wantsBytes } = this.#options;
    const messages = device === undefined ? config.messages : device.messages;
    return new DeviceRunner({
      settings,
      ports: messages === undefined ? this.#ports : this.#portsWith(messages),
      spool,
      publisher: device?.links[0].scheme === 'replay' ? markReplay(publisher) : publisher,
      clock,
      log,
      makeWire(addressIndex, owner) {
        if (device === undefined) throw new Error(`${settings.device} is not dialled`);
        return dialWire(device, addressIndex, owner, { tap: recorder()?.tap(settings.device) });
      },
      wantsBytes,
    });
  }

  #portsWith(messages: DeclaredProtocol): SessionPorts {
    const { files } = this.#options.config;
    const limits = files && { maxBytes: files.maxFileBytes, ...RECEIVING };
    return {
      ...this.#ports,
      messages: new MessageCatalog(messages),
      ...(limits === undefined ? {} : { files: limits }),
    };
  }

  #makeGateway(listener: ListenerConfig): Gateway {
    const { clock, log, config, recorder } = this.#options;
    return new Gateway({
      config: listener,
      messages: config.messages,
      directory: this.directory,
      clock,
      log,
      localTime: this.#ports.localTime,
      random: this.#ports.random,
      makeListener: () => listen(listener.link),
      tap: () => recorder()?.tapDialIn(),
    });
  }
}
