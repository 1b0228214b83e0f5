import { randomBytes } from 'node:crypto';
import { Authenticator, followAccess, requestLimits, requireClosed } from '../access/index.ts';
import type { joinSharedFeed, SharedFeed } from '../backplane/index.ts';
import type {
  BlackBoxConfig,
  BridgeConfig,
  ConfigDiff,
  FailedDevice,
  LoadedConfig,
  Problem,
} from '../config/index.ts';
import type { CommandOutcome, FeedClient, FeedCommand } from '../contract/index.ts';
import {
  type DeviceDirectory,
  type FileSource,
  Fleet,
  KnownDevices,
  knownDevices,
  performCommand,
  type SendFileOptions,
  type SendProgress,
  sendFile,
  UploadStore,
} from '../devices/index.ts';
import { Encryption } from '../encryption/index.ts';
import { HeartwireError } from '../errors.ts';
import { FeedServer, FeedStore, JsonLinesServer, liveLimits, SseServer } from '../feed/index.ts';
import { History, HistoryRoutes, PastAlarms } from '../history/index.ts';
import { lookupOf, type NameResolver } from '../links/index.ts';
import { Outputs } from '../outputs/index.ts';
import { BridgeRecorder } from '../recording/index.ts';
import { HttpServer, incidentRoutes, type ProcessUsage } from '../server/index.ts';
import {
  type Affected,
  Arrivals,
  type Clock,
  LiveConfig,
  type Log,
  TlsSource,
  tellDefect,
} from '../system/index.ts';
import { BridgeCommands } from './bridge-commands.ts';
import { BridgeStatus } from './bridge-status.ts';
import { inspectionRoutes } from './inspection-routes.ts';
import { logRefusal, logSubscriber, Monitoring } from './monitoring.ts';
import { ConfigApplier, type ConfigOutcome } from './reload/config-applier.ts';
import type { ConfigWriter } from './reload/config-writer.ts';
import { answerPeers, clientPeers } from './shared-clients.ts';
import { sharedIncidents, shareIncidents } from './shared-incidents.ts';
import { shareHistory } from './shared-past.ts';

export interface BridgeOptions {
  readonly config: BridgeConfig;
  /** Devices that cannot run; they are shown as failed. */
  readonly failed?: readonly FailedDevice[];
  /** Problems of the file of the configuration, for `bridge/status`. */
  readonly problems?: readonly Problem[];
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Records every device that does not say `record: false` into this folder. */
  readonly recordDir?: string | undefined;
  /** Keeps the last bytes of every link as it says; absent: nothing is kept, and no incident written. */
  readonly blackBox?: BlackBoxConfig | undefined;
  /** Remembers unannounced devices in this file, for the next run. */
  readonly knownFile?: string | undefined;
  /** Keeps what was in this database. */
  readonly historyFile?: string | undefined;
  /** In [0, 1); `Math.random` by default. */
  readonly random?: () => number;
  /** Resolves the names of devices and listeners; the resolver of the process by default. */
  readonly names?: NameResolver | undefined;
  /** Adds entries to the file of the configuration; absent: none can be added over the feed. */
  readonly writer?: ConfigWriter | undefined;
  /** Joins the other instances; needed where `config.backplane` is there, and loaded only then. */
  readonly join?: typeof joinSharedFeed | undefined;
  /** For the metrics; without it they have no figures of the process. */
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

/** The whole product in one object: devices in, feed out. What is wired to what, and the order of start and stop. */
export class Bridge {
  readonly store: FeedStore;
  readonly #options: BridgeOptions;
  readonly #encryption: Encryption;
  readonly #known: KnownDevices | undefined;
  readonly #monitoring: Monitoring;
  readonly #auth: Authenticator;
  readonly #fleet: Fleet;
  readonly #feed: FeedServer;
  readonly #http: HttpServer;
  readonly #lines: JsonLinesServer | undefined;
  readonly #tls: TlsSource | undefined;
  readonly #status: BridgeStatus;
  readonly #applier: ConfigApplier;
  readonly #recorder: BridgeRecorder;
  readonly #outputs: Outputs;
  readonly #uploads: UploadStore | undefined;
  readonly #history: History | undefined;
  readonly #shared: SharedFeed | undefined;
  readonly #commands: BridgeCommands;
  #closing: Promise<void> | undefined;

