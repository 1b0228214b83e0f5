import { lineOf } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import {
  dial,
  isListenAddress,
  type Link,
  type LinkAddress,
  type LinkEnd,
  type ListenAddress,
  type Listener,
  listen,
} from '../links/index.ts';
import { formatLocalTime } from '../system/index.ts';
import { type DeclaredDevices, DeclaredLink, declaredDevices } from './declared-link.ts';
import type { Faults } from './faults.ts';
import { LinkProtocol, type LinkProtocolPorts, type LinkProtocolSettings } from './link-protocol.ts';
import { type DeviceIdentity, seededRandom } from './random.ts';
import { RecordedLink } from './recorded-link.ts';
import {
  checkFaultsFit,
  type DeviceNews,
  defaultRole,
  type FrameCounts,
  HEARTBEAT_EVERY_MS,
  type SimulatedDeviceOptions,
  type SimulatorPorts,
} from './settings.ts';
import { Timers } from './timers.ts';

/** Bytes that arrive for a frozen device and are kept, like those that a kernel keeps for a stopped process. */
const HELD_BYTES_LIMIT = 1024 * 1024;

/** Lets actions through, or holds them, in their order, while there is a reason to stand still. */
class Freezer<Reason extends string> {
  readonly #reasons = new Set<Reason>();
  readonly #held: Array<() => void> = [];
  #heldBytes = 0;
  #thawing = false;

  get frozen(): boolean {
    return this.#reasons.size > 0;
  }

  freeze(reason: Reason): void {
    this.#reasons.add(reason);
  }

