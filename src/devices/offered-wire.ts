import type { RegisterRequest } from '../protocol/message.ts';
import type { HeldMessage } from './core/pending-link.ts';
import type { LinkOffer } from './core/session-events.ts';
import type { Wire } from './wire.ts';

/** A link that dialled in, and what is done with it once the session has decided. */
export interface OfferedWire extends LinkOffer {
  readonly wire: Wire;
  /** The runner owns the wire from here on; what the peer has said since the offer comes before all that follows. */
  adopted(): readonly HeldMessage[];
  refused(reason: string): void;
  /**
   * The peer, known by its address alone until now, registers; it is asked once. Undefined where the link stays with
   * its device; else the runner lets go of the wire, and calls `take`.
   */
  registers?(register: RegisterRequest): Transfer | undefined;
}

/** A link goes to the device as which its peer registered. */
export interface Transfer {
  readonly detail: string;
  /** The wire has an owner again from here on. */
  take(): void;
}