  constructor(options: BridgeOptions) {
    const { config, clock, knownFile, recordDir, writer } = options;
    const { server } = config;
    const live = new LiveConfig(config);
    // 96 bits: no position of another run is ever valid in this one.
    const epoch = randomBytes(12).toString('base64url');
    this.store = new FeedStore({ epoch, notify: 'followed' });
    this.#uploads = config.files && new UploadStore(config.files, clock);
    this.#applier = new ConfigApplier({
      live,
      problems: options.problems ?? [],
      clock,
      run: (diff, next, failed) => this.#run(diff, next, failed),
      applied: () => this.#status.publish(),
    });
    const configStatus = () => this.#applier.status();
    const recorder = () => this.#recorder.recorder;
    this.#monitoring = new Monitoring({
      ...options,
      store: this.store,
      uploads: this.#uploads,
      live,
      configStatus,
      owns: config.backplane && ((id) => this.#shared?.owns(id) !== false),
      shared: config.backplane && options.join && (() => this.#shared),
      fleet: () => this.#fleet,
      subscriberRegistry: () => this.#feed.subscriberRegistry,
      recorder,
      outputs: () => this.#outputs.status(),
    });
    const { log } = this.#monitoring;
    this.#options = { ...options, log };
    this.#auth = new Authenticator(config.access, clock);
    const random = options.random ?? Math.random;
    const { backplane } = config;
    const shared = backplane && options.join?.({ config: backplane, store: this.store, clock, log, random });
    this.#shared = shared;
    this.#encryption = new Encryption(this.store, log, shared?.gate);
    this.#recorder = new BridgeRecorder({
      live,
      recordDir,
      blackBox: options.blackBox,
      clock,
      log,
      publisher: shared ? sharedIncidents(this.store, shared.instance) : this.store,
      directory: () => this.directory,
      encrypts: (topic) => this.#encryption.encrypts(topic),
    });
    const { historyFile } = options;
    const history =
      historyFile === undefined || config.history === undefined
        ? undefined
        : new History({
            ...config.history,
            file: historyFile,
            epoch,
            version: options.version,
            clock,
            log,
            conceals: (topic) => this.#encryption.encrypts(topic),
            owns: shared && ((device) => shared.owns(device)),
          });
    this.#history = history;
    live.watch(({ history: next }) => next && history?.limit(next));
    const now = (): number => clock.now().wallMs;
    const isKnown = (device: string) => this.store.document(`devices/${device}/state`) !== undefined;
    const ownHistory = new HistoryRoutes({ history, now, isKnown });
    const historyRoutes = shared ? shareHistory(shared, this.store, ownHistory, now) : ownHistory;
    const incidents = () => this.#recorder.blackBox?.store;
    const incidentPeers = shared && shareIncidents(shared, incidents);
    const arrivals = new Arrivals();
    const here = (...asked: [FeedCommand, FeedClient]) => this.#perform(...asked);
    const anywhere = (...asked: [FeedCommand, FeedClient]) => shared?.command(...asked) ?? here(...asked);
    this.#commands = new BridgeCommands({ clock, anywhere, here });
    this.#outputs = new Outputs({
      store: this.store,
      clock,
      log,
      version: options.version,
      random,
      lookup: lookupOf(options.names),
      conceals: (topic) => this.#encryption.encrypts(topic) || shared?.isForeign(topic) === true,
      command: (command, client) => this.#commands.anywhere(command, client),
      changed: () => this.#status.publish(),
    });
    this.#fleet = new Fleet({
      config,
      arrivals,
      failed: options.failed ?? [],
      clock,
      log,
      random,
      publisher: this.#encryption.publisher,
      ownership: shared,
      uploads: this.#uploads,
      names: options.names,
      recorder: () => this.#recorder.taps,
      observers: [this.#recorder.blackBox, history, this.#outputs].filter((each) => each !== undefined),
      wantsBytes: (topic) => this.store.followsBytes && this.#feed.hasAudience(topic),
      retired: this.#monitoring.retired,
      knownChanged: () => this.#known?.changed(),
    });
    const { directory } = this;
    const devices = () =>
      knownDevices(directory.unannounced(), (topic) => this.#encryption.encrypts(topic), clock);
    this.#known =
      knownFile === undefined ? undefined : new KnownDevices({ file: knownFile, clock, log, devices });
    const limits = live.map(({ server: now }) => ({ ...liveLimits(now), ...requestLimits(now) }));
    const onDefect = (affected: Affected, cause: unknown): void => void tellDefect(log, affected, cause);
    this.#feed = new FeedServer({
      store: this.store,
      arrivals,
      clock,
      auth: this.#auth,
      get origins() {
        return live.value.server.origins;
      },
      host: server.host,
      get hosts() {
        return live.value.server.hosts;
      },
      get trustedProxies() {
        return live.value.server.trustedProxies;
      },
      live: limits,
      commands: this.#commands.anywhere,
      wanted: shared && ((patterns, since) => shared.wanted(patterns, since)),
      peers: shared && clientPeers(shared),
      writes: server,
      additions: writer && ((addition, address) => writer.add(addition, address)),
      onLog: (entry) => logSubscriber(log, entry),
      onDefect,
    });
    const failed = (error: HeartwireError): void => log.error({ code: error.code }, error.message);
    this.#tls =
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
    const tls = this.#tls;
    const { subscriberRegistry } = this.#feed;
    if (shared !== undefined) answerPeers(shared, subscriberRegistry);
    this.#lines =
      server.tcp &&
      new JsonLinesServer({
        subscriberRegistry,
        host: server.tcp.host,
        port: server.tcp.port,
        live: limits,
        ...(tls && server.tcp.tls ? { tls } : {}),
        failed,
      });
    const inspection = inspectionRoutes({
      live,
      directory,
      tail: this.#monitoring.tail,
      outputs: () => this.#outputs.status(),
      deviceListeners: () => this.#fleet.deviceListeners(),
    });
    this.#http = new HttpServer({
      ...(this.#uploads === undefined ? {} : { files: this.#uploads }),
      host: server.host,
      port: server.port,
      get hosts() {
        return live.value.server.hosts;
      },
      get origins() {
        return live.value.server.origins;
      },
      get trustedProxies() {
        return live.value.server.trustedProxies;
      },
      store: this.store,
      feedServer: this.#feed,
      eventStreams: new SseServer(subscriberRegistry),
      auth: this.#auth,
      refused: (address, detail) => logRefusal(log, address, detail),
      live: limits,
      ...(tls === undefined ? {} : { tls }),
      clock,
      wanted:
        shared && ((path) => (path.startsWith('/api/devices') ? shared.wanted(['devices/#']) : undefined)),
      health: () => ({ version: options.version, devices: directory.countByStatus() }),
      further: (path, asked) =>
        this.#monitoring.routes(path) ??
        historyRoutes.find(path, asked) ??
        inspection(path, asked.query) ??
        incidentRoutes(incidents(), path, asked, incidentPeers),
      failed,
      onDefect,
    });
    this.#status = new BridgeStatus({
      version: options.version,
      clock,
      directory,
      deviceListeners: () => this.#fleet.deviceListeners(),
      publisher: this.store,
      recorder,
      outputs: () => this.#outputs.status(),
      history,
      config: configStatus,
      writes: () => subscriberRegistry.writes,
      shared,
    });
    if (shared !== undefined) shared.changed = () => this.#status.publish();
  }

  /** Performs a command of a subscriber, and keeps what became of it. */
  async #perform(command: FeedCommand, client: FeedClient): Promise<CommandOutcome> {
    const noted = this.#recorder.note(command);
    if (noted !== undefined) return noted;
    const outcome = await performCommand(this.#fleet, command);
    this.#history?.command(command, client, outcome);
    return this.#encryption.outcome(command.device, Promise.resolve(outcome));
  }

  get directory(): DeviceDirectory {
    return this.#fleet.directory;
  }

  /**
   * Serves, listens and dials. A port that is taken is an error here; while the bridge runs, it is tried again.
   * @throws HeartwireError `config_insecure`, `config_key_unreadable`, `address_in_use`, `address_unavailable`, `listen_failed`
   */
  async start(): Promise<BridgeAddresses> {
    const { config, log } = this.#options;
    try {
      requireClosed(config, log);
      await this.#auth.start();
      await this.#encryption.apply(config.secrecy);
      this.#monitoring.start();
      await this.#recorder.start();
      await this.#uploads?.start();
      const history = this.#history;
      if (history !== undefined) {
        this.store.follow(['devices/+/alarms']);
        this.store.past = new PastAlarms(history, this.store.epoch, this.#options.clock);
        this.store.listen((change) => {
          if (change.kind === 'event') history.feedEvent(change);
        });
      }
      const { url, port } = await this.#http.start();
      const lines = await this.#lines?.start();
      for (const device of (await this.#known?.load()) ?? []) this.#fleet.restore(device);
      const listeners = await this.#fleet.start();
      const { units } = this.#fleet;
      await this.#shared?.start({
        units: () => units.all(),
        begin: (unit) => units.begin(unit),
        end: (unit) => units.end(unit),
        challenge: (unit, claim) => units.challenge(unit, claim),
        command: this.#commands.here,
      });
      this.#status.start();
      await this.#outputs.apply(config.outputs);
      this.#monitoring.started();
      // Nothing waits for the disk: what is said until its file is open is written then, and who asks waits.
      void this.#history?.start().catch((cause: unknown) => tellDefect(log, { output: 'history' }, cause));
      return { url, port, ...(lines === undefined ? {} : { lines }), listeners };
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Applies another version of the configuration to a bridge that was started: what is different, and only that. A part
   * of it that is wrong stays as it was; where the file as a whole cannot be used, so does everything. Resolves once links
   * that had to make room are closed and new listeners were tried.
   */
  apply(loaded: LoadedConfig): Promise<ConfigOutcome> {
    return this.#applier.apply(loaded);
  }

  /** Closes all subscribers, the links of all devices, and every port. */
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
    const locked = await followAccess(this.#auth, config, this.#options.log);
    await this.#recorder.apply();
    // After access: what becomes plain must not reach a subscriber whose rights end with this reload. Before devices:
    // the first message of a secret device is encrypted.
    await this.#encryption.apply(config.secrecy);
    this.#recorder.blackBox?.secrecyChanged();
    await this.#fleet.apply(diff, config, failed);
    await this.#outputs.apply(config.outputs);
    return locked;
  }

  async #close(): Promise<void> {
    this.#monitoring.draining();
    this.#status.stop();
    await this.#commands.drain();
    await this.#outputs.close();
    // Subscribers first: the last state that they get of a device is from before its link is closed.
    await Promise.all([this.#feed[Symbol.asyncDispose](), this.#lines?.[Symbol.asyncDispose]()]);
    // While devices are connected: the file says for the next run that they were.
    await this.#known?.close();
    this.#fleet.stop();
    // Behind the devices: their links are closed before another instance opens them.
    await this.#shared?.close();
    await this.#applier[Symbol.asyncDispose]();
    await this.#recorder.close();
    await this.#uploads?.[Symbol.asyncDispose]();
    // Behind the devices: that they stopped is part of what was.
    await this.#history?.[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
    this.#tls?.[Symbol.dispose]();
    this.#monitoring.stop();
  }

  /**
   * Sends a file in the chunks that the device's messages declare, over as many links as it takes.
   * @throws HeartwireError `device_unknown`, `message_unknown`, and as `uploadFile`
   */
  async sendFile(device: string, source: FileSource, options: SendFileOptions = {}): Promise<SendProgress> {
    const runner = this.directory.get(device);
    if (runner === undefined) throw new HeartwireError('device_unknown', `There is no device ${device}.`);
    return sendFile(runner, () => this.directory.get(device), source, this.#options.clock, options);
  }
}
