import type { Faults } from './faults.ts';
import { type Random, randomInteger } from './random.ts';
import type { Timers } from './timers.ts';

const LONGEST_GARBAGE = 16;

/** Bytes that may wait for their turn on a trickling line; what does not fit is lost, whole frames at a time. */
const TRICKLE_LIMIT = 16 * 1024;

/** Puts garbage before a frame, loses bytes and flips bits as the faults ask; without such faults, the frame itself. */
export function damage(frame: Uint8Array, faults: Faults, random: Random): Uint8Array {
  const { drop = 0, corrupt = 0, garbage = 0 } = faults;
  if (drop === 0 && corrupt === 0 && garbage === 0) return frame;
  const sent: number[] = [];
  if (garbage > 0 && random() < garbage) {
    const count = randomInteger(random, 1, LONGEST_GARBAGE);
    for (let index = 0; index < count; index += 1) sent.push(randomInteger(random, 0, 255));
  }
  for (const byte of frame) {
    if (drop > 0 && random() < drop) continue;
    // A mask from 1 to 255 flips at least one bit: a corrupted byte is never the right one.
    sent.push(corrupt > 0 && random() < corrupt ? byte ^ randomInteger(random, 1, 255) : byte);
  }
  return Uint8Array.from(sent);
}

/** The sending half of a link with something wrong: what is written here leaves damaged, or byte by byte. */
export class FaultyLine {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #timers: Timers;
  #waiting: number[] = [];
  #trickling = false;

  constructor(send: (bytes: Uint8Array) => void, faults: Faults, random: Random, timers: Timers) {
    this.#send = send;
    this.#faults = faults;
    this.#random = random;
    this.#timers = timers;
  }

  write(frame: Uint8Array): void {
    const bytes = damage(frame, this.#faults, this.#random);
    if (bytes.length === 0) return;
    if (this.#faults.trickleMs === undefined) {
      this.#send(bytes);
      return;
    }
    if (this.#waiting.length + bytes.length > TRICKLE_LIMIT) return;
    for (const byte of bytes) this.#waiting.push(byte);
    if (!this.#trickling) this.#trickle(this.#faults.trickleMs);
  }

  #trickle(everyMs: number): void {
    const byte = this.#waiting.shift();
    this.#trickling = byte !== undefined;
    if (byte === undefined) return;
    this.#send(Uint8Array.of(byte));
    this.#timers.after(everyMs, () => this.#trickle(everyMs));
  }
}
