import type { ListenerConfig } from '../config/index.ts';
import type { Identity } from '../contract/index.ts';
import { AddressPace, type Clock, type Timer } from '../system/index.ts';
import { AbsentDevices } from './absent-devices.ts';
import type { KnownBefore } from './core/session-events.ts';
import type { DeviceRunner } from './device-runner.ts';

const SWEEP_EVERY_MS = 60_000;
const MINUTE_S = 60;
/** A device that had a link for so long, or has one again after so long, is no passing one. */
const SETTLED_AFTER_MS = 10 * 60_000;

/** The device that a link belongs to, or why it belongs to none. */
export type Resolution =
  | { readonly device: DeviceRunner }
  | { readonly refused: string; readonly code?: 'too_many_new_devices' };

/** How an unannounced device made itself known: by its register, or by its address alone. */
export interface Arrival {
  readonly host: string;
  readonly identity?: Identity;
}

/** What the runner of an unannounced device gets beside its settings. */
export interface UnannouncedRun {
  /** It has a link now, or has none any more. */
  linked(linked: boolean): void;
  readonly known?: KnownBefore | undefined;
}

/** An unannounced device, as another run of the bridge may take it up. */
export interface Unannounced {
  readonly runner: DeviceRunner;
  readonly listener: ListenerConfig;
  readonly arrival: Arrival;
  /** It never registered, and is known by its address. */
  readonly byAddress: boolean;
  /** It stayed for ten minutes, or came again so long after it came first: no identity that was invented in passing. */
  readonly settled: boolean;
}

type Entry = { -readonly [K in keyof Unannounced]: Unannounced[K] } & {
  /** When it had its first link; an earlier run knows it since long ago. Monotonic ms. */
  firstLinkedAt: number | undefined;
  /** Monotonic ms. */
  linkedAt: number;
};

export interface UnannouncedOptions {
  readonly clock: Clock;
  makeRunner(name: string, listener: ListenerConfig, run: UnannouncedRun): DeviceRunner;
  /** A device is not known any more, or starts again. */
  over(name: string): void;
  /** What another run would have to know is different now. */
  changed(): void;
}

/**
 * The devices that dialled in unannounced. There are at most `max_devices`; where there is no room for a new one, one
 * that is gone makes room (`AbsentDevices`). Accepting costs the same however many are known.
 */
export class UnannouncedDevices {
  readonly #options: UnannouncedOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #absent = new AbsentDevices();
  readonly #paces = new Map<ListenerConfig, AddressPace>();
  #sweep: { readonly timer: Timer; readonly at: number } | undefined;

  constructor(options: UnannouncedOptions) {
    this.#options = options;
  }

  get(name: string): Readonly<Unannounced> | undefined {
    return this.#entries.get(name);
  }

  all(): IterableIterator<Readonly<Unannounced>> {
    return this.#entries.values();
  }

