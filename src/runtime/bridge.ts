import { randomBytes } from 'node:crypto';
import type { BridgeConfig, DialledDeviceConfig, ListenerConfig } from '../config/model.ts';
import type { FailedDevice } from '../config/report.ts';
import type { SendProgress } from '../device/file-sender.ts';
import { MessageCatalog } from '../device/message-catalog.ts';
import type { SessionPorts } from '../device/session-ports.ts';
import type { SessionSettings } from '../device/settings.ts';
import type { StateDocument } from '../device/state-document.ts';
import { HeartwireError } from '../errors.ts';
import { FeedStore } from '../feed/store.ts';
import { dial, listen } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { BridgeStatus } from './bridge-status.ts';
import type { Clock } from './clock.ts';
import { collapsingLog } from './collapsing-log.ts';
import { performCommand } from './commands.ts';
import { deviceCodec, framingOf } from './device-codec.ts';
import { DeviceDirectory } from './device-directory.ts';
import { DeviceRunner } from './device-runner.ts';
import { JsonLinesServer } from './feed/json-lines-server.ts';
import { SseServer } from './feed/sse-server.ts';
import { FeedServer } from './feed-server.ts';
import type { FileSource } from './file-upload.ts';
import { Gateway } from './gateway.ts';
import { HttpServer } from './http-server.ts';
import { formatLocalTime, parseLocalTime } from './local-time.ts';
import type { Log } from './log.ts';
import { markReplay } from './mark-replay.ts';
import { noteCommand } from './note-command.ts';
import type { Recorder } from './recorder.ts';
import { recorderFor } from './recorder-of-bridge.ts';
import { type SendFileOptions, sendFile } from './send-file.ts';
import { Spool } from './spool.ts';
import { Wire, type WireOwner, type WireTap } from './wire.ts';
import { framingNeedsSilence } from './wire-codec.ts';

/** Silence that ends a half frame of a serial line behind a serial server, in ms. */
const SERIAL_SERVER_GAP_MS = 200;

/** Files of one device that may be on their way at once, and how long a pause may be. */
const RECEIVING = { maxTransfers: 4, patienceMs: 10 * 60_000 };

export interface BridgeOptions {
  readonly config: BridgeConfig;
  /** Devices that can't be run, to be shown as failed. */
  readonly failed?: readonly FailedDevice[];
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Records every device that does not say `record: false` into this folder. */
  readonly recordDir?: string | undefined;
  /** In [0, 1); `Math.random` by default. */
  readonly random?: () => number;
}

/** Where a started bridge is found. */
export interface BridgeAddresses {
  /** Page, API and feed. */
  readonly url: string;
  readonly port: number;
  /** The feed as JSON lines, `host:port`, where it is served. */
  readonly lines?: string;
  /** Where devices dial in, `host:port` each. */
  readonly listeners: readonly string[];
}

const sessionPorts = (random: () => number): SessionPorts => ({
  random,
  localTime: (wallMs) => formatLocalTime(wallMs),
  parseLocalTime,
});

/** The whole product in one object: devices in, feed out. */
export class Bridge {
  readonly store: FeedStore;
  readonly directory: DeviceDirectory;
  readonly #options: BridgeOptions;
  readonly #ports: SessionPorts;
  readonly #feed: FeedServer;
  readonly #http: HttpServer;
  readonly #lines: JsonLinesServer | undefined;
  readonly #gateways: readonly Gateway[];
  readonly #status: BridgeStatus;
  readonly #recorder: Recorder | undefined;
  readonly #spool: Spool | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BridgeOptions) {
    const { config, clock } = options;
    const { server } = config;
    const log = collapsingLog(options.log, clock);
    this.#options = { ...options, log };
    this.#ports = sessionPorts(options.random ?? Math.random);
    // 96 bits: a position of another life of the bridge is never taken for one of this.
    this.store = new FeedStore({ epoch: randomBytes(12).toString('base64url') });
    this.#spool = config.files && new Spool(config.files, clock);
    this.directory = new DeviceDirectory(clock, (settings) => this.#makeRunner(settings));
    const { directory } = this;
    this.#recorder = recorderFor({ config, recordDir: options.recordDir, clock, log, directory });
    this.#gateways = config.listeners.map((listener) => this.#makeGateway(listener));
    this.#feed = new FeedServer({
      store: this.store,
      clock,
      origins: server.origins,
      host: server.host,
      hosts: server.hosts,
      ...(server.flushWindowMs === undefined ? {} : { flushWindowMs: server.flushWindowMs }),
      commands: (command) =>
        noteCommand(command, this.directory, this.#recorder) ?? performCommand(this.directory, command),
      onLog: ({ event, address, client, detail }) => {
        const level = event === 'connected' || event === 'disconnected' ? 'info' : 'warn';
        const who = client === undefined ? address : `${client} at ${address}`;
        log[level](
          { event, client, address },
          `subscriber ${who} ${event}${detail === undefined ? '' : `: ${detail}`}`,
        );
      },
    });
    const failed = (error: HeartwireError): void => log.error({ code: error.code }, error.message);
    this.#lines =
      server.tcp === undefined
        ? undefined
        : new JsonLinesServer({ roster: this.#feed.roster, ...server.tcp, failed });
    this.#http = new HttpServer({
      ...(this.#spool === undefined ? {} : { files: this.#spool }),
      host: server.host,
      port: server.port,
      hosts: server.hosts,
      origins: server.origins,
      store: this.store,
      feedServer: this.#feed,
      eventStreams: new SseServer(this.#feed.roster),
      clock,
      health: () => ({ version: options.version, devices: this.directory.countByStatus() }),
      failed,
    });
    this.#status = new BridgeStatus({
      version: options.version,
      clock,
      directory: this.directory,
      gateways: this.#gateways,
      publisher: this.store,
      ...(this.#recorder === undefined ? {} : { recorder: this.#recorder }),
    });
    for (const device of config.devices) {
      const runner = this.#makeRunner(device.session, device.kind === 'dialled' ? device : undefined);
      this.directory.add(runner, device.kind === 'matched' ? device.match : undefined);
    }
  }

