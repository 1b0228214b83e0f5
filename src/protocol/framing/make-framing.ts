import { HeartwireError } from '../../errors.ts';
import { checkFraming } from './check-framing.ts';
import { makeCobsFraming } from './cobs.ts';
import type { FramingDeclaration } from './declaration.ts';
import { makeDelimiterFraming } from './delimiter.ts';
import { makeFixedFraming } from './fixed.ts';
import type { Framing } from './framing.ts';
import { makeGapFraming } from './gap.ts';
import { makeLengthFraming } from './length.ts';
import { makeSlipFraming } from './slip.ts';
import { makeSyncFraming } from './sync.ts';

/** The framing that a declaration describes. Throws `bad_argument` where `checkFraming` finds a problem. */
export function makeFraming(declaration: FramingDeclaration): Framing {
  const [problem] = checkFraming(declaration);
  if (problem !== undefined) {
    throw new HeartwireError('bad_argument', `framing.${problem.path.join('.')}: ${problem.message}`, {
      fix: problem.fix,
    });
  }
  switch (declaration.type) {
    case 'length':
      return makeLengthFraming(declaration);
    case 'sync':
      return makeSyncFraming(declaration);
    case 'slip':
      return makeSlipFraming(declaration);
    case 'cobs':
      return makeCobsFraming(declaration);
    case 'delimiter':
      return makeDelimiterFraming(declaration);
    case 'fixed':
      return makeFixedFraming(declaration);
    case 'gap':
      return makeGapFraming(declaration);
  }
}

/**
 * Whether this is the framing of the built-in messages: four bytes of length, most significant first, and nothing
 * else. `StreamDecoder` and `LineDecoder` know it, and what the messages say about it, best.
 */
export function isStandardFraming(declaration: FramingDeclaration): boolean {
  return (
    declaration.type === 'length' &&
    declaration.length === 'u32be' &&
    (declaration.at ?? 0) === 0 &&
    (declaration.adjust ?? 0) === 0 &&
    declaration.checksum === undefined &&
    (declaration.trailer?.length ?? 0) === 0
  );
}