  /** What was held happens now, unless another reason remains. */
  thaw(reason: Reason): void {
    this.#reasons.delete(reason);
    // An action may thaw or freeze in its turn; the order of what is held must survive that.
    if (this.#thawing) return;
    this.#thawing = true;
    try {
      while (!this.frozen) {
        const action = this.#held.shift();
        if (action === undefined) break;
        action();
      }
      if (this.#held.length === 0) this.#heldBytes = 0;
    } finally {
      this.#thawing = false;
    }
  }

  /** `bytes` is what the action carries; beyond 1 MiB held, those that carry bytes are lost. */
  run(action: () => void, bytes = 0): void {
    if (!this.frozen && !this.#thawing) {
      action();
      return;
    }
    if (bytes > 0 && this.#heldBytes + bytes > HELD_BYTES_LIMIT) return;
    this.#heldBytes += bytes;
    this.#held.push(action);
  }

  /** Forgets what is held and every reason. */
  clear(): void {
    this.#reasons.clear();
    this.#held.length = 0;
    this.#heldBytes = 0;
  }
}

/** How long an address may take to answer. */
const DIAL_LIMIT_MS = 10_000;
const RECONNECT = { initialMs: 500, maxMs: 10_000 };
/** Links that one listening device keeps; one more is closed at once. */
const MAX_LINKS = 64;
/** A stalling device works so many times as long as it stalls. */
const WORKS_PER_STALL = 3;

/**
 * A fake device on real links (or on those that `ports` make). Everything that happens to it passes through a gate,
 * which `freeze` shuts: like a stopped process it then reads, answers and notices nothing, while its links stay open.
 */
export class SimulatedDevice implements AsyncDisposable {
  readonly name: string;
  readonly identity: DeviceIdentity;
  readonly counts: FrameCounts = { sent: 0, received: 0 };
  readonly #address: LinkAddress | ListenAddress;
  readonly #ports: SimulatorPorts;
  readonly #faults: Faults;
  readonly #role: 'client' | 'server';
  readonly #talk: Omit<LinkProtocolSettings, 'registers'>;
  readonly #registersAgain: boolean;
  readonly #declared: SimulatedDeviceOptions['declared'];
  readonly #recorded: SimulatedDeviceOptions['recorded'];
  /** What stands on its line, of declared messages. */
  readonly #devices: DeclaredDevices | undefined;
  #beganAt = 0;
  readonly #reconnect: { readonly initialMs: number; readonly maxMs: number };
  readonly #startDelayMs: number;
  readonly #freezer = new Freezer<'hand' | 'stall'>();
  /** What the device itself waits for; stands still with it. */
  readonly #timers: Timers;
  /** What happens to it from outside; goes on while it stands still. */
  readonly #outerTimers: Timers;
  readonly #links = new Set<Link>();
  #listener: Listener | undefined;
  #listeningAt: string | undefined;
  #running = false;
  #hasRegistered = false;
  #failures = 0;
  #onQuiet: (() => void) | undefined;

  /** Inert until `start`. @throws HeartwireError `bad_fault` for faults that do not fit such a device. */
  constructor(options: SimulatedDeviceOptions, ports: SimulatorPorts) {
    this.name = options.name;
    this.identity = options.identity;
    this.#address = options.address;
    this.#ports = ports;
    this.#faults = options.faults ?? {};
    this.#role = options.role ?? defaultRole(options.address);
    checkFaultsFit(this.#faults, options.address, this.#role, options.declared);
    this.#registersAgain = options.registersAgain ?? true;
    this.#declared = options.declared;
    this.#recorded = options.recorded;
    this.#devices = options.declared && declaredDevices(options.declared, options.identity);
    this.#reconnect = options.reconnect ?? RECONNECT;
    this.#startDelayMs = options.startDelayMs ?? 0;
    this.#timers = new Timers(ports.clock, (action) => this.#freezer.run(action));
    this.#outerTimers = new Timers(ports.clock);
    const heartbeatEveryMs =
      options.heartbeatEveryMs ?? (this.#role === 'client' ? HEARTBEAT_EVERY_MS : undefined);
    const clockOffsetMs = options.clockOffsetMs ?? 0;
    this.#talk = {
      role: this.#role,
      identity: options.identity,
      early: options.early ?? [],
      heartbeatEveryMs,
      datetimeEveryMs: options.datetimeEveryMs,
      silenceLimitMs: options.silenceLimitMs ?? Math.max(4 * (heartbeatEveryMs ?? 0), 10_000),
      faults: this.#faults,
      localTime: () => formatLocalTime(ports.clock.now().wallMs + clockOffsetMs, options.timeZone),
    };
  }

  /** Where it listens, with the port that was taken; absent while it does not. */
  get listeningAt(): string | undefined {
    return this.#listeningAt;
  }

  /** Links now open or being opened. */
  get links(): number {
    return this.#links.size;
  }

  get frozen(): boolean {
    return this.#freezer.frozen;
  }

  /**
   * Resolves once it listens, or has begun to dial.
   * @throws HeartwireError where the address cannot be listened at.
   */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#beganAt = this.#ports.clock.now().monoMs;
    if (this.#faults.stallMs !== undefined) this.#stallLater(this.#faults.stallMs);
    if (!isListenAddress(this.#address)) {
      this.#dialIn(this.#address, this.#startDelayMs);
      return;
    }
    try {
      await this.#listen(this.#address);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stands still like a process that was sent SIGSTOP, its links open. */
  freeze(): void {
    this.#freezer.freeze('hand');
  }

  /** Goes on, with what came meanwhile (at most 1 MiB of it). */
  thaw(): void {
    this.#freezer.thaw('hand');
  }

  /** Its links are gone; it dials again after its back-off, or waits to be dialled. */
  cut(): void {
    for (const link of this.#links) link.destroy();
  }

  /** Resolves when nothing of it is left; it may be started again. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#freezer.clear();
    this.#timers.cancelAll();
    this.#outerTimers.cancelAll();
    this.#hasRegistered = false;
    this.#failures = 0;
    this.#listener?.close();
    this.cut();
    if (this.#isQuiet()) return;
    await new Promise<void>((resolve) => {
      const earlier = this.#onQuiet;
      this.#onQuiet = () => {
        earlier?.();
        resolve();
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #listen(address: ListenAddress): Promise<void> {
    const listener = (this.#ports.listen ?? listen)(address);
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      listener.start({
        listening: (boundTo) => {
          this.#listeningAt = boundTo;
          this.#report({ kind: 'listening', address: boundTo });
          resolve();
        },
        accepted: (link) => this.#take(link),
        closed: (end) => {
          this.#listener = undefined;
          this.#listeningAt = undefined;
          reject(new HeartwireError(end.code, end.detail, { device: this.name }));
          this.#noteQuiet();
        },
      });
    });
  }

  #dialIn(address: LinkAddress, delayMs: number): void {
    if (delayMs > 0) this.#timers.after(delayMs, () => this.#dialIn(address, 0));
    else this.#take((this.#ports.dial ?? dial)(address));
  }

  /** Lives one link from its opening to its end. */
  #take(link: Link): void {
    this.#links.add(link);
    const gate = (action: () => void): void => this.#freezer.run(action);
    const timers = new Timers(this.#ports.clock, gate);
    // A generator of its own, so that the damage on one link does not depend on what others do.
    const random = seededRandom(this.#ports.random() * 2 ** 32);
    const linkProtocol = this.#protocolOf(lineOf(link.transport) === 'serial', {
      timers,
      random,
      counts: this.counts,
      now: () => this.#ports.clock.now().monoMs,
      send: (bytes) => void link.send(bytes),
      hangUp: (orderly) => (orderly ? link.end() : link.destroy()),
      succeeded: () => {
        this.#failures = 0;
      },
      report: (news) => this.#report(news),
    });
    const timeout = this.#outerTimers.after(DIAL_LIMIT_MS, () => link.destroy());
    link.open({
      opened: (address) => {
        timeout.cancel();
        if (this.#links.size > MAX_LINKS) link.destroy();
        gate(() => {
          this.#report({ kind: 'connected', address });
          linkProtocol.start();
        });
      },
      data: (chunk) => this.#freezer.run(() => linkProtocol.receive(chunk), chunk.length),
      idle: () => gate(() => linkProtocol.lineIdle()),
      closed: (end) => {
        timeout.cancel();
        this.#links.delete(link);
        gate(() => {
          linkProtocol.end();
          this.#ended(link.address, end);
        });
        this.#noteQuiet();
      },
    });
  }

  /** What it speaks on one link. */
  #protocolOf(serial: boolean, ports: LinkProtocolPorts): LinkProtocol | DeclaredLink | RecordedLink {
    if (this.#recorded !== undefined) return new RecordedLink(this.#recorded, this.#faults, ports);
    if (this.#declared !== undefined && this.#devices !== undefined) {
      const time = (): { readonly elapsedMs: number; readonly wallMs: number } => {
        const { monoMs, wallMs } = this.#ports.clock.now();
        return { elapsedMs: monoMs - this.#beganAt, wallMs };
      };
      const entrance = {
        logsIn: this.#registersAgain || !this.#hasRegistered,
        known: this.#hasRegistered,
        dials: !isListenAddress(this.#address) && !serial,
      };
      return new DeclaredLink(this.#declared, this.#faults, ports, this.#devices, time, serial, entrance);
    }
    return new LinkProtocol(
      { ...this.#talk, registers: this.#registersAgain || !this.#hasRegistered },
      ports,
      serial,
    );
  }

  #ended(address: string, end: LinkEnd): void {
    // `stop` reports nothing.
    if (!this.#running) return;
    const again = isListenAddress(this.#address) ? undefined : this.#address;
    const retryInMs = again === undefined ? undefined : this.#nextDelayMs();
    this.#report({
      kind: 'disconnected',
      address,
      ...end,
      ...(retryInMs === undefined ? {} : { retryInMs }),
    });
    if (again !== undefined) this.#timers.after(retryInMs ?? 0, () => this.#dialIn(again, 0));
  }

  #nextDelayMs(): number {
    const { shortEveryMs } = this.#faults;
    if (shortEveryMs !== undefined && this.#failures === 0) return shortEveryMs;
    const { initialMs, maxMs } = this.#reconnect;
    const most = Math.min(maxMs, initialMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return this.#ports.random() * most;
  }

  #stallLater(forMs: number): void {
    this.#outerTimers.after(WORKS_PER_STALL * forMs, () => {
      this.#freezer.freeze('stall');
      this.#report({ kind: 'stalled' });
      this.#outerTimers.after(forMs, () => {
        this.#report({ kind: 'resumed' });
        this.#stallLater(forMs);
        this.#freezer.thaw('stall');
      });
    });
  }

  #report(news: DeviceNews): void {
    if (news.kind === 'registered') this.#hasRegistered = true;
    this.#ports.report?.({ ...news, device: this.name });
  }

  #isQuiet(): boolean {
    return this.#links.size === 0 && this.#listener === undefined;
  }

  #noteQuiet(): void {
    if (!this.#isQuiet()) return;
    this.#onQuiet?.();
    this.#onQuiet = undefined;
  }
}
