import type { CobsFraming, DelimiterFraming, SlipFraming } from './declaration.ts';
import { DelimitedDecoder, type DelimitedShape, type Envelope } from './delimited-decoder.ts';
import type { Framing } from './framing.ts';
import type { SealedPayload } from './sealed-payload.ts';
import { inWords } from './words.ts';

/** What tells one framing with delimiters from the others. */
interface DelimitedParts extends Omit<DelimitedShape, 'skipFirst'> {
  readonly sealed: SealedPayload;
  /** What is special in words, beside what every framing has. */
  readonly words?: readonly string[];
  /** A frame can prove itself, so that the first one counts on a serial line too. */
  readonly proves: boolean;
  makeEnvelope(): Envelope;
  wrap(sealed: Uint8Array): Uint8Array;
}

const FIRST = { skip: 'always', take: 'never' } as const;

/** A framing whose frames end with a delimiter. */
export function delimitedFraming(
  declaration: CobsFraming | DelimiterFraming | SlipFraming,
  parts: DelimitedParts,
): Framing {
  const { sealed, delimiter, literalEscape, maxBytes, words = [], proves } = parts;
  const { first } = declaration;
  return {
    describe: inWords(declaration, words),
    needsSilence: false,
    maxPayload: sealed.maxPayload,
    makeDecoder(sink, { line }) {
      const skipFirst =
        first === undefined ? (line === 'serial' && !proves ? 'unless-asked' : 'never') : FIRST[first];
      const shape = { delimiter, literalEscape, maxBytes, skipFirst } as const;
      return new DelimitedDecoder(shape, parts.makeEnvelope(), sink);
    },
    encode: (payload) => parts.wrap(sealed.seal(payload)),
  };
}