  /**
   * Serves, listens and dials. A port that can't be had is an error here, and is mended by itself later on.
   * @throws HeartwireError `address_in_use`, `address_unavailable`, `listen_failed`
   */
  async start(): Promise<BridgeAddresses> {
    try {
      await this.#recorder?.start();
      await this.#spool?.start();
      const { url, port } = await this.#http.start();
      const lines = await this.#lines?.start();
      const listeners = await Promise.all(this.#gateways.map((gateway) => gateway.start()));
      for (const failed of this.#options.failed ?? []) this.#publishFailed(failed);
      for (const runner of this.directory.all()) runner.start();
      this.#status.start();
      return { url, port, ...(lines === undefined ? {} : { lines }), listeners };
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Closes the links of all devices, tells the subscribers, and lets go of every port. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#status.stop();
    // The subscribers first: what they last saw of a device is how it was, not that we let go of it.
    await Promise.all([this.#feed[Symbol.asyncDispose](), this.#lines?.[Symbol.asyncDispose]()]);
    for (const gateway of this.#gateways) gateway.close();
    this.directory.stop();
    await this.#recorder?.close();
    await this.#spool?.[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
  }

  /**
   * Sends a file in the chunks that the device's messages declare, over links that may come and go meanwhile.
   * @throws HeartwireError `device_unknown`, `message_unknown`, and as `uploadFile`
   */
  async sendFile(device: string, source: FileSource, options: SendFileOptions = {}): Promise<SendProgress> {
    const runner = this.directory.get(device);
    if (runner === undefined) throw new HeartwireError('device_unknown', `There is no device ${device}.`);
    return sendFile(runner, source, this.#options.clock, options);
  }

  #makeRunner(settings: SessionSettings, device?: DialledDeviceConfig): DeviceRunner {
    const { clock, log, config } = this.#options;
    const messages = device === undefined ? config.messages : device.messages;
    return new DeviceRunner({
      settings,
      ports: messages === undefined ? this.#ports : this.#portsWith(messages),
      spool: this.#spool,
      publisher: device?.links[0].scheme === 'replay' ? markReplay(this.store) : this.store,
      clock,
      log,
      makeWire: (addressIndex, owner) =>
        makeWire(settings, device, addressIndex, owner, this.#recorder?.tap(settings.device)),
      wantsBytes: (topic) => this.#feed.hasAudience(topic),
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
    const { clock, log, config } = this.#options;
    return new Gateway({
      config: listener,
      messages: config.messages,
      directory: this.directory,
      clock,
      log,
      localTime: this.#ports.localTime,
      random: this.#ports.random,
      makeListener: () => listen(listener.link),
      tap: () => this.#recorder?.tapDialIn(),
    });
  }

  #publishFailed(failed: FailedDevice): void {
    const { wallMs } = this.#options.clock.now();
    const detail = failed.problems
      .map(({ line, column, message }) => `${line}:${column}: ${message}`)
      .join(' ');
    const document: StateDocument = {
      device: failed.id,
      status: 'unknown',
      since: wallMs,
      link: {
        status: 'failed',
        transport: 'tcp',
        since: wallMs,
        attempt: 0,
        reason: 'config_invalid',
        detail,
      },
    };
    this.store.publishState(`devices/${failed.id}/state`, document);
  }
}

function makeWire(
  settings: SessionSettings,
  device: DialledDeviceConfig | undefined,
  addressIndex: number,
  owner: WireOwner,
  tap: WireTap | undefined,
): Wire {
  const address = device?.links[addressIndex];
  // The session only orders what its settings list, and those come from the same configuration.
  if (device === undefined || address === undefined)
    throw new Error(`${settings.device} has no address ${addressIndex}`);
  const { messages, line, maxFrame } = device;
  const speech = {
    identity: settings.identity,
    builtin: settings.bare === undefined,
    maxFrame,
    line,
    messages,
  };
  const reportsSilence = line === 'serial' || framingNeedsSilence(framingOf(speech));
  const link = dial(address, {
    ...(reportsSilence && address.scheme === 'tcp'
      ? { idleAfterMs: device.gapMs ?? SERIAL_SERVER_GAP_MS }
      : {}),
    ...(device.gapMs === undefined ? {} : { gapMs: device.gapMs }),
  });
  return new Wire(link, deviceCodec(speech), owner, { tap });
}