  /** All that are known now, by name; what comes or goes afterwards does not change it. */
  entries(): readonly (readonly [string, Readonly<Unannounced>])[] {
    return [...this.#entries];
  }

  /** The device of this name; it is made where it is new, and there is room for it. */
  accept(name: string, listener: ListenerConfig, arrival: Arrival): Resolution {
    const known = this.#entries.get(name);
    if (known !== undefined) {
      known.arrival = arrival;
      return { device: known.runner };
    }
    const { maxDevices, maxNewPerMinute } = listener;
    if (!this.#paceOf(listener).take(arrival.host, this.#options.clock.now().monoMs)) {
      const refused = `max_new_per_minute: ${maxNewPerMinute} new devices came from this address, and ${name} is one more`;
      return { refused, code: 'too_many_new_devices' };
    }
    if (this.#entries.size >= maxDevices && !this.#makeRoom())
      return { refused: `max_devices: ${maxDevices} unknown devices are known already` };
    const byAddress = arrival.identity === undefined;
    return { device: this.#enter(name, { listener, arrival, byAddress, settled: false }) };
  }

  /** Takes up what an earlier run knew, where there is room. */
  restore(name: string, entry: Omit<Unannounced, 'runner'>, known: KnownBefore | undefined): void {
    if (this.#entries.has(name) || this.#entries.size >= entry.listener.maxDevices) return;
    this.#enter(name, entry, known);
  }

  /** Removes those for which this is right. */
  removeWhere(test: (name: string, entry: Readonly<Unannounced>) => boolean): void {
    for (const [name, entry] of this.#entries) if (test(name, entry)) this.remove(name);
  }

  /** Forgets a device; one that is not known is nothing to forget. */
  remove(name: string): void {
    const runner = this.#entries.get(name)?.runner;
    if (runner === undefined) return;
    this.#entries.delete(name);
    this.#absent.came(name);
    runner.remove();
    this.#options.over(name);
    this.#options.changed();
  }

  /** Devices of one listener belong to another one from now on; with `restarts` they start again. */
  relisten(from: ListenerConfig, to: ListenerConfig, restarts: boolean): void {
    this.#follow(from, to);
    for (const [name, entry] of [...this.#entries]) {
      if (entry.listener !== from) continue;
      entry.listener = to;
      if (!restarts) continue;
      entry.runner.stop('reconfigured');
      this.#options.over(name);
      this.#enter(name, entry);
    }
    this.#sweepBy(this.#options.clock.now().monoMs + to.forgetMs);
  }

  stop(): void {
    this.#sweep?.timer.cancel();
    this.#sweep = undefined;
    for (const { runner } of this.#entries.values()) runner.stop();
  }

  #enter(name: string, from: Omit<Unannounced, 'runner'>, known?: KnownBefore): DeviceRunner {
    const { listener, arrival, byAddress, settled } = from;
    const run: UnannouncedRun = { linked: (linked) => this.#linked(name, runner, linked), known };
    const runner = this.#options.makeRunner(name, listener, run);
    const firstLinkedAt = known === undefined ? undefined : Number.NEGATIVE_INFINITY;
    this.#entries.set(name, { runner, listener, arrival, byAddress, settled, firstLinkedAt, linkedAt: 0 });
    this.#absent.went(name, arrival.host, settled);
    runner.start();
    this.#sweepBy(this.#options.clock.now().monoMs + Math.max(0, listener.forgetMs - runner.awayMs()));
    this.#options.changed();
    return runner;
  }

  #linked(name: string, runner: DeviceRunner, linked: boolean): void {
    const entry = this.#entries.get(name);
    if (entry?.runner !== runner) return;
    const now = this.#options.clock.now().monoMs;
    if (linked) {
      entry.firstLinkedAt ??= now;
      entry.settled ||= now - entry.firstLinkedAt >= SETTLED_AFTER_MS;
      entry.linkedAt = now;
      this.#absent.came(name);
    } else {
      entry.settled ||= now - entry.linkedAt >= SETTLED_AFTER_MS;
      this.#absent.went(name, entry.arrival.host, entry.settled);
    }
    this.#options.changed();
  }

  #makeRoom(): boolean {
    const first = this.#absent.first();
    if (first === undefined) return false;
    this.remove(first);
    return true;
  }

  #paceOf(listener: ListenerConfig): AddressPace {
    const known = this.#paces.get(listener);
    if (known !== undefined) return known;
    const { maxNewPerMinute: most } = listener;
    const pace = new AddressPace(most / MINUTE_S, most);
    this.#paces.set(listener, pace);
    return pace;
  }

  #follow(from: ListenerConfig, to: ListenerConfig): void {
    const pace = this.#paces.get(from);
    if (pace === undefined) return;
    this.#paces.delete(from);
    this.#paces.set(to, pace);
    pace.follow(to.maxNewPerMinute / MINUTE_S, to.maxNewPerMinute);
  }

  /** Looks for those that are to be forgotten at this instant at the latest, and once a minute at most often. */
  #sweepBy(at: number): void {
    const { clock } = this.#options;
    const soonest = Math.min(at, clock.now().monoMs + SWEEP_EVERY_MS);
    if (this.#sweep !== undefined && this.#sweep.at <= soonest) return;
    this.#sweep?.timer.cancel();
    this.#sweep = { at: soonest, timer: clock.setTimer(soonest, () => this.#forget()) };
  }

  #forget(): void {
    this.#sweep = undefined;
    this.removeWhere((_, { runner, listener }) => runner.awayMs() >= listener.forgetMs);
    if (this.#entries.size === 0) return;
    const now = this.#options.clock.now().monoMs;
    let soonest = now + SWEEP_EVERY_MS;
    for (const { runner, listener } of this.#entries.values())
      soonest = Math.min(soonest, now + Math.max(1, listener.forgetMs - runner.awayMs()));
    this.#sweepBy(soonest);
  }
}
