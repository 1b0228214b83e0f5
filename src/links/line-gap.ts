import type { SerialSettings } from './address.ts';

/** No gap is shorter: USB adapters hold bytes back for 16 ms and more, which looks like silence. */
const MIN_GAP_MS = 50;
/** Two latency timers of an FTDI adapter. */
const LATENCY_MS = 32;
/** Characters that fit into a silence that ends a frame. */
const GAP_CHARACTERS = 10;

/** Bits on the wire for one character: start, data, parity and stop bits. */
export const bitsPerCharacter = (settings: SerialSettings): number =>
  1 + settings.dataBits + (settings.parity === 'none' ? 0 : 1) + settings.stopBits;

/** Silence after which a line with these settings counts as idle, in ms. */
export const lineGapMs = (settings: SerialSettings): number =>
  Math.max(
    MIN_GAP_MS,
    Math.ceil((GAP_CHARACTERS * bitsPerCharacter(settings) * 1_000) / settings.baud) + LATENCY_MS,
  );
