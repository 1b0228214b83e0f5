import { DelimitedDecoder, type DelimitedShape, type Envelope } from './delimited-decoder.ts';
import type { Framing, PayloadJudge } from './framing.ts';
import type { ChecksumDeclaration } from './framing-keys.ts';
import type { SealedPayload } from './sealed-payload.ts';
import { inWords } from './words.ts';

/** What tells one framing with delimiters from the others. */
interface DelimitedParts extends Omit<DelimitedShape, 'skipFirst' | 'proves'> {
  readonly sealed: SealedPayload;
  /** What is special in words, beside what every framing has. */
  readonly words?: readonly string[];
  /** A frame can prove itself, so that the first one counts on a serial line too. */
  readonly proves: boolean;
  /** A delimiter opens the first frame too, so that nothing in front of it counts. */
  readonly opens?: boolean;
  makeEnvelope(): Envelope;
  wrap(sealed: Uint8Array): Uint8Array;
}

interface Delimited {
  readonly type: string;
  readonly checksum?: ChecksumDeclaration | undefined;
  readonly trailer?: Uint8Array | undefined;
  readonly first?: 'skip' | 'take' | undefined;
}

const FIRST = { skip: 'always', take: 'never' } as const;

/** A framing whose frames end with a delimiter. */
export function delimitedFraming(declaration: Delimited, parts: DelimitedParts): Framing {
  const { sealed, words = [], proves, opens = false, makeEnvelope, wrap, ...ends } = parts;
  const { first } = declaration;
  return {
    describe: inWords(declaration, words),
    needsSilence: false,
    varies: true,
    maxPayload: sealed.maxPayload,
    makeDecoder(sink, { line, judge }) {
      const unsure = line === 'serial' && !proves ? 'unless-asked' : 'never';
      const skipFirst = first === undefined ? (opens ? 'always' : unsure) : FIRST[first];
      const shape = { ...ends, skipFirst, proves: proofOf(sealed, judge) } as const;
      return new DelimitedDecoder(shape, makeEnvelope(), sink);
    },
    encode: (payload) => wrap(sealed.seal(payload)),
  };
}

/** Bits that tell a frame from noise in the few places where it is looked for. */
const DECISIVE_BITS = 16;

/** How a payload with a right checksum proves itself: by that alone, or by being a declared message too. */
function proofOf({ checksum }: SealedPayload, judge: PayloadJudge | undefined): DelimitedShape['proves'] {
  if (checksum === undefined) return undefined;
  const { bits } = checksum;
  if (judge?.proof === undefined) return bits >= DECISIVE_BITS ? () => true : undefined;
  return (bytes, start, end) => {
    const proof = judge.proof?.(bytes, start, end).bits ?? -1;
    return proof >= 0 && bits + proof >= DECISIVE_BITS;
  };
}
