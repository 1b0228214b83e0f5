import type { Transport } from '../contract/index.ts';
import type { ErrorCode } from '../errors.ts';

/** Why and how a link ended; `detail` is for people and names what was seen and the fix. */
export interface LinkEnd {
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface LinkHandlers {
  /** TCP only: silence after which `idle` is called, in ms. Absent: as the link was made, which is never by itself. */
  readonly idleAfterMs?: number;
  /** Only of a link that `resolves`: its addresses are known and dialled now; `stale` says how they may be out of date. */
  dialling?(stale?: string): void;
  /** The link can carry bytes. At most once, and before everything but `dialling` and `closed`. `address` is the peer's, as text. */
  opened(address: string): void;
  /**
   * Only of an accepted link: its first bytes are kept until the next turn of reading, and where the peer has hung up
   * behind them by then, it is asked whether they are to be dropped, unread, with the link.
   */
  dropsUnread?(bytes: Uint8Array): boolean;
  /** Bytes as they were read; the receiver owns the chunk. */
  data(chunk: Uint8Array): void;
  /** The line fell silent after data (serial lines, and stream sockets where that was asked for), or a datagram ended. */
  idle(): void;
  /** Exactly once, last, whatever ended it: refusal, the peer, an error, or our own `end` or `destroy`. */
  closed(end: LinkEnd): void;
}

/** What became of bytes given to `send`. */
export type SendOutcome = 'accepted' | 'link_queue_full' | 'link_not_open';

/**
 * One life of one byte stream, without any knowledge of the protocol. It is opened once and never again: a
 * reconnect makes a new link. Handlers are never called from inside `open`, `send`, `end` or `destroy`, but later.
 * Reading is never paused.
 */
export interface Link {
  readonly transport: Transport;
  /** Where it leads, as text: `10.0.0.7:9089`, `[::1]:9089`, `/dev/ttyUSB0`. */
  readonly address: string;
  /** Its host is a name, which is looked up first; within seconds `dialling` follows, or `closed`. */
  readonly resolves?: boolean;
  open(handlers: LinkHandlers): void;
  /** Queues the bytes of one frame; at most 1,024 frames wait, and 16 MiB of them. The bytes must not change afterwards. */
  send(bytes: Uint8Array): SendOutcome;
  /** Frames accepted by `send` that the operating system has not taken yet. */
  readonly queued: number;
  /** Writes out what is queued, then closes; destroyed after 1,000 ms at the latest. */
  end(): void;
  /** Closes now, without waiting for a peer that may be gone: what is queued goes as far as it is taken at once. */
  destroy(): void;
}

export interface ListenerHandlers {
  /** Bound; `address` carries the port that was really taken. */
  listening(address: string): void;
  /** A peer dialled in; the link awaits its `open` and reports `opened` at once. `host` is the peer's IP address, normalised (no `::ffff:`). */
  accepted(link: Link, host: string): void;
  /** A peer could not be accepted; the listener goes on. */
  acceptFailed?(end: LinkEnd): void;
  /** Exactly once, last: the listener could not be bound, failed, or was closed. */
  closed(end: LinkEnd): void;
}

/** One life of one listening address. Accepted links are their receiver's to close and outlive the listener. */
export interface Listener {
  readonly address: string;
  start(handlers: ListenerHandlers): void;
  close(): void;
}
