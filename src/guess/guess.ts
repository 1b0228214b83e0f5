import type { Frame } from './cut.ts';
import { type GuessedMessage, guessMessages } from './guess-fields.ts';
import { type GuessedFraming, guessFramings } from './guess-framing.ts';
import type { Received } from './received.ts';

/** Kinds of frames that are looked for on one line. */
const MOST_KINDS = 3;
/** Less than this is damage, noise, and the beginning of a frame that was cut off. */
const LEAST_REST_BYTES = 12;
const LEAST_REST_SHARE = 0.04;

/** One kind of frames, and what is in them. */
export interface GuessedKind extends GuessedFraming {
  readonly messages: readonly GuessedMessage[];
}

/** What bytes show of the protocol that they are of. */
export interface Guess {
  /** Empty: nothing was found that holds. */
  readonly kinds: readonly GuessedKind[];
  /** Other framings that fit, the best first; each would have to be the only one. */
  readonly others: readonly GuessedFraming[];
  readonly bytes: number;
  /** Bytes that belong to no frame, or to one with a wrong checksum. */
  readonly unexplained: number;
  /** Bytes beyond the bound, which were not looked at. */
  readonly ignored: number;
}

/** Looks for framings, checksums and fields; what it claims holds in every frame that it counts. */
export function guess(received: Received): Guess {
  const [best, ...others] = guessFramings(received);
  if (best === undefined)
    return {
      kinds: [],
      others: [],
      bytes: received.bytes.length,
      unexplained: received.bytes.length,
      ignored: received.ignored,
    };
  const found = [best];
  let rest = without(received, best);
  while (found.length < MOST_KINDS && isWorthwhile(rest, received)) {
    // Without a checksum, the rest of other frames is like anything.
    const next = guessFramings(rest).find(
      (each) => each.checksum !== undefined || (isText(each) && !found.some(isText)),
    );
    if (next === undefined) break;
    found.push(next);
    rest = without(rest, next);
  }
  return {
    kinds: found.map((each) => ({ ...each, messages: guessMessages(each.payloads) })),
    others,
    bytes: received.bytes.length,
    unexplained: rest.bytes.length + found.reduce((sum, { wrong }) => sum + lengthOf(wrong), 0),
    ignored: received.ignored,
  };
}

const isText = ({ framing }: GuessedFraming): boolean =>
  framing.type === 'delimiter' && framing.escape === undefined && framing.start?.[0] !== 0x02;

const isWorthwhile = (rest: Received, all: Received): boolean =>
  rest.bytes.length >= Math.max(LEAST_REST_BYTES, all.bytes.length * LEAST_REST_SHARE);

const lengthOf = (frames: readonly Frame[]): number =>
  frames.reduce((sum, { start, end }) => sum + end - start, 0);

/** The bytes between the frames; where some were taken out, a burst begins. */
function without({ bytes, starts, ignored }: Received, { frames, wrong }: GuessedFraming): Received {
  const taken = [...frames, ...wrong].sort((a, b) => a.start - b.start);
  const parts: Uint8Array[] = [];
  const begins: number[] = [];
  const known = new Set(starts);
  let length = 0;
  let at = 0;
  for (const { start, end } of [...taken, { start: bytes.length, end: bytes.length }]) {
    for (let from = at; from < start; from++)
      if (from === at || known.has(from)) begins.push(length + from - at);
    if (start > at) {
      parts.push(bytes.subarray(at, start));
      length += start - at;
    }
    at = Math.max(at, end);
  }
  const rest = new Uint8Array(length);
  let to = 0;
  for (const part of parts) {
    rest.set(part, to);
    to += part.length;
  }
  return { bytes: rest, starts: begins, ignored };
}
