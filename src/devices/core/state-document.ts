import type { Measured } from './measurements.ts';

/** What a device is, as far as its own frames tell. */
export type DeviceStatus = 'unknown' | 'registering' | 'online' | 'stale' | 'offline' | 'away';

/** What its link is, as far as the operating system tells. */
export type LinkStatus = 'disabled' | 'listening' | 'connecting' | 'connected' | 'backoff' | 'failed';

/** The link axis; `since` in ms since the epoch, `attempt` counts openings since the last success. */
export type LinkState = {
  readonly status: LinkStatus;
  readonly transport: 'tcp' | 'serial' | 'replay';
  readonly address?: string;
  readonly since: number;
  readonly attempt: number;
  readonly reason?: string;
  readonly detail?: string;
};

/** The retained document of `devices/<id>/state`: what is unknown is absent. */
export type StateDocument = {
  readonly device: string;
  readonly status: DeviceStatus;
  readonly since: number;
  readonly reason?: string;
  readonly detail?: string;
  readonly link: LinkState;
  /** Who the peer says it is. */
  readonly identity?: { readonly appid: string; readonly imei: string };
  /** Who we said we are. */
  readonly registered_as?: { readonly appid: string; readonly imei: string };
  readonly clock?: { readonly offset_ms: number; readonly bound_ms: number; readonly samples: number };
  /** Decoded values of declared messages: `values.<message>.<field>`. */
  readonly values?: Measured['values'];
  /** Of each value that is not simply good, by `message.field`. */
  readonly quality?: Measured['quality'];
  /** The key of the topic that describes these values: `declarations/<key>`. */
  readonly declaration?: string;
  /** Stable words for what is odd but no error: `imei_checksum`. */
  readonly warnings?: readonly string[];
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Keeps the two axes and what belongs to them; a part that does not change stays the same object. */
export class StateAxes {
  #document: StateDocument;
  #published: StateDocument | undefined;
  #measured: Measured | undefined;

  constructor(device: string, transport: LinkState['transport'], wallMs: number, measured?: Measured) {
    this.#measured = measured;
    this.#document = {
      device,
      status: 'unknown',
      since: wallMs,
      link: { status: 'disabled', transport, since: wallMs, attempt: 0 },
    };
  }

  get document(): StateDocument {
    return this.#document;
  }

  /** The document where it changed since the last call. */
  takeChange(): StateDocument | undefined {
    if (this.#published === this.#document) return undefined;
    this.#published = this.#document;
    return this.#document;
  }

  /** `since` moves only when the status does. */
  setStatus(status: DeviceStatus, wallMs: number, reason?: string, detail?: string): void {
    const now = this.#document;
    if (now.status === status && now.reason === reason && now.detail === detail) return;
    const next: Mutable<StateDocument> = { ...now, status };
    if (now.status !== status) next.since = wallMs;
    delete next.reason;
    delete next.detail;
    if (reason !== undefined) next.reason = reason;
    if (detail !== undefined) next.detail = detail;
    this.#document = next;
  }

  /** `since` moves when the status does, and with every link that opens: it is handed in then. */
  setLink(
    status: LinkStatus,
    wallMs: number,
    more: { address?: string; attempt?: number; since?: number; reason?: string; detail?: string } = {},
  ): void {
    const now = this.#document.link;
    const address = more.address ?? now.address;
    const next: LinkState = {
      status,
      transport: now.transport,
      ...(address === undefined ? {} : { address }),
      since: more.since ?? (now.status === status ? now.since : wallMs),
      attempt: more.attempt ?? now.attempt,
      ...(more.reason === undefined ? {} : { reason: more.reason }),
      ...(more.detail === undefined ? {} : { detail: more.detail }),
    };
    const same =
      now.status === next.status &&
      now.address === next.address &&
      now.since === next.since &&
      now.attempt === next.attempt &&
      now.reason === next.reason &&
      now.detail === next.detail;
    if (!same) this.#document = { ...this.#document, link: next };
  }

  /** Sets or, with `undefined`, removes one part. */
  setPart<K extends 'identity' | 'registered_as' | 'clock' | 'warnings'>(
    key: K,
    value: StateDocument[K] | undefined,
  ): void {
    if (JSON.stringify(this.#document[key]) === JSON.stringify(value)) return;
    const next: Mutable<StateDocument> = { ...this.#document };
    delete next[key];
    if (value !== undefined) next[key] = value;
    this.#document = next;
  }

  /** Takes over what is measured; the same object as before is no change. */
  setMeasured(measured: Measured): void {
    const before = this.#measured;
    if (before === measured) return;
    this.#measured = measured;
    const { values, quality } = measured;
    if (quality === before?.quality) {
      this.#document = { ...this.#document, values };
      return;
    }
    const { quality: _, ...rest } = this.#document;
    this.#document = { ...rest, values, ...(Object.keys(quality).length === 0 ? {} : { quality }) };
  }
}
