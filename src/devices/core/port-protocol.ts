import type { Instant } from '../../instant.ts';
import type { Expectation, InvalidPayload, Message } from '../../protocol/index.ts';
import { type Ending, FrameProgress, type LinkProtocol } from './link-protocol.ts';
import type { SessionContext } from './session-ports.ts';

const NOTHING: Expectation = { awaited: [], replies: [], sent: [] };

/**
 * The link of a bus: it carries bytes as long as it is open. What comes is counted here and is handled by the devices
 * on the bus; whether one of them is alive is no question of the link.
 */
export class PortProtocol implements LinkProtocol {
  readonly host: string;
  readonly #context: SessionContext;
  readonly #progress = new FrameProgress();
  #lastValidAt: number;
  #succeeded = false;

  constructor(context: SessionContext, host: string, now: Instant) {
    this.#context = context;
    this.host = host;
    this.#lastValidAt = now.monoMs;
  }

  get lastValidAt(): number {
    return this.#lastValidAt;
  }

  get succeeded(): boolean {
    return this.#succeeded;
  }

  open(now: Instant): void {
    const { axes, settings } = this.#context;
    axes.setStatus('online', now.wallMs);
    const over = axes.document.link.address ?? settings.transport;
    this.#context.emit({
      type: 'log',
      level: 'info',
      reason: 'online',
      text: `the bus is open over ${over}`,
    });
  }

  openKnown(_: unknown, now: Instant): void {
    this.open(now);
  }

  expectation(): Expectation {
    return NOTHING;
  }

  received(message: Message | InvalidPayload, now: Instant): undefined {
    const { stats } = this.#context;
    stats.counts.frames_in += 1;
    stats.touch();
    if (message.name === 'invalid') stats.counts.invalid += 1;
    if (message.name === 'invalid' || message.name === 'echo') return undefined;
    this.#lastValidAt = now.monoMs;
    stats.counts.last_frame_at = now.wallMs;
    if (this.#succeeded) return undefined;
    this.#succeeded = true;
    this.#context.seen = true;
    this.#context.succeeded();
    return undefined;
  }

  chunkReceived(pending: number, now: Instant): void {
    this.#progress.chunkReceived(pending, now.monoMs);
  }

  requestMade(): void {}

  sendAccepted(): void {}

  sendRefused(): undefined {}

  probe(): void {}

  abandon(): void {}

  nextDeadline(): number {
    return this.#progress.nextDeadline();
  }

  watch(_lateMs: number, now: Instant): Ending | undefined {
    return this.#progress.ending(now.monoMs);
  }
}
