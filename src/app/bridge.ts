import { randomBytes } from 'node:crypto';
import { followAccess, requireClosed } from '../access/access-of-bridge.ts';
import { Authenticator } from '../access/authenticator.ts';
import { admissionLimits } from '../access/connection-gate.ts';
import { requestLimits } from '../access/request-limits.ts';
import type { ConfigDiff } from '../config/diff-config.ts';
import type { BridgeConfig } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import type { FailedDevice, LoadedConfig } from '../config/report.ts';
import { performCommand } from '../devices/commands.ts';
import type { SendProgress } from '../devices/core/file-sender.ts';
import type { DeviceDirectory } from '../devices/device-directory.ts';
import type { FileSource } from '../devices/files/file-upload.ts';
import { type SendFileOptions, sendFile } from '../devices/files/send-file.ts';
import { UploadStore } from '../devices/files/upload-store.ts';
import { Fleet } from '../devices/fleet.ts';
import { KnownDevices } from '../devices/known-devices.ts';
import { knownDevices } from '../devices/known-records.ts';
import { Encryption } from '../encryption/encryption.ts';
import { HeartwireError } from '../errors.ts';
import { FeedStore } from '../feed/core/store.ts';
import { liveLimits } from '../feed/hub/limits.ts';
import { JsonLinesServer } from '../feed/transports/json-lines-server.ts';
import { SseServer } from '../feed/transports/sse-server.ts';
import type { NameResolver } from '../links/names/name-resolver.ts';
import { noteCommand, recorderFor } from '../recording/bridge-recorder.ts';
import type { Recorder } from '../recording/recorder.ts';
import { HttpServer } from '../server/http/http-server.ts';
import type { ProcessUsage } from '../server/metrics/bridge-families.ts';
import { Arrivals } from '../system/arrivals.ts';
import type { Clock } from '../system/clock.ts';
import { type Affected, tellDefect } from '../system/defect.ts';
import type { Log } from '../system/log.ts';
import { TlsSource } from '../system/tls-source.ts';
import { BridgeStatus } from './bridge-status.ts';
import { FeedServer } from './feed-server.ts';
import { logRefusal, logSubscriber, Monitoring } from './monitoring.ts';
import { ConfigApplier, type ConfigOutcome } from './reload/config-applier.ts';

