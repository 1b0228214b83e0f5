import type { Transport } from '../../src/contract/transport.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from '../../src/links/link.ts';

/** A link in memory, whose every event the test decides. Its controls call the handlers at once. */
export class FakeLink implements Link {
  readonly transport: Transport;
  readonly address: string;
  /** What `send` answers while the link is open. */
  outcome: SendOutcome = 'accepted';
  queued = 0;
  /** Frames accepted, in order. */
  readonly sent: Uint8Array[] = [];
  /** What the link's user asked for, in order. */
  readonly calls: Array<'open' | 'end' | 'destroy'> = [];
  #handlers: LinkHandlers | undefined;
  #state: 'fresh' | 'opening' | 'open' | 'over' = 'fresh';
  #told = false;

  constructor(address = '10.0.0.7:9089', transport: Transport = 'tcp') {
    this.address = address;
    this.transport = transport;
  }

  open(handlers: LinkHandlers): void {
    if (this.#handlers !== undefined) throw new Error('A link is opened only once.');
    this.calls.push('open');
    this.#handlers = handlers;
    if (this.#state === 'fresh') this.#state = 'opening';
    else queueMicrotask(() => this.close());
  }

  send(bytes: Uint8Array): SendOutcome {
    if (this.#state !== 'open') return 'link_not_open';
    if (this.outcome === 'accepted') this.sent.push(bytes);
    return this.outcome;
  }

  end(): void {
    this.calls.push('end');
    this.#ownClose();
  }

  destroy(): void {
    this.calls.push('destroy');
    this.#ownClose();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The frames sent since the last call. */
  takeSent(): Uint8Array[] {
    return this.sent.splice(0);
  }

  /** The link comes up. */
  connect(address = this.address): void {
    if (this.#state !== 'opening') throw new Error(`The fake link is ${this.#state}; it cannot come up.`);
    this.#state = 'open';
    this.#handlers?.opened(address);
  }

  /** Its first bytes would be kept back for a turn. */
  get keepsFirst(): boolean {
    return this.#handlers?.dropsUnread !== undefined;
  }

  /** The peer sent this and hung up, and nothing of it was looked at yet; whether that is dropped, unread. */
  dropsUnread(bytes: Uint8Array): boolean {
    return this.#handlers?.dropsUnread?.(bytes) ?? false;
  }

  data(chunk: Uint8Array): void {
    if (this.#state !== 'open') throw new Error(`The fake link is ${this.#state}; it carries no bytes.`);
    this.#handlers?.data(chunk);
  }

  idle(): void {
    if (this.#state !== 'open') throw new Error(`The fake link is ${this.#state}; it cannot fall idle.`);
    this.#handlers?.idle();
  }

  /** The link is gone, or could not be opened. Told once, however often it is called. */
  close(end: LinkEnd = { code: 'link_closed', detail: `${this.address} closed the link.` }): void {
    this.#state = 'over';
    if (this.#told || this.#handlers === undefined) return;
    this.#told = true;
    this.#handlers.closed(end);
  }

  #ownClose(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (this.#handlers === undefined) return;
    queueMicrotask(() =>
      this.close({ code: 'link_ended', detail: `We closed the link with ${this.address}.` }),
    );
  }
}
