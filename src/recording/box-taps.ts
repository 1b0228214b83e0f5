import type { DialInTap, WireTap } from '../devices/index.ts';
import type { LinkEnd } from '../links/index.ts';
import type { Clock } from '../system/index.ts';
import type { BoxConnection, DeviceBox } from './device-box.ts';

const microseconds = (clock: Clock): number => Math.round(clock.now().monoMs * 1_000);

/** Observes a link whose device is known. */
export function boxTap(
  box: DeviceBox,
  clock: Clock,
  discarded: (count: number, reason: string) => void,
): WireTap {
  const connection = box.connect();
  /** While a chunk is handled: when it came. What answers it at once has that time, and the clock is read once. */
  let chunkUs: number | undefined;
  return {
    dialled: (address) => box.dialled(connection, microseconds(clock), address),
    opened: (address) => box.opened(connection, microseconds(clock), address),
    received: (chunk, monoMs) => {
      chunkUs = monoMs === undefined ? microseconds(clock) : Math.round(monoMs * 1_000);
      box.received(connection, chunkUs, chunk);
    },
    decoded: (pending) => {
      chunkUs = undefined;
      connection.whole = pending === 0;
    },
    idle: () => box.idle(connection, microseconds(clock)),
    noted: (text) => box.note(microseconds(clock), text),
    sent: (frame) => box.sent(connection, chunkUs ?? microseconds(clock), frame),
    discarded: ({ count, reason }) => discarded(count, reason),
    faulted: ({ length, reason }) => discarded(length, reason),
    closed: (end) => box.closed(connection, microseconds(clock), end),
  };
}

/** Of a link without a name, in bytes; a registration is shorter by far. */
const MOST_HELD = 4_096;
const LINE_BYTES = 32;

interface BoxDialInOptions {
  readonly clock: Clock;
  boxOf(device: string): DeviceBox | undefined;
  discarded(box: DeviceBox, count: number, reason: string): void;
}

/** Observes a link that dialled in: holds what is said until it has a name. */
export class BoxDialIn implements DialInTap {
  readonly #options: BoxDialInOptions;
  #box: DeviceBox | undefined;
  #connection: BoxConnection | undefined;
  #whole = true;
  /** While a chunk is handled: when it came. */
  #chunkUs: number | undefined;
  #held: Array<(box: DeviceBox, connection: BoxConnection) => void> = [];
  #heldBytes = 0;
  #nameless = true;

  constructor(options: BoxDialInOptions) {
    this.#options = options;
  }

  named(device: string): void {
    const box = this.#options.boxOf(device);
    const held = this.#held;
    this.#held = [];
    this.#nameless = false;
    if (box === undefined) return;
    const connection = box.connect();
    this.#box = box;
    this.#connection = connection;
    for (const replay of held) replay(box, connection);
    connection.whole = this.#whole;
  }

  transferred(address: string, bytes: Uint8Array, why: string): void {
    this.closed({ code: 'link_closed', detail: why });
    this.#nameless = true;
    this.#heldBytes = 0;
    this.#whole = true;
    this.opened(address);
    this.received(bytes);
  }

  opened(address: string): void {
    const us = microseconds(this.#options.clock);
    this.#take(0, (box, connection) => box.opened(connection, us, address));
  }

  received(chunk: Uint8Array, monoMs?: number): void {
    const us = monoMs === undefined ? microseconds(this.#options.clock) : Math.round(monoMs * 1_000);
    this.#chunkUs = us;
    if (this.#box !== undefined && this.#connection !== undefined)
      return this.#box.received(this.#connection, us, chunk);
    const bytes = chunk.slice();
    this.#take(bytes.length, (box, connection) => box.received(connection, us, bytes));
  }

  decoded(pending: number): void {
    this.#chunkUs = undefined;
    this.#whole = pending === 0;
    if (this.#connection !== undefined) this.#connection.whole = this.#whole;
  }

  idle(): void {
    const us = microseconds(this.#options.clock);
    this.#take(0, (box, connection) => box.idle(connection, us));
  }

  sent(frame: Uint8Array): void {
    const us = this.#chunkUs ?? microseconds(this.#options.clock);
    if (this.#box !== undefined && this.#connection !== undefined)
      return this.#box.sent(this.#connection, us, frame);
    this.#take(frame.length, (box, connection) => box.sent(connection, us, frame));
  }

  discarded({ count, reason }: { readonly count: number; readonly reason: string }): void {
    if (this.#box !== undefined) this.#options.discarded(this.#box, count, reason);
  }

  closed(end: LinkEnd): void {
    if (this.#box !== undefined && this.#connection !== undefined)
      this.#box.closed(this.#connection, microseconds(this.#options.clock), end);
    this.#box = undefined;
    this.#connection = undefined;
    this.#held = [];
    this.#nameless = false;
  }

  #take(bytes: number, act: (box: DeviceBox, connection: BoxConnection) => void): void {
    if (this.#box !== undefined && this.#connection !== undefined) return act(this.#box, this.#connection);
    this.#heldBytes += bytes + LINE_BYTES;
    if (this.#nameless && this.#heldBytes <= MOST_HELD) this.#held.push(act);
  }
}

/** Two observers of one link, in this order. */
export const bothTaps = (first: WireTap, second: WireTap): WireTap => ({
  made: (wire) => {
    first.made?.(wire);
    second.made?.(wire);
  },
  dialled: (address) => {
    first.dialled?.(address);
    second.dialled?.(address);
  },
  opened: (address) => {
    first.opened?.(address);
    second.opened?.(address);
  },
  received: (chunk, monoMs) => {
    first.received?.(chunk, monoMs);
    second.received?.(chunk, monoMs);
  },
  decoded: (pending) => {
    first.decoded?.(pending);
    second.decoded?.(pending);
  },
  idle: () => {
    first.idle?.();
    second.idle?.();
  },
  noted: (text) => {
    first.noted?.(text);
    second.noted?.(text);
  },
  sent: (frame) => {
    first.sent?.(frame);
    second.sent?.(frame);
  },
  discarded: (report) => {
    first.discarded?.(report);
    second.discarded?.(report);
  },
  faulted: (fault) => {
    first.faulted?.(fault);
    second.faulted?.(fault);
  },
  closed: (end) => {
    first.closed?.(end);
    second.closed?.(end);
  },
});

/** The same of a link that dialled in. */
export const bothDialInTaps = (first: DialInTap, second: DialInTap): DialInTap => ({
  ...bothTaps(first, second),
  named: (device) => {
    first.named(device);
    second.named(device);
  },
  transferred: (address, bytes, why) => {
    first.transferred(address, bytes, why);
    second.transferred(address, bytes, why);
  },
});
