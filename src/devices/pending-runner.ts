import type { Identity } from '../contract/index.ts';
import type {
  DeclaredMessage,
  DeclaredProtocol,
  DecoderFault,
  InvalidPayload,
  Message,
} from '../protocol/index.ts';
import { type Clock, DeadlineTimer, type Log, type Timer, tellDefect } from '../system/index.ts';
import type { LocalTime } from './core/link-protocol.ts';
import { type HeldMessage, type PendingEffect, type PendingEvent, PendingLink } from './core/pending-link.ts';
import type { LinkClaim } from './core/session-events.ts';
import { FirstBytes, type UnknownLink } from './unknown-links.ts';
import type { Wire, WireOwner } from './wire.ts';

/** A link that dialled in, and what is done with it once the session has decided. */
export interface WireClaim extends LinkClaim {
  /** Absent: the link arrived at another instance, to which the device goes with it. */
  readonly wire?: Wire | undefined;
  /** The runner owns the wire from here on; what the peer has said since the claim comes before all that follows. */
  attached(): readonly HeldMessage[];
  refused(reason: string): void;
  /**
   * The peer, known by its address alone until now, registers; it is asked once. Undefined where the link stays with
   * its device; else the runner lets go of the wire, and calls `take`.
   */
  registers?(message: Message): Transfer | undefined;
}

/** A link goes to the device as which its peer registered. */
export interface Transfer {
  readonly detail: string;
  /** The wire has an owner again from here on. */
  take(): void;
}

/** How a pending link reports to its listener. */
interface PendingHandlers {
  /** The link can carry bytes. */
  opened(runner: PendingRunner): void;
  registered(runner: PendingRunner, identity: Identity, login: DeclaredMessage | undefined): void;
  /** A frame came whose content is not as declared. */
  rejected(runner: PendingRunner, detail: string): void;
  /** A valid frame came: the device may be found by the address. */
  spoke(runner: PendingRunner): void;
  /** The link is gone, by itself or because it was closed. */
  ended(runner: PendingRunner, reason: string, detail: string): void;
}

/** Performs the effects of one pending link, until a device takes it over. */
export class PendingRunner implements WireOwner {
  readonly link: PendingLink;
  /** The peer's address with its port, and without. */
  readonly address: string;
  readonly host: string;
  readonly #first = new FirstBytes();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #handlers: PendingHandlers;
  readonly #timer: DeadlineTimer;
  #reading: Timer | undefined;
  #wire: Wire | undefined;

  constructor(
    address: string,
    host: string,
    { localTime, clock, log }: { localTime: LocalTime; clock: Clock; log: Log },
    handlers: PendingHandlers,
    protocol?: DeclaredProtocol,
  ) {
    this.address = address;
    this.host = host;
    this.#clock = clock;
    this.#log = log;
    this.#handlers = handlers;
    this.link = new PendingLink(localTime, clock.now(), protocol);
    this.#timer = new DeadlineTimer(clock, () => this.#due(false));
  }

  /** Where it is of no device: what it sent first may show what it is. */
  unknown(ended?: number, detail?: string): UnknownLink {
    return { address: this.address, since: this.link.since.wallMs, ended, detail, bytes: this.#first.bytes };
  }

  open(wire: Wire): void {
    this.#wire = wire;
    wire.open();
    this.#timer.follow(this.link.nextDeadline());
  }

  /** Takes over a wire that is open, and whose peer registers just now. */
  take(wire: Wire, login: Message): void {
    this.#wire = wire;
    wire.owner = this;
    this.wireMessage(wire, login);
  }

  /** The link claims a device; its bytes are read as those of that device from here on. */
  claimMade(): void {
    this.#handle({ type: 'claimMade' });
  }

  /** Hands the wire over, with the messages held of it; later events of it are ignored here. */
  release(): readonly HeldMessage[] {
    this.#forget();
    return this.link.held;
  }

  refuse(reason: string): void {
    this.#handle({ type: 'refused', reason });
  }

  close(reason: string, detail: string): void {
    this.#close('destroy', reason, detail);
  }

  wireOpened(wire: Wire): void {
    if (wire === this.#wire) this.#handlers.opened(this);
  }

  wireBytes(wire: Wire, chunk: Uint8Array): void {
    if (wire !== this.#wire) return;
    this.#first.add(chunk);
    this.#handle({ type: 'bytesReceived', count: chunk.byteLength });
  }

  wireDiscarded(): void {}

  wireChunk(): void {}

  wireMessage(wire: Wire, message: Message | InvalidPayload): void {
    if (wire === this.#wire) this.#handle({ type: 'messageReceived', message });
  }

  wireFaulted(wire: Wire, fault: DecoderFault): void {
    if (wire === this.#wire) this.#handle({ type: 'streamFaulted', fault });
  }

  wireClosed(wire: Wire, end: { readonly code: string; readonly detail: string }): void {
    if (wire !== this.#wire) return;
    this.#forget();
    this.#handlers.ended(this, end.code, end.detail);
  }

  wireBroke(wire: Wire, cause: unknown): void {
    if (wire === this.#wire) this.#broke(cause);
  }

  #broke(cause: unknown): void {
    const detail = tellDefect(this.#log, { address: this.address }, cause);
    this.#close('destroy', 'internal_error', detail);
  }

  /** From a timer; what a wire brings is guarded by the wire. */
  #due(afterReading: boolean): void {
    try {
      this.#handle({ type: 'deadlineReached', afterReading });
    } catch (cause) {
      this.#broke(cause);
    }
  }

  #handle(event: PendingEvent): void {
    for (const effect of this.link.handle(event, this.#clock.now())) this.#perform(effect);
    if (this.#wire !== undefined) this.#timer.follow(this.link.nextDeadline());
  }

  #perform(effect: PendingEffect): void {
    switch (effect.type) {
      case 'send':
        // A peer that does not read its replies is closed for its silence.
        this.#wire?.send(this.#wire.encode(effect.message));
        return;
      case 'closeLink':
        return this.#close(effect.how, effect.reason, effect.detail);
      case 'readOnce':
        this.#reading = this.#clock.afterReading(() => this.#due(true));
        return;
      case 'rejected':
        return this.#handlers.rejected(this, effect.detail);
      case 'spoke':
        return this.#handlers.spoke(this);
      case 'registered':
        return this.#handlers.registered(this, effect.identity, effect.login);
    }
  }

  #close(how: 'end' | 'destroy', reason: string, detail: string): void {
    const wire = this.#wire;
    if (wire === undefined) return;
    this.#forget();
    wire.close(how);
    this.#handlers.ended(this, reason, detail);
  }

  #forget(): void {
    this.#wire = undefined;
    this.#timer.cancel();
    this.#reading?.cancel();
  }
}
