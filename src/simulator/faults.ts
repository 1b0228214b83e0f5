import { HeartwireError } from '../errors.ts';
import { type Random, randomInteger } from './random.ts';
import type { Timers } from './timers.ts';

/** What is wrong with a simulated device; what is absent works. Faults that change bytes change those it sends. */
export interface Faults {
  /** Share of the bytes that get lost, 0 to 1. */
  readonly drop?: number;
  /** Share of the bytes that get one bit flipped or more, 0 to 1. */
  readonly corrupt?: number;
  /** Stands still for so long, again and again, working three times as long in between. */
  readonly stallMs?: number;
  /** Sends byte by byte, one every so many ms. */
  readonly trickleMs?: number;
  /** So long after a link opened it falls silent for ever, without closing; the next link works again. */
  readonly halfOpenAfterMs?: number;
  /** Probability of random bytes before a frame, 0 to 1. */
  readonly garbage?: number;
  /** Every reply comes so much later. */
  readonly lateReplyMs?: number;
  /** Connects, registers, beats once, hangs up, and returns after so long. */
  readonly shortEveryMs?: number;
  /** Answers every register with error -1. */
  readonly refuse?: boolean;
  /** Speaks no protocol: returns the bytes that it gets. */
  readonly echo?: boolean;
}

type Value = 'ratio' | 'duration' | 'none';

interface FaultWord {
  readonly field: keyof Faults;
  readonly value: Value;
  /** Taken where the word stands alone. */
  readonly alone?: number | true;
  readonly example: string;
}

const FAULT_WORDS: Readonly<Record<string, FaultWord>> = {
  drop: { field: 'drop', value: 'ratio', example: 'drop=0.01' },
  corrupt: { field: 'corrupt', value: 'ratio', example: 'corrupt=0.01' },
  stall: { field: 'stallMs', value: 'duration', example: 'stall=5s' },
  trickle: { field: 'trickleMs', value: 'duration', alone: 20, example: 'trickle=20ms' },
  'half-open': { field: 'halfOpenAfterMs', value: 'duration', alone: 10_000, example: 'half-open=10s' },
  garbage: { field: 'garbage', value: 'ratio', alone: 0.1, example: 'garbage=0.1' },
  'late-reply': { field: 'lateReplyMs', value: 'duration', example: 'late-reply=4s' },
  short: { field: 'shortEveryMs', value: 'duration', alone: 60_000, example: 'short=1m' },
  refuse: { field: 'refuse', value: 'none', alone: true, example: 'refuse' },
  echo: { field: 'echo', value: 'none', alone: true, example: 'echo' },
};

/** All faults that can be asked for, as they are written. */
export const FAULT_EXAMPLES: readonly string[] = Object.values(FAULT_WORDS).map(({ example }) => example);

/**
 * Reads a list such as `drop=0.01,stall=5s,echo`; an empty text is no fault.
 * @throws HeartwireError `bad_fault`, naming the part that is wrong and how it is written.
 */
export function parseFaults(text: string): Faults {
  const faults: Partial<Record<keyof Faults, number | true>> = {};
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const [name = '', ...rest] = part.split('=');
    const word = Object.hasOwn(FAULT_WORDS, name) ? FAULT_WORDS[name] : undefined;
    if (word === undefined) {
      throw badFault(`there is no fault "${name}"`, part, `Choose from: ${FAULT_EXAMPLES.join(', ')}.`);
    }
    if (faults[word.field] !== undefined)
      throw badFault(`"${name}" is given twice`, part, 'Leave one of them.');
    faults[word.field] = readValue(name, word, rest.length === 0 ? undefined : rest.join('='), part);
  }
  // The table above puts a number where a number belongs, and true only for the two words without a value.
  return faults as Faults;
}

function readValue(name: string, word: FaultWord, text: string | undefined, part: string): number | true {
  const fix = `Write for example ${word.example}.`;
  if (text === undefined) {
    if (word.alone !== undefined) return word.alone;
    throw badFault(`"${name}" needs ${word.value === 'ratio' ? 'a share' : 'a duration'}`, part, fix);
  }
  switch (word.value) {
    case 'none':
      throw badFault(`"${name}" takes no value`, part, fix);
    case 'ratio': {
      const ratio = /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
      if (!(ratio >= 0 && ratio <= 1)) throw badFault(`"${text}" is no share from 0 to 1`, part, fix);
      return ratio;
    }
    case 'duration': {
      const ms = durationMs(text);
      if (ms === undefined || ms <= 0) throw badFault(`"${text}" is no duration with a unit`, part, fix);
      return ms;
    }
  }
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function durationMs(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  return amount === undefined || unitMs === undefined ? undefined : Number(amount) * unitMs;
}

function badFault(problem: string, seen: string, fix: string): HeartwireError {
  return new HeartwireError('bad_fault', `Cannot read the fault "${seen}": ${problem}. ${fix}`, {
    seen,
    fix,
  });
}

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
