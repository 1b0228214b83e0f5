import { type ListenerConfig, SESSION_DEFAULTS } from '../config/index.ts';
import { type Identity, identityText, type Ownership } from '../contract/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import { addressLabel, type Link, type LinkEnd, type Listener } from '../links/index.ts';
import type { DeclaredMessage, Message } from '../protocol/index.ts';
import { type Arrivals, type Clock, type Log, type Timer, tellDefect } from '../system/index.ts';
import { ConnectionCount } from './connection-count.ts';
import { backOffMs } from './core/dial-plan.ts';
import type { LocalTime } from './core/link-protocol.ts';
import { introducedBy } from './core/login.ts';
import { type DeviceDirectory, nameByAddress } from './device-directory.ts';
import type { DeviceListenerStatus } from './device-listener-status.ts';
import type { DeviceRunner } from './device-runner.ts';
import { PendingRunner, type Transfer } from './pending-runner.ts';
import type { Resolution } from './unannounced-devices.ts';
import { UnknownLinks } from './unknown-links.ts';
import { type DialInTap, Wire } from './wire.ts';
import { type LinkCodec, LinkCodecs, loneRegister, PendingCodecs, type WireCodec } from './wire-codec.ts';

/** A link that does not register is matched by its address after so long, in ms. */
const NAMED_BY_ADDRESS_AFTER_MS = 10_000;
/** The least time between two log lines about refused connections, in ms. */
const WARN_EVERY_MS = 10_000;

interface DeviceListenerOptions {
  readonly config: ListenerConfig;
  readonly directory: DeviceDirectory;
  readonly clock: Clock;
  readonly log: Log;
  readonly localTime: LocalTime;
  readonly random: () => number;
  /** Counts those that are accepted. */
  readonly arrivals?: Arrivals | undefined;
  /** Where several instances share one feed: which of them may take a device that arrives here. */
  readonly ownership?: Ownership | undefined;
  makeListener(): Listener;
  /** The tap of a link that dialled in; its `named` is called once the link belongs to a device. */
  tap?(): DialInTap | undefined;
}

interface Pending {
  readonly runner: PendingRunner;
  readonly wire: Wire;
  readonly tap: DialInTap | undefined;
  claim?: { readonly to: DeviceRunner; withdraw(): void };
}

let nextClaimId = 1;

/** Accepts devices at one address, keeps their links pending until the device is known, and hands them to it. */
export class DeviceListener {
  readonly #options: DeviceListenerOptions;
  #config: ListenerConfig;
  readonly #codecs = new PendingCodecs();
  readonly #linkCodecs = new LinkCodecs();
  readonly #pending = new Map<PendingRunner, Pending>();
  readonly unknown = new UnknownLinks();
  readonly #connections = new ConnectionCount();
  #refused = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #listener: Listener | undefined;
  #status: DeviceListenerStatus['status'] = 'opening';
  #end: LinkEnd | undefined;
  #address: string;
  #attempt = 0;
  #reopen: Timer | undefined;
  #gaveUp: (() => void) | undefined;

  constructor(options: DeviceListenerOptions) {
    this.#options = options;
    const { config } = options;
    this.#config = config;
    this.#address = addressLabel(config.link);
  }

  /** As configured now. */
  get config(): ListenerConfig {
    return this.#config;
  }

  /** Another configuration of the same address; `reframed`: it reads bytes in another way, so pending links are closed. */
  reconfigure(config: ListenerConfig, reframed: boolean): void {
    this.#config = config;
    if (!reframed) return;
    this.#closePending('reconfigured', 'the configuration of this listener changed');
  }

