import type { LinkState, StateDocument } from '../../contract/feed/index.ts';
import type { DeviceStatus, LinkStatus } from '../../contract/wire/index.ts';
import type { Measured } from './measurements.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A device by its id, and by what people call it. */
interface Named {
  readonly device: string;
  readonly label?: string;
  readonly group?: string;
}

/** Keeps the two axes and what belongs to them; a part that does not change stays the same object. */
export class StateAxes {
  #document: StateDocument;
  #published: StateDocument | undefined;
  #measured: Measured | undefined;

  /** `bus`: the bus whose link it is. */
  constructor(
    { device, label, group, transport }: Named & { readonly transport: LinkState['transport'] },
    wallMs: number,
    measured?: Measured,
    bus?: string,
  ) {
    this.#measured = measured;
    this.#document = {
      device,
      ...(label === undefined ? {} : { label }),
      ...(group === undefined ? {} : { group }),
      status: 'unknown',
      since: wallMs,
      link: {
        status: 'disabled',
        transport,
        ...(bus === undefined ? {} : { bus }),
        since: wallMs,
        attempt: 0,
      },
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

  /** A device that dials in may come by another way than before. */
  setTransport(transport: LinkState['transport']): void {
    const { link } = this.#document;
    if (link.transport !== transport) this.#document = { ...this.#document, link: { ...link, transport } };
  }

  /** `since` moves when the status does, and with every link that opens: it is handed in then. */
  setLink(
    status: LinkStatus,
    wallMs: number,
    more: {
      address?: string;
      attempt?: number;
      since?: number;
      reason?: string;
      detail?: string;
      retryAt?: number | undefined;
    } = {},
  ): void {
    const now = this.#document.link;
    const address = more.address ?? now.address;
    const next: LinkState = {
      status,
      transport: now.transport,
      ...(now.bus === undefined ? {} : { bus: now.bus }),
      ...(address === undefined ? {} : { address }),
      since: more.since ?? (now.status === status ? now.since : wallMs),
      attempt: more.attempt ?? now.attempt,
      ...(more.retryAt === undefined ? {} : { retry_at: more.retryAt }),
      ...(more.reason === undefined ? {} : { reason: more.reason }),
      ...(more.detail === undefined ? {} : { detail: more.detail }),
    };
    const same =
      now.status === next.status &&
      now.address === next.address &&
      now.since === next.since &&
      now.attempt === next.attempt &&
      now.retry_at === next.retry_at &&
      now.reason === next.reason &&
      now.detail === next.detail;
    if (!same) this.#document = { ...this.#document, link: next };
  }

  /** Sets or, with `undefined`, removes one part. */
  setPart<K extends 'identity' | 'registered_as' | 'clock' | 'warnings' | 'shared'>(
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
