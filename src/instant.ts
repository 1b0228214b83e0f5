/**
 * One moment on two clocks, in ms. `monoMs` never jumps and is used for every deadline and duration; `wallMs` is the
 * Unix epoch time that is shown to people and put on the wire.
 */
export interface Instant {
  readonly monoMs: number;
  readonly wallMs: number;
}
