import { HeartwireError } from '../errors.ts';
import { makeFraming, type SingleFraming } from '../protocol/index.ts';
import { type Cut, extents, type FoundChecksum, type Frame, total } from './cut.ts';
import { cutsByLength } from './cut-by-length.ts';
import { cutsByLines } from './cut-by-lines.ts';
import { cutsByMarks } from './cut-by-marks.ts';
import { cutBySilence } from './cut-by-silence.ts';
import { findFrameChecksum } from './find-checksum.ts';
import { burstEnd, isTextByte, type Received } from './received.ts';

/** A framing that the bytes show, and what shows it. */
export interface GuessedFraming {
  readonly framing: SingleFraming;
  readonly checksum: FoundChecksum | undefined;
  /** Frames that hold: whole, and with a right checksum where there is one. */
  readonly frames: readonly Frame[];
  /** Frames in which the checksum is wrong: damaged, or of another kind. */
  readonly wrong: readonly Frame[];
  /** What the real decoder delivers. */
  readonly payloads: readonly Uint8Array[];
  readonly explained: number;
  readonly evidence: readonly string[];
  /** Bits of proof, with what the claim costs taken off. */
  readonly score: number;
}

/** Bytes that are nearly all text are text; some are damaged. */
const TEXT_SHARE = 0.97;
/** Cuts of which a checksum is looked for. */
const MOST_TRIED = 14;
/** What frames show of a framing counts up to so many bits. */
const MOST_FRAME_BITS = 40;
/** A framing without a checksum needs so many, for as many were tried. */
const LEAST_FRAME_BITS = 12;
/** Explained bytes are worth this much, in bits, where all of them are. */
const SHARE_BITS = 48;
/** A framing without a checksum explains nearly everything, or it is none. */
const LEAST_SHARE = 0.9;
const LEAST_SHARE_WITH_CHECKSUM = 0.2;
/** The share of the frames that the real decoder has to deliver: of lines that mix it may join two. */
const LEAST_DECODED = 0.9;

/** The framings that the bytes show, the best first; those that say the same as a better one are left out. */
export function guessFramings(received: Received): readonly GuessedFraming[] {
  const lines = cutsByLines(received);
  // In text the same letters come at the same places, and sums over them agree by that.
  const binary = lines.length > 0 && isText(received) ? [] : cutsByLength(received);
  const cuts = [...binary, ...cutsByMarks(received), ...lines];
  const silence = cutBySilence(received);
  if (silence !== undefined) cuts.push(silence);
  const ranked = [...simplest(cuts)].sort((a, b) => worth(b, received) - worth(a, received));
  const tried = ranked.slice(0, MOST_TRIED);
  if (silence !== undefined && !tried.includes(silence)) tried.push(silence);
  const guesses = tried.map((cut) => judge(cut, received)).filter((each) => each !== undefined);
  return guesses.sort((a, b) => b.score - a.score);
}

function isText({ bytes }: Received): boolean {
  let text = 0;
  for (const byte of bytes) if (isTextByte(byte)) text++;
  return text >= bytes.length * TEXT_SHARE;
}

/** Of cuts into the same frames the one that claims least. */
function simplest(cuts: readonly Cut[]): Iterable<Cut> {
  const best = new Map<string, Cut>();
  for (const cut of cuts) {
    // How marks are escaped changes what a checksum covers.
    const escapes =
      cut.framing.type === 'delimiter'
        ? JSON.stringify(cut.framing.escape ?? 0)
        : cut.framing.type === 'gap'
          ? 'gap'
          : '';
    const key = `${escapes} ${extents(cut)}`;
    const known = best.get(key);
    if (known === undefined || cut.cost < known.cost) best.set(key, cut);
  }
  return best.values();
}

const frameBits = ({ proof }: Cut): number => Math.min(MOST_FRAME_BITS, proof);

const worth = (cut: Cut, { bytes }: Received): number =>
  (SHARE_BITS * cut.explained) / bytes.length + frameBits(cut) / 2 - cut.cost;

function judge(cut: Cut, received: Received): GuessedFraming | undefined {
  const { bytes } = received;
  const checksum = findFrameChecksum(cut);
  const frames = cut.frames.filter((_, index) => checksum?.right[index] !== false);
  const wrong = cut.frames.filter((_, index) => checksum?.right[index] === false);
  const explained = checksum === undefined ? cut.explained : total(frames);
  const share = explained / bytes.length;
  if (share < (checksum === undefined ? LEAST_SHARE : LEAST_SHARE_WITH_CHECKSUM)) return undefined;
  if (checksum === undefined && cut.proof < LEAST_FRAME_BITS) return undefined;
  const framing = checksum === undefined ? cut.framing : cut.seal(checksum);
  const payloads = payloadsOf(framing, received);
  if (payloads === undefined || payloads.length < frames.length * LEAST_DECODED) return undefined;
  const evidence = [...cut.evidence, ...(checksum === undefined ? [] : checksumEvidence(checksum))];
  const score =
    SHARE_BITS * ((explained + total(wrong)) / bytes.length) +
    frameBits(cut) / 2 +
    Math.min(120, checksum?.proof ?? 0) -
    cut.cost;
  return { framing, checksum, frames, wrong, payloads, explained, evidence, score };
}

function checksumEvidence(checksum: FoundChecksum): readonly string[] {
  const { algorithm, from, right, bits, order, encoding, alternatives } = checksum;
  const count = right.filter(Boolean).length;
  const shape = encoding === 'hex' ? ', as hexadecimal digits' : bits > 8 ? `, ${order} endian` : '';
  const all = count === right.length ? 'each' : `${count} of ${right.length}`;
  const first = `${algorithm} from byte ${from} on${shape}: right in ${all === 'each' ? `each of ${count}` : all} frames`;
  return alternatives.length === 0 ? [first] : [first, `equally right: ${alternatives.join('; ')}`];
}

/** What the real decoder delivers; undefined where the framing cannot be declared so. */
function payloadsOf(framing: SingleFraming, received: Received): readonly Uint8Array[] | undefined {
  const { bytes, starts } = received;
  const payloads: Uint8Array[] = [];
  // The first bytes may be half a frame, and half a line looks like a whole one.
  const delimited = framing.type === 'delimiter' || framing.type === 'slip' || framing.type === 'cobs';
  try {
    const made = makeFraming(delimited ? { ...framing, first: 'take' } : framing);
    const decoder = made.makeDecoder(
      {
        frame: (buffer, start, end) => void payloads.push(buffer.slice(start, end)),
        discarded: () => undefined,
        fault: () => undefined,
      },
      { line: 'serial' },
    );
    for (const [index, start] of starts.entries()) {
      decoder.push(bytes.subarray(start, burstEnd(received, index)));
      decoder.idle();
    }
    decoder.close();
  } catch (error) {
    if (error instanceof HeartwireError) return undefined;
    throw error;
  }
  return payloads;
}