  /**
   * Resolves with the address once it is bound. A first failure rejects; later ones are fixed by trying again.
   * @throws HeartwireError the code of the failure, e.g. `address_in_use`
   */
  start(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#listen(resolve, (end) => {
        this.#status = 'closed';
        reject(new HeartwireError(end.code, end.detail));
      });
    });
  }

  /** Opens while the bridge runs: a failure, which it resolves with, is fixed by trying again. */
  open(): Promise<LinkEnd | undefined> {
    return new Promise((resolve) => {
      this.#gaveUp = () => resolve(undefined);
      this.#listen(
        () => resolve(undefined),
        (end) => {
          this.#listenAgain(end, 'failed');
          resolve(end);
        },
      );
    });
  }

  close(why = 'the bridge stops'): void {
    this.#status = 'closed';
    this.#gaveUp?.();
    this.#reopen?.cancel();
    this.#listener?.close();
    this.#listener = undefined;
    this.#closePending('stopped', why);
  }

  status(): DeviceListenerStatus {
    return {
      address: this.#address,
      status: this.#status,
      ...(this.#end === undefined ? {} : { reason: this.#end.code, detail: this.#end.detail }),
      connections: this.#connections.total,
      refused_connections: this.#refused,
    };
  }

  /** The links whose device is not known yet. */
  pendingLinks(): PendingRunner[] {
    return [...this.#pending.keys()];
  }

  #listen(listening: (address: string) => void, failed: (end: LinkEnd) => void): void {
    const listener = this.#options.makeListener();
    this.#listener = listener;
    let bound = false;
    listener.start({
      listening: (address) => {
        bound = true;
        this.#attempt = 0;
        this.#address = address;
        this.#status = 'listening';
        this.#end = undefined;
        listening(address);
      },
      accepted: (link, host) => this.#accepted(link, host),
      acceptFailed: (end) => this.#warn(end.detail, end.code),
      closed: (end) => {
        if (listener !== this.#listener) return;
        this.#end = end;
        if (bound) this.#listenAgain(end, 'ended');
        else failed(end);
      },
    });
  }

  #listenAgain(end: LinkEnd, what: 'ended' | 'failed'): void {
    const { clock, log, random } = this.#options;
    this.#status = 'backoff';
    log.error(
      { code: end.code, address: this.#address },
      `listening at ${this.#address} ${what}: ${end.detail}`,
    );
    const at = clock.now().monoMs + backOffMs(SESSION_DEFAULTS.reconnect, ++this.#attempt, random());
    this.#reopen = clock.setTimer(at, () => {
      this.#status = 'opening';
      this.#listen(
        (address) => log.info({ event: 'listening', address }, `listening at ${address} again`),
        (failure) => this.#listenAgain(failure, 'failed'),
      );
    });
  }

  #accepted(link: Link, host: string): void {
    const { clock, arrivals } = this.#options;
    arrivals?.arrived(clock.now().monoMs);
    const cap = this.#connections.reached(host, this.#config);
    if (cap !== undefined) {
      this.#warn(`refused a connection of ${link.address} (${cap} reached)`);
      link.destroy();
      return;
    }
    const ended = this.#connections.came(host);
    try {
      this.#receive(link, host, ended);
    } catch (cause) {
      tellDefect(this.#options.log, { address: link.address }, cause);
      this.#giveUp(link);
      // Only a link that was opened reports its end.
      ended();
    }
  }

  #giveUp(link: Link): void {
    for (const { runner, wire } of [...this.#pending.values()]) {
      if (wire.link !== link) continue;
      runner.release();
      this.#pending.delete(runner);
    }
    link.destroy();
  }

  #receive(link: Link, host: string, ended: () => void): void {
    const known = this.#knownAtOnce(host);
    const runner = this.#makePending(link.address, host, known);
    const tap = this.#options.tap?.();
    const bare = known !== undefined && 'device' in known ? known.device : undefined;
    const crowded = known === undefined && this.#options.arrivals?.crowded === true;
    const read = bare?.dialIn ?? this.#pendingCodec();
    const wire = new Wire(link, this.#codecOf(read, link), runner, {
      ended,
      dropsUnread: crowded ? (bytes) => this.#onlyRegisters(bytes, host) : undefined,
      tap,
      idleAfterMs: read.idleAfterMs,
    });
    this.#pending.set(runner, { runner, wire, tap });
    this.#keepPendingBudget();
    runner.open(wire);
  }

  /**
   * Whether this is a register and nothing else, of a device that is of no use without its link: a device
   * that sent it and hung up is trying again by now, and must not take over from itself.
   */
  #onlyRegisters(bytes: Uint8Array, host: string): boolean {
    if (this.#config.session.login === true) return false;
    const register = loneRegister(bytes, this.#pendingCodec().codec);
    if (register === undefined) return false;
    const { presence } = this.#options.directory.matching(register, host)?.settings ?? this.#config.session;
    return presence === undefined;
  }

  #makePending(address: string, host: string, known?: Resolution): PendingRunner {
    const handlers = {
      opened: (self: PendingRunner) => {
        if (known !== undefined) this.#handOver(self, known);
      },
      registered: (self: PendingRunner, identity: Identity, login: DeclaredMessage | undefined) =>
        this.#registered(self, identity, login),
      rejected: (_: PendingRunner, detail: string) => {
        this.#options.log.warn(
          { code: 'invalid_message', address },
          `${address} sent what is no message: ${detail}`,
        );
      },
      spoke: (self: PendingRunner) => this.#spoke(self),
      ended: (self: PendingRunner, reason: string, detail: string) =>
        this.#pendingEnded(self, reason, detail),
    };
    return new PendingRunner(address, host, this.#options, handlers, this.#protocol());
  }

  #protocol() {
    return this.#config.session.login === true ? this.#config.messages : undefined;
  }

  /** The device of an address that never registers: it is known before its first byte. */
  #knownAtOnce(host: string): Resolution | undefined {
    const { directory } = this.#options;
    const device = directory.resolveBare(host);
    if (device !== undefined) return { device };
    if (this.#config.session.bare === undefined || this.#config.session.login === true) return undefined;
    return directory.accept(nameByAddress(host), this.#config, { host });
  }

  #pendingCodec(): LinkCodec {
    if (this.#config.session.login === true) return this.#linkCodecs.of(this.#config.session, this.#config);
    const codec = this.#codecs.of(this.#config, this.#options.directory.registeringProtocols());
    return { codec };
  }

  /** How a link is read: over UDP, each datagram by itself. */
  #codecOf(read: LinkCodec, { transport }: Link): WireCodec {
    return (transport === 'udp' ? (read.datagrams ?? read) : read).codec;
  }

  #closePending(reason: string, detail: string): void {
    for (const { runner } of [...this.#pending.values()]) runner.close(reason, detail);
  }

  /** The newest pending link replaces the oldest where there are too many. */
  #keepPendingBudget(): void {
    const { maxNameless } = this.#config;
    const [oldest] = this.#pending.keys();
    if (oldest === undefined || this.#pending.size <= maxNameless) return;
    this.#warn(`closed ${oldest.address}: more than ${maxNameless} links have no name`);
    oldest.close('nameless_budget', `more than ${maxNameless} links have no name`);
  }

  #registered(runner: PendingRunner, identity: Identity, login: DeclaredMessage | undefined): void {
    const resolution = this.#options.directory.resolve(identity, runner.host, this.#config);
    this.#handOver(runner, resolution, identity, login);
  }

  #spoke(runner: PendingRunner): void {
    const { directory, clock } = this.#options;
    const config = this.#config;
    const pending = this.#pending.get(runner);
    if (pending === undefined || pending.claim !== undefined) return;
    const waited = clock.now().monoMs - runner.link.since.monoMs >= NAMED_BY_ADDRESS_AFTER_MS;
    const device = directory.resolveAddress(runner.host, waited);
    if (device?.settings.bare !== undefined && device.settings.login !== true) {
      // It came into the configuration while this link was open, which has been read in another framing.
      return runner.close('reconfigured', `${device.id} is known by this address, and never registers`);
    }
    if (device !== undefined) return this.#handOver(runner, { device });
    if (config.anonymous !== 'by-address' || !waited) return;
    this.#handOver(runner, directory.accept(nameByAddress(runner.host), config, { host: runner.host }));
  }

  #handOver(
    runner: PendingRunner,
    resolution: Resolution,
    register?: Identity,
    login?: DeclaredMessage,
  ): void {
    const pending = this.#pending.get(runner);
    if (pending === undefined) return;
    if ('refused' in resolution) {
      const { refused, code } = resolution;
      // What is refused because there is too much of it must not fill the log as well.
      if (code !== undefined) this.#warn(`refused ${runner.address} (${refused})`, code);
      else this.#options.log.warn({ code: 'device_refused', address: runner.address }, refused);
      return runner.refuse(resolution.refused);
    }
    const { device } = resolution;
    const asked = this.#options.ownership?.claim(
      device.settings.port === undefined ? device.id : `bus ${device.id}`,
      {
        host: runner.host,
        address: runner.address,
      },
    );
    if (asked === undefined) return this.#claimDevice(pending, device, register, login);
    // Another instance has the device: what the link says meanwhile is kept for it.
    const former = pending.claim;
    if (former?.to === device) return;
    former?.withdraw();
    const claim = { to: device, withdraw: () => undefined };
    pending.claim = claim;
    this.#readAs(pending, device);
    runner.claimMade();
    void asked.then((refused) => {
      if (this.#pending.get(runner) !== pending || pending.claim !== claim) return;
      if (refused === undefined) return this.#claimDevice(pending, device, register, login);
      delete pending.claim;
      runner.refuse(refused);
    });
  }

  /** From here on its bytes are read as those of this device. */
  #readAs({ wire }: Pending, device: DeviceRunner): void {
    const codec = device.dialIn && this.#codecOf(device.dialIn, wire.link);
    if (codec !== undefined && device.settings.port !== undefined) wire.setFrames(codec);
    else if (codec !== undefined) wire.setCodec(codec);
  }

  #claimDevice(pending: Pending, device: DeviceRunner, register?: Identity, login?: DeclaredMessage): void {
    const { runner } = pending;
    // It claimed the device of its address already, which has not attached it.
    const former = pending.claim;
    former?.withdraw();
    const claimId = nextClaimId++;
    pending.claim = { to: device, withdraw: () => device.withdraw(claimId) };
    this.#readAs(pending, device);
    if (former?.to !== device) runner.claimMade();
    device.claim({
      claimId,
      address: runner.address,
      host: runner.host,
      transport: pending.wire.link.transport,
      wire: pending.wire,
      ...(register === undefined
        ? { registers: (message) => this.#transfer(pending, device, message) }
        : { register, ...(login === undefined ? {} : { login }) }),
      attached: () => {
        this.#pending.delete(runner);
        pending.tap?.named(device.id);
        if (login !== undefined) this.#acceptLine(device, pending.wire);
        return runner.release();
      },
      refused: (reason) => {
        delete pending.claim;
        runner.refuse(reason);
      },
    });
  }

  /** The DTU of a bus is answered here: its line speaks other messages. */
  #acceptLine({ settings, messages }: DeviceRunner, wire: Wire): void {
    const answer =
      settings.port === undefined || messages !== undefined
        ? undefined
        : this.#protocol()?.hello?.answer(true);
    if (answer?.encoded !== undefined) wire.send(answer.encoded.payload);
  }

  /** A link of a device that was known by its address goes where its register says. */
  #transfer({ runner, wire, tap }: Pending, from: DeviceRunner, login: Message) {
    const identity = introducedBy(login, this.#protocol());
    if (this.#status === 'closed' || identity === undefined) return undefined;
    const { address, host } = runner;
    const resolution = this.#options.directory.resolve(identity, host, this.#config);
    if ('device' in resolution && resolution.device === from) return undefined;
    // What identifies one device may be secret, and this is published in the topics of another one.
    const detail =
      'device' in resolution
        ? `it registered: its link is that of ${resolution.device.id}`
        : `it registered as ${identityText(identity)}: ${resolution.refused}`;
    const take = (): void => {
      const fresh = this.#makePending(address, host);
      this.#pending.set(fresh, { runner: fresh, wire, tap });
      this.#keepPendingBudget();
      tap?.transferred(address, wire.withRest(wire.encode(login)), detail);
      wire.setCodec(this.#pendingCodec().codec);
      fresh.take(wire, login);
    };
    return { detail, take } satisfies Transfer;
  }

  #pendingEnded(runner: PendingRunner, reason: string, detail: string): void {
    const pending = this.#pending.get(runner);
    this.#pending.delete(runner);
    pending?.claim?.withdraw();
    const { log, clock } = this.#options;
    this.unknown.add(runner.unknown(clock.now().wallMs, detail));
    log.info({ code: reason, address: runner.address }, `${runner.address} left without a name: ${detail}`);
  }

  #warn(text: string, code: ErrorCode | 'connection_refused' = 'connection_refused'): void {
    this.#refused += 1;
    const now = this.#options.clock.now().monoMs;
    if (now - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = now;
    this.#options.log.warn({ code, refused: this.#refused }, text);
  }
}
