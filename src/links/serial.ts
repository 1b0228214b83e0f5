import { IdleSensor } from './idle-sensor.ts';
import type { Link, LinkHandlers, SendOutcome } from './link.ts';
import { LinkLife, ownEnd } from './link-life.ts';
import type { LinkTransport } from './link-transport.ts';
import { type OpenPort, openPort } from './open-port.ts';
import { watchPresence } from './port-resolve.ts';
import {
  parseSerialAddress,
  type SerialAddress,
  type SerialSettings,
  selectorLabel,
} from './serial-address.ts';
import { portBrokenEnd, unpluggedEnd } from './serial-end.ts';
import { WriteQueue } from './write-queue.ts';

/** What a USB adapter may hold back before it sends the last bytes. */
const ADAPTER_MS = 50;

export interface SerialLinkOptions {
  /** Silence after which `idle` is called, in ms; by default the formula for the line's speed. */
  readonly gapMs?: number | undefined;
  /** The device of the link, named to others that want the port. */
  readonly device?: string | undefined;
}

/**
 * A serial port. The bytes are handed on as they are read; beside them a sensor detects that the line falls idle, and a
 * presence poll that the port is gone, because the port's own `close` cannot be trusted to.
 */
export class SerialLink implements Link {
  readonly transport = 'serial';
  readonly address: string;
  readonly #target: SerialAddress;
  readonly #gapMs: number;
  readonly #device: string | undefined;
  readonly #life = new LinkLife();
  #open: OpenPort | undefined;
  #queue: WriteQueue | undefined;
  #sensor: IdleSensor | undefined;
  #stopWatching: (() => void) | undefined;
  #sentOut: NodeJS.Timeout | undefined;
  /** When the line will have carried all that was sent so far, by its speed. */
  #carriedAtMs = 0;
  #closing = false;
  #finished = false;

  constructor(target: SerialAddress, options: SerialLinkOptions = {}) {
    this.#target = target;
    this.address = selectorLabel(target.port);
    this.#device = options.device;
    this.#gapMs = options.gapMs ?? lineGapMs(target.settings);
  }

  get queued(): number {
    return this.#queue?.queued ?? 0;
  }

  open(handlers: LinkHandlers): void {
    if (!this.#life.begin(handlers)) {
      setImmediate(() => this.#finish());
      return;
    }
    void this.#openUp();
  }

  send(bytes: Uint8Array): SendOutcome {
    if (!this.#life.isOpen || this.#queue === undefined) return 'link_not_open';
    const outcome = this.#queue.send(bytes);
    if (outcome === 'accepted') {
      const lineMs =
        (bytes.length * bitsPerCharacter(this.#target.settings) * 1_000) / this.#target.settings.baud;
      this.#carriedAtMs = Math.max(this.#carriedAtMs, performance.now()) + lineMs;
    }
    return outcome;
  }

  end(): void {
    if (!this.#life.end(ownEnd(this.address), () => this.destroy())) return;
    // With flow control the line may stand still for as long as it likes; then all of the time is given to it.
    const { rtscts, xon } = this.#target.settings;
    if (rtscts || xon) return;
    // Not by draining: that blocks one of the few threads of the pool for as long as the line is stuck.
    this.#queue?.whenEmpty(() => {
      if (this.#life.isOver) return;
      const restMs = Math.max(0, this.#carriedAtMs - performance.now()) + ADAPTER_MS;
      this.#sentOut = setTimeout(() => {
        if (this.#life.destroying(ownEnd(this.address))) this.#close();
      }, restMs);
    });
  }

  destroy(): void {
    if (this.#life.destroying(ownEnd(this.address))) this.#discardAndClose();
  }

  async #openUp(): Promise<void> {
    const life = this.#life;
    const opened = await openPort(this.#target, {
      device: this.#device,
      get leaving() {
        return life.isEnding || life.isOver;
      },
    });
    if (!('port' in opened)) {
      this.#life.destroying(opened);
      this.#finish();
      return;
    }
    this.#open = opened;
    const { port, path, realPath } = opened;
    port.on('close', (error: unknown) => {
      if (error instanceof Error) this.#life.destroying(unpluggedEnd(path));
      this.#whenGone();
    });
    port.on('error', (error) => {
      if (this.#life.destroying(portBrokenEnd(error, path))) this.#close();
      this.#whenGone();
    });
    if (this.#life.isOver) {
      this.#close();
      return;
    }
    this.#queue = new WriteQueue(port);
    this.#sensor = new IdleSensor(this.#gapMs, () => this.#life.idle());
    this.#stopWatching = watchPresence(realPath, () => {
      if (this.#life.destroying(unpluggedEnd(path))) this.#close();
    });
    this.#life.opened(path);
    port.on('data', (chunk: Buffer) => {
      if (this.#life.isOver) return;
      this.#life.data(chunk);
      this.#sensor?.sawBytes();
    });
  }

  /** What the line has not taken is thrown away: the kernel would keep the close waiting for it, up to half a minute. */
  #discardAndClose(): void {
    const port = this.#open?.port;
    if (port?.isOpen) port.flush(() => this.#close());
    else this.#whenGone();
  }

  #close(): void {
    const port = this.#open?.port;
    if (this.#closing || port === undefined) return;
    this.#closing = true;
    if (port.isOpen) port.close(() => this.#whenGone());
    else this.#whenGone();
  }

  /** The stream reports its end before the descriptor is closed; the port is free only after that. */
  #whenGone(): void {
    const port = this.#open?.port;
    if (port === undefined || port.isOpen || port.opening || port.closing) return;
    setImmediate(() => this.#finish());
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#sentOut);
    this.#stopWatching?.();
    this.#sensor?.close();
    this.#open?.release();
    this.#life.finish(unpluggedEnd(this.address));
  }
}

/** No gap is shorter: USB adapters hold bytes back for 16 ms and more, which looks like silence. */
const MIN_GAP_MS = 50;
/** Two latency timers of an FTDI adapter. */
const LATENCY_MS = 32;
/** Characters that fit into a silence that ends a frame. */
const GAP_CHARACTERS = 10;

/** Bits on the wire for one character: start, data, parity and stop bits. */
export const bitsPerCharacter = (settings: SerialSettings): number =>
  1 + settings.dataBits + (settings.parity === 'none' ? 0 : 1) + settings.stopBits;

/** Silence after which a line with these settings counts as idle, in ms. */
export const lineGapMs = (settings: SerialSettings): number =>
  Math.max(
    MIN_GAP_MS,
    Math.ceil((GAP_CHARACTERS * bitsPerCharacter(settings) * 1_000) / settings.baud) + LATENCY_MS,
  );

export const serial: LinkTransport<SerialAddress> = {
  parse: parseSerialAddress,
  label: ({ port }) => selectorLabel(port),
  dial: (address, { gapMs, device }) => new SerialLink(address, { gapMs, device }),
};
