import type { Instant } from '../../instant.ts';
import type { Discarded, LineRemark } from '../../protocol/index.ts';
import type { Ending } from './link-protocol.ts';
import type { SessionContext } from './session-ports.ts';

/**
 * Bytes that were no frames, since the last valid one. A line that is silent by the protocol and still brought bytes
 * has the wrong speed, or another kind of device at its end: what came first says most.
 */
export class Noise {
  #bytes = 0;
  #seen = '';
  /** What is odd about the present line; it stands in the state of the link. */
  remark: LineRemark | undefined;
  /** Reasons that the log has named already. */
  readonly #logged = new Set<LineRemark['reason']>();

  /** Another link was opened. */
  begin(): void {
    this.clear();
    this.remark = undefined;
  }

  /** Shows in the state of the link what is odd about the line; the log says it once. */
  remarked(remark: LineRemark | undefined, { axes, emit, settings }: SessionContext, now: Instant): void {
    // A port of this computer carries no telnet, whatever its bytes look like.
    if (remark === undefined || (remark.reason === 'telnet' && settings.transport === 'serial')) return;
    this.remark = remark;
    axes.setLink('connected', now.wallMs, { ...remark });
    if (this.#logged.has(remark.reason)) return;
    this.#logged.add(remark.reason);
    emit({ type: 'log', level: 'warn', reason: remark.reason, text: remark.detail });
  }

  discarded(report: Discarded): void {
    if (this.#bytes === 0) this.#seen = report.seen;
    this.#bytes += report.count;
  }

  clear(): void {
    this.#bytes = 0;
  }

  /** The ending, with what came instead of frames. */
  explain(ending: Ending): Ending {
    if (this.#bytes === 0) return ending;
    return {
      ...ending,
      detail: `${ending.detail}; ${this.#bytes} bytes came that are no frames: ${this.#seen}`,
    };
  }
}
