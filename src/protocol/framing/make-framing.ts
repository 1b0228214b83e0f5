import { HeartwireError } from '../../errors.ts';
import { checkFraming } from './check-framing.ts';
import { makeCobsFraming } from './cobs.ts';
import type { FramingDeclaration, Side, SingleFraming } from './declaration.ts';
import { makeDelimiterFraming } from './delimiter.ts';
import { makeFixedFraming } from './fixed.ts';
import type { Framing } from './framing.ts';
import { makeGapFraming } from './gap.ts';
import { makeIdFraming } from './id.ts';
import { makeLengthFraming } from './length.ts';
import { makeSeveralFramings } from './several.ts';
import { makeSlipFraming } from './slip.ts';
import { makeSyncFraming } from './sync.ts';

/**
 * The framing that a declaration describes, as the host has it: it reads what the device sends and writes what the host
 * sends. For `device` it is the other way round, where the two differ. Throws `bad_argument` where `checkFraming` finds
 * a problem.
 */
export function makeFraming(declared: FramingDeclaration, side: Side = 'host'): Framing {
  const [problem] = checkFraming(declared);
  if (problem !== undefined) {
    throw new HeartwireError('bad_argument', `framing.${problem.path.join('.')}: ${problem.message}`, {
      fix: problem.fix,
    });
  }
  if (declared.type === 'several') return makeSeveralFramings(declared, side, makeFraming);
  if (declared.type === 'delimiter' && declared.send !== undefined) {
    const { delimiter = declared.delimiter, start = declared.start } = declared.send;
    const sent = makeDelimiterFraming({ ...declared, delimiter, start });
    const received = makeDelimiterFraming(declared);
    return side === 'host'
      ? { ...received, encode: sent.encode }
      : { ...sent, describe: received.describe, encode: received.encode };
  }
  return makeOne(declared);
}

function makeOne(declaration: SingleFraming): Framing {
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
    case 'id':
      return makeIdFraming(declaration);
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
    declaration.unit === undefined &&
    declaration.mask === undefined &&
    declaration.again === undefined &&
    (declaration.trailer?.length ?? 0) === 0
  );
}
