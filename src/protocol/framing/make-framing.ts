import { HeartwireError } from '../../errors.ts';
import { checkFraming } from './check-framing.ts';
import { FRAMINGS, type FramingDeclaration, framingType, type Side } from './declaration.ts';
import type { Framing } from './framing.ts';
import { makeSeveralFramings } from './several.ts';

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
    const sent = FRAMINGS.delimiter.make({ ...declared, delimiter, start });
    const received = FRAMINGS.delimiter.make(declared);
    return side === 'host'
      ? { ...received, encode: sent.encode }
      : { ...sent, describe: received.describe, encode: received.encode };
  }
  return framingType(declared).make(declared);
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