export interface BridgeOptions {
  readonly config: BridgeConfig;
  /** Devices that can't be run, to be shown as failed. */
  readonly failed?: readonly FailedDevice[];
  /** What was found in the file of the configuration, to be shown in `bridge/status`. */
  readonly problems?: readonly Problem[];
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Records every device that does not say `record: false` into this folder. */
  readonly recordDir?: string | undefined;
  /** Remembers unannounced devices in this file, for the next run. */
  readonly knownFile?: string | undefined;
  /** In [0, 1); `Math.random` by default. */
  readonly random?: () => number;
  /** Resolves the names of devices and listeners; the resolver of the process by default. */
  readonly names?: NameResolver | undefined;
  /** For the metrics; what the process uses is not told where it is left out. */
  readonly usage?: (() => ProcessUsage) | undefined;
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

/** The whole product in one object: devices in, feed out. */
export class Bridge {
  readonly store: FeedStore;
  readonly #options: BridgeOptions;
  readonly #secrecy: Encryption;
  readonly #known: KnownDevices | undefined;
  readonly #observation: Monitoring;
  readonly #auth: Authenticator;
  readonly #fleet: Fleet;
  readonly #feed: FeedServer;
  readonly #http: HttpServer;
  readonly #lines: JsonLinesServer | undefined;
  readonly #tls: TlsSource | undefined;
  readonly #status: BridgeStatus;
  readonly #applier: ConfigApplier;
  #recorder: Recorder | undefined;
  readonly #uploads: UploadStore | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BridgeOptions) {
    const { config, clock } = options;
    const { server } = config;
    // 96 bits: a position of another life of the bridge is never taken for one of this.
    const epoch = randomBytes(12).toString('base64url');
    this.store = new FeedStore({ epoch, tell: 'followed' });
    this.#uploads = config.files && new UploadStore(config.files, clock);
    this.#observation = new Monitoring({
      ...options,
      store: this.store,
      uploads: this.#uploads,
      config: () => this.#applier?.config ?? config,
      configStatus: () => this.#applier.status(),
      fleet: () => this.#fleet,
      subscriberRegistry: () => this.#feed.subscriberRegistry,
      recorder: () => this.#recorder,
    });
    const { log } = this.#observation;
    this.#options = { ...options, log };
    this.#auth = new Authenticator(config.access, clock);
    this.#secrecy = new Encryption(this.store, log);
    const arrivals = new Arrivals();
    this.#fleet = new Fleet({
      config,
      arrivals,
      failed: options.failed ?? [],
      clock,
      log,
      random: options.random ?? Math.random,
      publisher: this.#secrecy.publisher,
      uploads: this.#uploads,
      names: options.names,
      recorder: () => this.#recorder,
      wantsBytes: (topic) => this.store.followsBytes && this.#feed.hasAudience(topic),
      retired: this.#observation.retired,
      knownChanged: () => this.#known?.changed(),
    });
    const { knownFile } = options;
    const devices = () => knownDevices(this.directory, (topic) => this.#secrecy.conceals(topic), clock);
    this.#known =
      knownFile === undefined ? undefined : new KnownDevices({ file: knownFile, clock, log, devices });
    this.#applier = new ConfigApplier({
      config,
      problems: options.problems ?? [],
      clock,
      run: (diff, next, failed) => this.#run(diff, next, failed),
      applied: () => this.#status.publish(),
    });
    const running = () => this.#applier.config;
    const { directory } = this;
    this.#recorder = this.#makeRecorder();
    const onDefect = (affected: Affected, cause: unknown): void => void tellDefect(log, affected, cause);
    this.#feed = new FeedServer({
      store: this.store,
      arrivals,
      clock,
      auth: this.#auth,
      get origins() {
        return running().server.origins;
      },
      host: server.host,
      get hosts() {
        return running().server.hosts;
      },
      get trustedProxies() {
        return running().server.trustedProxies;
      },
      ...liveLimits(server),
      commands: (command) =>
        noteCommand(command, directory, this.#recorder) ??
        this.#secrecy.outcome(command.device, performCommand(directory, command)),
      onLog: (entry) => logSubscriber(log, entry),
      onDefect,
    });
    const failed = (error: HeartwireError): void => log.error({ code: error.code }, error.message);
    const tls =
      server.tls &&
      new TlsSource({
        files: server.tls,
        clock,
        renewed: (until) =>
          log.info(
            { event: 'certificate_loaded' },
            `a new certificate is served, valid until ${new Date(until).toISOString()}`,
          ),
        failed,
      });
    this.#tls = tls;
    const { tcp } = server;
    const { subscriberRegistry } = this.#feed;
    this.#lines =
      tcp &&
      new JsonLinesServer({
        subscriberRegistry,
        host: tcp.host,
        port: tcp.port,
        ...(tls && tcp.tls ? { tls } : {}),
        failed,
      });
    this.#http = new HttpServer({
      ...(this.#uploads === undefined ? {} : { files: this.#uploads }),
      host: server.host,
      port: server.port,
      get hosts() {
        return running().server.hosts;
      },
      get origins() {
        return running().server.origins;
      },
      store: this.store,
      feedServer: this.#feed,
      eventStreams: new SseServer(this.#feed.subscriberRegistry),
      auth: this.#auth,
      refused: (address, detail) => logRefusal(log, address, detail),
      get trustedProxies() {
        return running().server.trustedProxies;
      },
      ...admissionLimits(server),
      ...requestLimits(server),
      ...(tls === undefined ? {} : { tls }),
      clock,
      health: () => ({ version: options.version, devices: directory.countByStatus() }),
      further: this.#observation.routes,
      failed,
      onDefect,
    });
    this.#status = new BridgeStatus({
      version: options.version,
      clock,
      directory,
      deviceListeners: () => this.#fleet.deviceListeners(),
      publisher: this.store,
      recorder: () => this.#recorder,
      config: () => this.#applier.status(),
    });
  }

  get directory(): DeviceDirectory {
    return this.#fleet.directory;
  }

  /**
   * Serves, listens and dials. A port that can't be had is an error here, and is fixed by itself later on.
   * @throws HeartwireError `config_insecure`, `config_key_unreadable`, `address_in_use`, `address_unavailable`, `listen_failed`
   */
  async start(): Promise<BridgeAddresses> {
    try {
      requireClosed(this.#options.config, this.#options.log);
      await this.#auth.start();
      this.#secrecy.follow(this.#options.config.secrecy);
      this.#observation.start();
      await this.#recorder?.start();
      await this.#uploads?.start();
      const { url, port } = await this.#http.start();
      const lines = await this.#lines?.start();
      for (const device of (await this.#known?.load()) ?? []) this.#fleet.restore(device);
      const listeners = await this.#fleet.start();
      this.#status.start();
      this.#observation.started();
      return { url, port, ...(lines === undefined ? {} : { lines }), listeners };
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Runs another version of the configuration in a bridge that was started: what is different is applied, and only that.
   * A part of it that is wrong stays as it was, and so does everything where the file as a whole cannot be used. Resolves
   * once links that had to make room are gone and new listeners were tried.
   */
  apply(loaded: LoadedConfig): Promise<ConfigOutcome> {
    return this.#applier.apply(loaded);
  }

  /** Closes the links of all devices, tells the subscribers, and lets go of every port. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #run(
    diff: ConfigDiff,
    config: BridgeConfig,
    failed: readonly FailedDevice[],
  ): Promise<HeartwireError | undefined> {
    if (this.#closing !== undefined) return undefined;
    this.#followLimits(config);
    this.#observation.follow(config);
    const locked = await followAccess(this.#auth, config, this.#options.log);
    if (this.#recorder === undefined) {
      this.#recorder = this.#makeRecorder();
      await this.#recorder?.start();
    }
    // Before a device that shall be secret says its first word.
    this.#secrecy.follow(config.secrecy);
    await this.#fleet.apply(diff, config, failed);
    return locked;
  }

  #followLimits({ server }: BridgeConfig): void {
    const limits = liveLimits(server);
    this.#feed.subscriberRegistry.follow(limits);
    this.#http.follow({ ...limits, ...requestLimits(server) });
    this.#lines?.follow(limits);
  }

  #makeRecorder(): Recorder | undefined {
    const { recordDir, clock, log } = this.#options;
    const config = () => this.#applier.config;
    return recorderFor({ config, recordDir, clock, log, directory: this.directory });
  }

  async #close(): Promise<void> {
    this.#observation.draining();
    this.#status.stop();
    // The subscribers first: what they last saw of a device is how it was, not that we let go of it.
    await Promise.all([this.#feed[Symbol.asyncDispose](), this.#lines?.[Symbol.asyncDispose]()]);
    // As long as the devices are connected: the next run shall know that they were.
    await this.#known?.close();
    this.#fleet.stop();
    await this.#applier[Symbol.asyncDispose]();
    await this.#recorder?.close();
    await this.#uploads?.[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
    this.#tls?.[Symbol.dispose]();
    this.#observation.stop();
  }

  /**
   * Sends a file in the chunks that the device's messages declare, over links that may come and go meanwhile.
   * @throws HeartwireError `device_unknown`, `message_unknown`, and as `uploadFile`
   */
  async sendFile(device: string, source: FileSource, options: SendFileOptions = {}): Promise<SendProgress> {
    const runner = this.directory.get(device);
    if (runner === undefined) throw new HeartwireError('device_unknown', `There is no device ${device}.`);
    return sendFile(runner, () => this.directory.get(device), source, this.#options.clock, options);
  }
}
