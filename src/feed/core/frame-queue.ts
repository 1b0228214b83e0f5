/** Frames that wait for one subscriber: its own ones, and shared ones that came before them; answers may go first. */
export class FrameQueue {
  readonly #ordered: Uint8Array[] = [];
  readonly #urgent: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Something waits that must not be overtaken by what comes later. */
  get hasOrdered(): boolean {
    return this.#ordered.length > 0;
  }

  push(frame: Uint8Array): void {
    this.#ordered.push(frame);
    this.#bytes += frame.length;
  }

  /** Behind other urgent ones, before all else. */
  pushUrgent(frame: Uint8Array): void {
    this.#urgent.push(frame);
    this.#bytes += frame.length;
  }

  take(): Uint8Array | undefined {
    const frame = this.#urgent.shift() ?? this.#ordered.shift();
    if (frame !== undefined) this.#bytes -= frame.length;
    return frame;
  }
}
