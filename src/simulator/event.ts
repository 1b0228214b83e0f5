/** What happened to a simulated device; each carries its name. */
export type SimulatorEvent = { readonly device: string } & (
  | { readonly kind: 'listening' | 'connected'; readonly address: string }
  /** The other side accepted our registration. */
  | { readonly kind: 'registered' }
  /** The other side answered our registration with an error. */
  | { readonly kind: 'refused'; readonly error: number }
  /** The other side registered with us. */
  | { readonly kind: 'peer_registered'; readonly appid: string; readonly imei: string }
  /** A link ended; a device that dials tries again after `retryInMs`. */
  | {
      readonly kind: 'disconnected';
      readonly address: string;
      readonly code: string;
      readonly detail: string;
      readonly retryInMs?: number;
    }
  /** A fault began or ended by itself. */
  | { readonly kind: 'stalled' | 'resumed' | 'half_open' }
);

/** What a device says about itself, without its name. */
export type DeviceNews = SimulatorEvent extends infer Event
  ? Event extends SimulatorEvent
    ? Omit<Event, 'device'>
    : never
  : never;

/** Frames that went over the links of one device, or of a fleet. */
export interface FrameCounts {
  sent: number;
  received: number;
}
