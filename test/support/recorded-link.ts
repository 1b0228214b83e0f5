import type { Link, LinkEnd, LinkHandlers } from '../../src/links/link.ts';

export type LinkEvent =
  | { readonly event: 'opened'; readonly address: string }
  | { readonly event: 'data'; readonly chunk: Uint8Array }
  | { readonly event: 'idle' }
  | { readonly event: 'closed'; readonly end: LinkEnd };

/** Opens a link and keeps what it tells, in order. */
export class RecordedLink {
  readonly events: LinkEvent[] = [];
  readonly link: Link;
  #arrived = 0;

  constructor(link: Link, also: Partial<LinkHandlers> = {}) {
    this.link = link;
    link.open({
      dialling: (stale) => also.dialling?.(stale),
      ...(also.dropsUnread === undefined ? {} : { dropsUnread: also.dropsUnread }),
      opened: (address) => {
        this.events.push({ event: 'opened', address });
        also.opened?.(address);
      },
      data: (chunk) => {
        this.#arrived += chunk.length;
        this.events.push({ event: 'data', chunk });
        also.data?.(chunk);
      },
      idle: () => {
        this.events.push({ event: 'idle' });
        also.idle?.();
      },
      closed: (end) => {
        this.events.push({ event: 'closed', end });
        also.closed?.(end);
      },
    });
  }

  get opened(): boolean {
    return this.events.some((each) => each.event === 'opened');
  }

  get end(): LinkEnd | undefined {
    for (const each of this.events) if (each.event === 'closed') return each.end;
    return undefined;
  }

  get idles(): number {
    return this.events.filter((each) => each.event === 'idle').length;
  }

  /** Bytes read so far. */
  get arrived(): number {
    return this.#arrived;
  }

  bytes(): Buffer {
    const chunks: Uint8Array[] = [];
    for (const each of this.events) if (each.event === 'data') chunks.push(each.chunk);
    return Buffer.concat(chunks);
  }
}
